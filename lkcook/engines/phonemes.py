"""A sentence's phonemes, in pieces that a voice can say in one breath."""

from __future__ import annotations

LONGEST = 400  # in a row; Kokoro has a style for each length up to 510


def parts(sentence: str) -> list[str]:
    """Those of a sentence, in any language, not more than LONGEST in a row."""
    found = []
    while len(sentence) > LONGEST:
        cut = _cut(sentence[: LONGEST + 1])
        found.append(sentence[:cut])
        sentence = sentence[cut:].lstrip()
    return [*found, sentence] if sentence else found


def _cut(head: str) -> int:
    """After the last comma of `head`, or at its last space."""
    for pause in (", ", " "):
        at = head.rfind(pause, LONGEST // 2)
        if at > 0:
            return at + len(pause) - 1
    return LONGEST
