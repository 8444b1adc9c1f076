"""When a turn detector would have committed each turn, and what that cost: decided from what was asked, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lkcook.turns.recordings import TurnRecording


@dataclass(frozen=True)
class Delays:
    """Seconds of endpointing, as AgentSession has them: min_delay for a turn that sounds finished, else max_delay."""

    min_delay: float
    max_delay: float


@dataclass(frozen=True)
class Asked:
    """One silence in which a session asks whether the turn is over; seconds from the beginning of the recording.

    speech_end: of the last speech as the session knows it; its delays count from there. answered: when the answer was
    there. probability: that the turn is over; None when nobody tells (a VAD alone, an STT). threshold: the least
    probability that counts as finished. until: when the question was overtaken, by new speech or by newer words; None
    when it never was. text: the words that a text detector was asked about. A question that was overtaken before its
    answer came is not there: nothing could have come of it.
    """

    speech_end: float
    answered: float
    probability: float | None = None
    threshold: float | None = None
    until: float | None = None
    text: str = ""

    def finished(self, threshold: float | None = None) -> bool:
        """Whether the turn counts as finished (agents/voice/audio_recognition.py: below the threshold it does not)."""
        limit = self.threshold if threshold is None else threshold
        return self.probability is None or limit is None or self.probability >= limit

    def committed(self, delays: Delays, threshold: float | None = None) -> float | None:
        """When the turn is committed, in seconds; None if the caller goes on before. `threshold` instead of its own."""
        delay = delays.min_delay if self.finished(threshold) else delays.max_delay
        at = max(self.answered, self.speech_end + delay)
        return at if self.until is None or at < self.until else None


@dataclass(frozen=True)
class Outcome:
    """One recording with one detector. cut_offs: seconds of each commit inside the turn. committed: of the first one
    after its end; None if there was none. wait: from the true end to there."""

    cut_offs: tuple[float, ...]
    committed: float | None
    wait: float | None


def outcome(asked: Sequence[Asked], end: float, delays: Delays, threshold: float | None = None) -> Outcome:
    """What comes of `asked` in a turn whose last sound is at `end`. After a false cut-off the detector goes on."""
    commits = [at for each in asked if (at := each.committed(delays, threshold)) is not None]
    last = next((at for at in commits if at >= end), None)
    return Outcome(tuple(at for at in commits if at < end), last, None if last is None else last - end)


@dataclass(frozen=True)
class Trial:
    """What one detector was asked in one recording. model: what answered, by its own account."""

    recording: TurnRecording
    asked: tuple[Asked, ...]
    model: str = ""

    def outcome(self, delays: Delays, threshold: float | None = None) -> Outcome:
        """With these settings."""
        return outcome(self.asked, self.recording.end, delays, threshold)


@dataclass(frozen=True)
class Score:
    """All turns with one setting. cut: the share of turns that were cut off (0 to 1). waits: seconds after the true
    end of each turn that was committed. needless: commits for back-channels."""

    delays: Delays
    threshold: float | None
    turns: int
    cut_offs: int
    cut: float
    waits: tuple[float, ...]
    needless: int

    @property
    def never(self) -> int:
        """Turns that nobody committed as long as their recording lasted."""
        return self.turns - len(self.waits)

    @property
    def mean_wait(self) -> float:
        """Seconds; infinite when no turn was ever committed."""
        return float(np.mean(self.waits)) if self.waits else float("inf")


def score(trials: Sequence[Trial], delays: Delays, threshold: float | None = None) -> Score:
    """Count them. A back-channel is no turn: it is not waited for and cannot be cut off."""
    turns = [trial.outcome(delays, threshold) for trial in trials if trial.recording.answerable]
    others = [trial.outcome(delays, threshold) for trial in trials if not trial.recording.answerable]
    return Score(
        delays,
        threshold,
        len(turns),
        sum(len(each.cut_offs) for each in turns),
        sum(bool(each.cut_offs) for each in turns) / len(turns) if turns else 0.0,
        tuple(each.wait for each in turns if each.wait is not None),
        sum(len(each.cut_offs) + (each.committed is not None) for each in others),
    )


def sweep(trials: Sequence[Trial], max_delay: float) -> list[Score]:
    """Every threshold that decides otherwise (at most 40) with every min_delay up to max_delay, 0.1 s apart.

    It decides anew about what was asked; it cannot ask anew. After another false cut-off a detector would have heard
    less of the turn, or fewer of its words, than it did in the recordings.
    """
    known = {each.probability for trial in trials for each in trial.asked if each.probability is not None}
    limits: list[float | None] = [None]
    if known:
        values = sorted(known)
        picked = values if len(values) <= 40 else np.quantile(values, np.linspace(0, 1, 40)).tolist()
        limits += [*picked, 1.0]
    steps = [round(0.1 * i, 1) for i in range(1, round(max_delay * 10) + 1)]
    return [score(trials, Delays(step, max_delay), limit) for limit in limits for step in steps]


def frontier(scores: Sequence[Score]) -> list[Score]:
    """Those of which none other waits less and cuts off no more; from the shortest wait to the longest."""
    best: list[Score] = []
    for each in sorted(scores, key=lambda each: (each.mean_wait, each.cut)):
        if each.waits and (not best or each.cut < best[-1].cut):
            best.append(each)
    return best
