"""A call written by hand, so long as a test wants: its spans, words, sound and turns, at times known in advance."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import numpy as np

from lkcook.audio.clip import Clip
from lkcook.report.spans import Span, Trace
from lkcook.report.transcript import Message, Transcript
from lkcook.report.turns import Turn, Turns
from tests.scripted_models import RATE, tone

ORIGIN = 1000.0  # time.time() at the start of the call
EVERY = 6.0  # seconds from turn to turn
SPOKE, SAID, REPLIED = 1.0, 2.0, 5.5  # seconds into a turn: the caller begins, its last syllable, the answer is over
STAGES = (310.0, 450.0, 640.0, 900.0, 960.0)  # ms after the last syllable
QUESTIONS = ("Hello there.", "What are your opening hours on a day like this?", "And on Sundays, for $5 or $6?", "Why?")
ANSWER = "We are open from nine in the morning until five in the afternoon, every day but Monday."


def call(turns: int = 1, interrupted: bool = False, spans: bool = True) -> SimpleNamespace:
    """What `read_timeline` needs of a Call; the last answer is cut short if `interrupted`."""
    starts = [EVERY * number for number in range(turns)]
    duration = EVERY * max(turns, 1)
    messages = [message for n, at in enumerate(starts) for message in _messages(n, at, interrupted and n == turns - 1)]
    numbers = count(1)
    return SimpleNamespace(
        started_at=ORIGIN,
        duration=duration,
        trace=Trace([span for at in starts for span in _spans(at, numbers)] if spans else []),
        journal=SimpleNamespace(
            interims=[
                (ORIGIN + at + SPOKE + after, QUESTIONS[n % 4][:9]) for n, at in enumerate(starts) for after in (0.4, 0.7)
            ],
            finals=[(ORIGIN + at + SAID + STAGES[0] / 1000, QUESTIONS[n % 4]) for n, at in enumerate(starts)],
            tokens=[(_after(at, STAGES[2]) + 0.03 * i, w + " ") for at in starts for i, w in enumerate(ANSWER.split())],
            frames=[(_after(at, STAGES[3]) + 0.05 * i, 0.25) for at in starts for i in range(10)],
            presses=[],
        ),
        turns=Turns(_turn(n, at, interrupted and n == turns - 1) for n, at in enumerate(starts)),
        transcript=Transcript.of(messages, ORIGIN),
        recording=Clip(_sound(starts, duration), RATE),
    )


def _after(start: float, ms: float) -> float:
    return ORIGIN + start + SAID + ms / 1000


def _turn(number: int, at: float, interrupted: bool) -> Turn:
    return Turn(
        QUESTIONS[number % 4],
        ANSWER,
        at + SAID,
        *STAGES,
        interrupted=interrupted,
        started_at=at + SPOKE,
        ended_at=at + REPLIED,
    )


def _messages(number: int, at: float, interrupted: bool) -> list[Message]:
    spoke, said, replied = (ORIGIN + at + each for each in (SPOKE, SAID, REPLIED))
    return [
        Message("caller", QUESTIONS[number % 4], spoke, said, said + 0.45),
        Message("agent", ANSWER, _after(at, STAGES[4]), replied, replied, interrupted),
    ]


def _spans(at: float, numbers: count) -> list[Span]:
    commit, eou = _after(at, STAGES[1]), {"lk.eou.outcome": "committed", "lk.eou.endpointing_delay": 0.4}
    chances = {"lk.eou.probability": 0.93, "lk.eou.unlikely_threshold": 0.3}

    def span(name: str, start: float, end: float, **attributes: object) -> Span:
        return Span(name, start, end, next(numbers), None, attributes)

    return [
        span("user_speaking", ORIGIN + at + SPOKE + 0.1, ORIGIN + at + SAID + 0.05),
        span("eou_wait", ORIGIN + at + SAID, commit, **eou),
        span("eou_detection", _after(at, 340), _after(at, 380), **chances),
        span("llm_node", commit, _after(at, STAGES[2]) + 0.5, **{"lk.response.ttft": (STAGES[2] - STAGES[1]) / 1000}),
        span("tts_node", commit + 0.01, _after(at, STAGES[3]) + 0.5),
        span("agent_speaking", _after(at, STAGES[4]), ORIGIN + at + REPLIED),
    ]


def _sound(starts: list[float], duration: float) -> np.ndarray:
    both = np.zeros((round(duration * RATE), 2), np.int16)
    for at in starts:
        for side, start, end in ((0, at + SPOKE, at + SAID), (1, at + SAID + STAGES[4] / 1000, at + REPLIED)):
            voice = tone(end - start, 220)
            swell = 0.3 + 0.7 * np.abs(np.sin(np.arange(len(voice)) / RATE * 9))
            both[round(start * RATE) : round(start * RATE) + len(voice), side] = voice * swell
    return both
