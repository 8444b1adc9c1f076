"""Was it a call? The one failure that `talk` raises, if any."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lkcook import backend
from lkcook.errors import CallError, CookError

if TYPE_CHECKING:
    from lkcook.call import Call

NO_REPLY = (
    "Ask for more patience=… seconds if the backend is slow; if the agent was speaking, mind that LiveKit ignores "
    "callers during the first aec_warmup_duration (3 s) of the agent's speech and that too short an answer may not "
    "interrupt (turn_handling)."
)
STILL_SPEAKING = (
    "The session still hears the caller speak, so his turn has no end. Noise does that: mix in less of it, or put a "
    "canceller into the slot, noise_cancellation=lkcook.canceller(\"deepfilternet\")."
)
NEVER_HEARD = (
    "Check that the session has a tts= (or a realtime model that speaks) and that the agent answers: a "
    "text-to-speech model that raises anything but livekit.agents.APIError fails without an error event, see the log."
)


def problem(call: Call, met: CookError | None, stopped: bool, unanswered: str = "") -> CookError | None:
    """What the session reported, else what the caller met, else silence; None for a call that went well.

    stopped: somebody hung up from outside, who may have done so before the agent could be heard. unanswered: the
    remedy for silence, where more is known of it.
    """
    fatal = [failure for failure in call.errors if not failure.recoverable]
    for failure in (fatal or call.errors)[:1]:
        return CallError(failure.stage, failure.message, failure.remedy, call)
    if isinstance(met, CallError):
        met.call = call
    if met is None and not call.recorder.agent_heard:
        caller_was_heard = any(message.who == "caller" for message in call.journal.messages())
        if caller_was_heard or not stopped:
            return CallError("reply", "the agent was never heard", unanswered or NEVER_HEARD, call)
    return met


async def with_backend_restored(error: CookError) -> CookError:
    """`error`, after the embedded gateway was brought back if it is gone, so that the reader's next cell works."""
    if isinstance(error, CallError):
        try:
            await asyncio.to_thread(backend.refresh)
        except CookError as gone:
            return CallError(error.stage, error.cause, gone.remedy, error.call)
    return error
