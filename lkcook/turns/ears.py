"""Streams that hear a recording: a VAD's silences, a recogniser's words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, stt, vad

from lkcook.errors import CallError
from lkcook.failures import message_of, remedy_for, server_words, stage_of
from lkcook.turns.lanes import Lane

PATIENCE = 1.0  # seconds for a recogniser's last words after a recording
_ONCE = APIConnectOptions(max_retry=0)
Ear = Callable[[rtc.AudioFrame], None]


@contextlib.asynccontextmanager
async def silences(model: vad.VAD, lanes: Sequence[Lane]) -> AsyncIterator[Ear]:
    """A VAD's stream; its events go to `lanes`. Gives what takes its sound."""
    stream = model.stream()

    async def forward() -> None:
        async for event in stream:
            for lane in lanes:
                lane.on_vad(event)

    task = asyncio.create_task(forward())
    try:
        yield stream.push_frame
        stream.end_input()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.aclose()


@contextlib.asynccontextmanager
async def speech(model: stt.STT, heard: Callable[[stt.SpeechEvent], None]) -> AsyncIterator[Ear]:
    """A recogniser's stream; `heard` gets its events. Gives what takes its sound. Raises CallError."""
    with server_words() as said:
        try:
            async with model.stream(conn_options=_ONCE) as stream:

                async def forward() -> None:
                    async for event in stream:
                        heard(event)

                task = asyncio.create_task(forward())
                try:
                    yield lambda frame: None if task.done() else stream.push_frame(frame)
                    if not task.done():
                        stream.end_input()
                    # it may keep its connection open for longer; all that it had to say was said in the silence
                    await asyncio.wait({task}, timeout=PATIENCE)
                    if task.done():
                        task.result()
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
        except APIError as error:
            message = message_of(error, said())
            raise CallError(stage_of(model), message, remedy_for(error, message, model)) from error
