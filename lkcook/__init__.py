"""An interactive cookbook for LiveKit Agents voice models: a caller, a listener, a backend and a report.

    import lkcook
    lkcook.setup()
    call = await lkcook.talk(session, agent, script=["What are your opening hours?"])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lkcook.audio.clip import Clip as Clip
    from lkcook.audio.line import Line as Line
    from lkcook.backend import setup as setup
    from lkcook.call import Call as Call
    from lkcook.call import last_call as last_call
    from lkcook.call import talk as talk
    from lkcook.catalog import models as models
    from lkcook.catalog import parse as parse
    from lkcook.checks import doctor as doctor
    from lkcook.direct import ask as ask
    from lkcook.direct import hear as hear
    from lkcook.direct import say as say
    from lkcook.errors import CallError as CallError
    from lkcook.errors import CookError as CookError
    from lkcook.faults import failing as failing
    from lkcook.job_context import job as job
    from lkcook.noise.acoustics import Acoustics as Acoustics
    from lkcook.noise.catalogue import canceller as canceller
    from lkcook.noise.echo_trials import compare_echo as compare_echo
    from lkcook.noise.overview import cancellers as cancellers
    from lkcook.noise.mixing import noisy as noisy
    from lkcook.noise.sounds import noises as noises
    from lkcook.noise.trials import compare_cancellers as compare_cancellers
    from lkcook.panel.picker import Picker as Picker
    from lkcook.providers.catalogue import plugins as plugins
    from lkcook.report.answers import Answer as Answer
    from lkcook.report.answers import Heard as Heard
    from lkcook.report.answers import Spoken as Spoken
    from lkcook.report.answers import compare as compare
    from lkcook.report.echo_study import EchoStudy as EchoStudy
    from lkcook.report.noise_study import NoiseStudy as NoiseStudy
    from lkcook.report.pitch import median_pitch as median_pitch
    from lkcook.report.pitch import pitch_range as pitch_range
    from lkcook.report.plots import plot_pitch as plot_pitch
    from lkcook.report.plots import plot_words as plot_words
    from lkcook.report.turn_study import TurnStudy as TurnStudy
    from lkcook.report.words import word_error_rate as word_error_rate
    from lkcook.turns.recordings import TurnRecording as TurnRecording
    from lkcook.turns.recordings import turn_recordings as turn_recordings
    from lkcook.turns.trials import compare_turns as compare_turns

__version__ = "0.1.0"

# Loaded on first use: `python -m lkcook gateway --env` and the doctor should not wait for the SDK.
_HOMES = {
    "setup": "backend",
    "talk": "call",
    "last_call": "call",
    "Call": "call",
    "Line": "audio.line",
    "Clip": "audio.clip",
    "models": "catalog",
    "parse": "catalog",
    "doctor": "checks",
    "CallError": "errors",
    "CookError": "errors",
    "job": "job_context",
    "Picker": "panel.picker",
    "pitch_range": "report.pitch",
    "median_pitch": "report.pitch",
    "plot_pitch": "report.plots",
    "plot_words": "report.plots",
    "compare": "report.answers",
    "word_error_rate": "report.words",
    "Answer": "report.answers",
    "Heard": "report.answers",
    "Spoken": "report.answers",
    "failing": "faults",
    "say": "direct",
    "hear": "direct",
    "ask": "direct",
    "compare_turns": "turns.trials",
    "TurnRecording": "turns.recordings",
    "turn_recordings": "turns.recordings",
    "TurnStudy": "report.turn_study",
    "canceller": "noise.catalogue",
    "Acoustics": "noise.acoustics",
    "compare_echo": "noise.echo_trials",
    "EchoStudy": "report.echo_study",
    "plugins": "providers.catalogue",
    "cancellers": "noise.overview",
    "noisy": "noise.mixing",
    "noises": "noise.sounds",
    "compare_cancellers": "noise.trials",
    "NoiseStudy": "report.noise_study",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lkcook' has no attribute {name!r}")
    return getattr(import_module(f"lkcook.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
