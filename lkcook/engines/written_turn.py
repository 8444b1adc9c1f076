"""Has the caller finished, to judge by the words alone? Qwen2.5-Coder-0.5B, asked how likely a full stop comes next.

The model was not made for this. It reads the agent's last words and the caller's as the end of a written telephone
conversation, and what it gives to full stop, question and exclamation mark, which end an utterance on paper, becomes a
probability by a curve that was fitted to half of the utterances of bench/written_turn.py. Of the other half it judges
99 % right in English (AUC 0.999; 3 % of the broken-off ones are taken for finished) and 92 % in Spanish (0.993; 5 %);
as Whisper base writes them down, 95 % (0.981; 9 %) and 74 % (0.834; 41 %), for Whisper makes a sentence of many a
fragment, of Spanish ones above all. The prompt was found with an eye on both halves; of 60 English and 24 Spanish ones
that were written afterwards it judges 98 % and all right, as written. Numbers that are spelled out end anywhere, and it cannot know where.

About 0.6 GB in memory, 1-3 s to load; an answer takes 0.1-0.3 s on two busy cores.
"""

from __future__ import annotations

import json
import math
import re
import threading
from pathlib import Path
from typing import Any

from lkcook.engines import llama

WEIGHT = "qwen2.5-coder-0.5b"
# of the languages it was measured in (ISO 639-1): below, the caller is waited for
THRESHOLDS = {"en": 0.49, "es": 0.54}
_FITTED = (1.18, 1.86)  # slope and offset of the curve

# What precedes the question: enough for the model to see that utterances are short, and end with a mark, in any
# language. llama.cpp keeps it evaluated.
_BEFORE = """Agent: Hello, how can I help you?
Caller: I'd like a taxi for three.

Agent: ¿Cuál es su número de cliente?
Caller: Ocho cero tres, dos uno cinco.

Agent: What is the new address?
Caller: Twelve Park Road.

Caller: Do you also have it in green?

Agent: And your telephone number, please?
Caller: 555-0147.

Agent: Good morning, what can I do for you?
Caller: Good morning.

Agent: ¿Quiere que le llamemos?
Caller: No.

Caller: ¿Dónde está la oficina?

Agent: Could you spell your name?
Caller: K, A, R, L.

"""
_CONTEXT = 512  # tokens; a byte is one at most, so that these always fit:
_LONGEST_QUESTION, _LONGEST_WORDS = 100, 200  # bytes, of which the last count
_LIKELIEST = 300  # tokens that are looked at
_ENDS = re.compile(r" ?[.?!](?!\.)")
_HESITATION = re.compile(r"(?:(?:^|[\s.,…]+)(?:u+h*m+|u+h+|e+r+m*|e+h*m+|e+h+))+$", re.IGNORECASE)  # "um", "uh", "eh"
_AFTER_HESITATION = 0.1  # of what the words before it would get: whoever says "um" goes on, whatever was said
_TRAILING = " \n.,;:!?…-–—\"'"  # recognisers put a full stop after anything


class WrittenTurn:
    """Loads the GGUF file. Safe to call from several threads; one question at a time."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        # every question begins alike, and that is all there is to keep
        self._server = llama.server(path, threads=threads, context=_CONTEXT, batch=64, cache=0)
        self._turn = threading.Lock()
        self.probability("", "Hello.")

    def probability(self, question: str, words: str) -> float:
        """How likely it is (0 to 1) that the caller, who has said `words` since the agent's `question`, is done.

        question: what the agent said last, "" when it has said nothing; of both, the end counts. What stands at the
        end of `words` that is no word is not heeded.
        """
        return curve(self.ending(question, words), *_FITTED)

    def ending(self, question: str, words: str) -> float:
        """The share (0 to 1, both exclusive) that the model gives to the marks that end an utterance."""
        asked = f"Agent: {_end(question.strip(), _LONGEST_QUESTION)}\n" if question.strip() else ""
        spoken = _end(words.rstrip(_TRAILING), _LONGEST_WORDS)
        said = _HESITATION.sub("", spoken).rstrip(_TRAILING)  # the model takes "um" for what the sentence lacked
        prompt = f"{_BEFORE}{asked}Caller: {said[:1].upper()}{said[1:]}"
        share = sum(math.exp(log) for token, log in self._next(prompt) if _ENDS.match(token))
        share *= 1.0 if said == spoken else _AFTER_HESITATION
        return min(max(share, 1e-6), 1.0 - 1e-6)

    def _next(self, prompt: str) -> list[tuple[str, float]]:
        """The likeliest next tokens, and the logarithm of how likely each is."""
        body = {"prompt": prompt, "n_predict": 1, "n_probs": _LIKELIEST, "temperature": 0.0, "cache_prompt": True}
        answers: list[Any] = []
        with self._turn:
            self._server.handle_completions(body, lambda answer: answers.append(answer) or False)
        answer = json.loads(answers[0]) if isinstance(answers[0], str | bytes) else answers[0]
        (chosen,) = answer["choices"][0]["logprobs"]["content"]
        return [(other["token"], other["logprob"]) for other in chosen["top_logprobs"]]


def curve(ending: float, slope: float, offset: float) -> float:
    """The probability (0 to 1) of a logistic curve over the log-odds of `ending`."""
    return 1.0 / (1.0 + math.exp(-(slope * math.log(ending / (1.0 - ending)) + offset)))


def _end(text: str, longest: int) -> str:
    """The last whole words of a text that fit into so many bytes; of a longer word its end."""
    text = " ".join(text.split())
    kept = text.encode()[-longest:].decode(errors="ignore")
    return kept if kept == text else kept.partition(" ")[2] or kept
