"""`job()`: what a LiveKit worker puts around an agent, in a cell. Some of LiveKit's classes ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterator

from livekit import rtc
from livekit.agents import JobContext, utils
from livekit.agents.testing import fake_job_context
from livekit.agents.utils import http_context

from lkcook import backend, cloud_room, paths, runners
from lkcook.engines import weights
from lkcook.errors import BackendError

REMOTE = "LIVEKIT_REMOTE_EOT_URL"
_HELLO = {"items": [{"role": "user", "content": ["Hello."]}]}
_ATTEMPTS = 4  # a busy machine may load the model more slowly than `ask` waits

_borrowed: list[str | None] = []  # what REMOTE was before, once for each block that is open now


@contextlib.asynccontextmanager
async def job(*, turn_detector: bool = True, room: bool = False) -> AsyncIterator[JobContext]:
    """LiveKit's job context for the block: `get_job_context()` works in it, in `talk()` too.

        async with lkcook.job() as ctx:
            session = AgentSession(…, turn_detection=MultilingualModel())
            call = await lkcook.talk(session, agent)

    `ctx.room` is an rtc.Room that is connected to nothing. With room=True it is a fresh room of LiveKit Cloud, if that is
    in force (it costs participant minutes): the agent waits there, and `talk()` joins it as the caller. With the models
    of this machine there is no room to be had; the same lines run, and `talk()` speaks to the session itself.

        async with lkcook.job(room=True) as ctx:
            await session.start(agent, room=ctx.room, room_options=…)
            call = await lkcook.talk(session, script=[…])

    `ctx.inference_executor` runs what plugins registered for it in this process, and the callbacks of `ctx.add_shutdown_callback` run when the block ends.

    turn_detector: see to it that livekit-plugins-turn-detector's MultilingualModel finds a model: the hub's own files,
    if they are in your Hugging Face cache (on either backend); else the embedded gateway, which answers at
    LIVEKIT_REMOTE_EOT_URL (set until the block ends) with a model of its own, fetched the first time (0.5 GB). That
    variable, if you have set it yourself, is left alone. Mind that LiveKit takes it for a sign of being hosted: in the
    block a TurnDetector() without a version is the cloud's v1, and interruptions are adaptive unless `turn_handling` says
    otherwise. The embedded gateway serves both.

    Raises BackendError when there is neither, or no room can be joined; WeightsError when the fetching fails.
    """
    async with contextlib.AsyncExitStack() as stack:
        if turn_detector and (_borrowed or not os.environ.get(REMOTE)):
            if runners.hub_files_are_here():
                await runners.start(runners.MULTILINGUAL)
            else:
                stack.enter_context(_remote(await asyncio.to_thread(_ready_address)))
        name, executor = utils.shortuuid("job-"), runners.InThisProcess()
        joined = await cloud_room.agents_room() if room and backend.embedded_gateway() is None else rtc.Room()
        stack.push_async_callback(joined.disconnect)
        ctx = stack.enter_context(fake_job_context(room=joined, job_id=name, inference_executor=executor))
        await stack.enter_async_context(http_context.open())
        stack.push_async_callback(ctx._on_cleanup)  # its temporary folder
        stack.push_async_callback(_shut_down, ctx)
        stack.enter_context(_without_complaints(ctx.room))
        yield ctx


async def _shut_down(ctx: JobContext) -> None:
    for callback in ctx._shutdown_callbacks:
        await callback("the block ended")


@contextlib.contextmanager
def _without_complaints(room: rtc.Room) -> Iterator[None]:
    """A session that is started with a room tells it everything that happens, and logs a traceback where that fails.

    In a room that is not connected it always does (livekit-agents 1.8.9, voice/remote_session.py).
    """

    def worth_telling(record: logging.LogRecord) -> bool:
        return room.isconnected() or record.msg != "failed to send session event"

    logger = logging.getLogger("livekit.agents")
    logger.addFilter(worth_telling)
    try:
        yield
    finally:
        logger.removeFilter(worth_telling)


def _ready_address() -> str:
    """The embedded gateway's, once its model is fetched, loaded and warm: the plugin waits for 2 s."""
    backend.refresh()
    gateway = backend.embedded_gateway()
    if gateway is None:
        raise BackendError(
            "MultilingualModel's files are not in your Hugging Face cache, and the embedded gateway is not in force",
            "run `python -m livekit.agents download-files` once, or lkcook.setup('embedded')",
        )
    from lkcook.gateway import written_turn

    weights.fetch_all_with_progress([written_turn.WEIGHT])
    for _ in range(_ATTEMPTS):
        if gateway.ask("POST", "/eot/multi", _HELLO) is not None:
            return written_turn.address_for(gateway)
    raise BackendError(
        "The embedded gateway could not load its model for MultilingualModel",
        f"see the end of {paths.runtime_dir() / 'gateway.log'}, or leave out turn_detection=MultilingualModel()",
    )


@contextlib.contextmanager
def _remote(address: str) -> Iterator[None]:
    """LiveKit's plugin asks there; the last block that ends puts back what was there before."""
    _borrowed.append(os.environ.get(REMOTE))
    os.environ[REMOTE] = address
    try:
        yield
    finally:
        first = _borrowed[0]
        _borrowed.pop()
        if not _borrowed and first is None:
            os.environ.pop(REMOTE, None)
        elif not _borrowed:
            os.environ[REMOTE] = first
