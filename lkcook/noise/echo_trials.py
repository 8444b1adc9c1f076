"""Both ends speak in a simulated room, with and without an echo canceller: `compare_echo`."""

from __future__ import annotations

import asyncio

import numpy as np
from livekit.agents import stt

from lkcook import direct
from lkcook.audio.clip import Clip
from lkcook.audio.echo import RATE, Room
from lkcook.audio.line import trimmed
from lkcook.errors import CookError
from lkcook.noise.acoustics import Acoustics
from lkcook.report.answers import Spoken
from lkcook.report.echo_study import EchoStudy, EchoTrial
from lkcook.turns.recordings import TurnRecording

Sound = Clip | Spoken | TurnRecording
ALONE, AFTER = 8.0, 1.0  # seconds of the far end alone, before both speak and after that
_STEP = RATE // 100
_LEAST = 0.2  # seconds of sound


async def compare_echo(
    near: Sound, far: Sound, *, acoustics: Acoustics | None = None, recogniser: str | stt.STT | None = None
) -> EchoStudy:
    """Let `far`, the agent's voice, sound from a loudspeaker while `near`, the caller, speaks; compare microphones.

    acoustics: the room, `Acoustics.laptop()` unless given. The microphones: one in it as it is, the same behind
    WebRTC's echo canceller, and one beside headphones. For 8 s the far end speaks alone (its recording is repeated),
    then both do until the near end has finished: double-talk. recogniser: as for `lkcook.hear`; it hears the
    double-talk of each, and what it understands is compared with the words of `near`, which must then be a
    TurnRecording or what `lkcook.say` gave. Takes a few seconds, with a recogniser twice the length of `near` longer.

    Raises CookError where there is no sound, or no words to compare with; CallError when the recogniser is refused.
    """
    said, played = _samples("near", near), _samples("far", far)
    text = getattr(near, "text", "")
    if recogniser is not None and not text:
        raise CookError("It is not known what the near end says.", "Give a TurnRecording, or what lkcook.say returned.")
    room = acoustics or Acoustics.laptop()
    played, said = _laid_out(played, said)
    trials = await asyncio.to_thread(_trials, room, played, said)
    study = EchoStudy(Clip(played, RATE), Clip(said, RATE), ALONE, len(said) / RATE - AFTER, trials, text)
    if recogniser is not None:
        for trial in study.trials:
            trial.understood = (await direct.hear(recogniser, study.double_talk(trial.label))).text
    return study


def _samples(end: str, sound: Sound) -> np.ndarray:
    clip = sound.spoken if isinstance(sound, TurnRecording) else getattr(sound, "clip", sound)
    samples = trimmed(clip.mono(RATE))
    if len(samples) < _LEAST * RATE or not samples.any():
        raise CookError(f"There is no sound at the {end} end.", "Give a recording of somebody who speaks.")
    return samples


def _laid_out(played: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both ends as long as each other, in whole steps."""
    before, after = round(ALONE * RATE), round(AFTER * RATE)
    whole = -(-(before + len(said) + after) // _STEP) * _STEP
    return np.resize(played, whole), np.pad(said, (before, whole - before - len(said)))


def _trials(room: Acoustics, played: np.ndarray, said: np.ndarray) -> list[EchoTrial]:
    headphones = Acoustics.headphones()
    microphone, beside = (each.path().picked_up(played, said) for each in (room, headphones))
    cleaned, alone = (_cleaned(room, *ends) for ends in ((played, microphone), (np.zeros_like(played), said)))
    return [
        EchoTrial("no canceller", room, microphone, microphone, said),
        EchoTrial("canceller", room, microphone, cleaned, alone),
        EchoTrial("headphones", headphones, beside, beside, said),
    ]


def _cleaned(acoustics: Acoustics, played: np.ndarray, microphone: np.ndarray) -> np.ndarray:
    """What WebRTC's processing, as lkcook's microphone has it, leaves."""
    room = Room()
    room.set_delay("output", acoustics.delay)
    out = []
    for heard_from, heard in zip(played.reshape(-1, _STEP), microphone.reshape(-1, _STEP)):
        room.played(heard_from)
        out.append(room.cleaned(heard))
    return np.concatenate(out)
