"""llama.cpp (xllamacpp, MIT) in this process: one GGUF, one request at a time, its chunks in the caller's loop."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from lkcook.engines.completion import Done, ModelRefused, PromptTooLong, Request

# Four tokens are one tile of llama.cpp's repacked kernels: as fast per token as larger batches for the
# 10-20 new tokens of a turn, and a cancelled prompt stops within one batch (under 0.1 s).
BATCH = 4


def server(path: Path, *, threads: int, context: int, batch: int, cache: int) -> Any:
    """xllamacpp's Server with a GGUF file. context, batch: tokens; cache: MiB for the prompts of other conversations."""
    # Threads that wait for each other must not spin: beside one busy program a token would take ten times as long.
    # OpenMP reads this when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = context, 1
    params.n_batch = params.n_ubatch = batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = cache
    params.verbosity = -1
    # It also listens on a loopback port of its own: nobody but this process may use it.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.cors_origins = "http://127.0.0.1"
    return xllamacpp.Server(params)


class Llama:
    """Loads a GGUF file (2-5 s). context: tokens."""

    def __init__(self, path: Path, *, threads: int, context: int) -> None:
        self._server = server(path, threads=threads, context=context, batch=BATCH, cache=512)

    async def run(self, body: dict[str, Any], stop: threading.Event | None = None) -> AsyncIterator[dict[str, Any]]:
        """llama.cpp's own chunks, from its thread to this loop. Closing the iterator stops it, and so does `stop`.

        Raises ModelRefused.
        """
        stop = stop or threading.Event()
        loop, chunks = asyncio.get_running_loop(), asyncio.Queue[Any]()

        def hand_over(chunk: Any) -> bool:
            for part in chunk if isinstance(chunk, list) else [chunk]:
                loop.call_soon_threadsafe(
                    chunks.put_nowait, json.loads(part) if isinstance(part, (str, bytes)) else part
                )
            return stop.is_set()

        work = asyncio.create_task(asyncio.to_thread(self._complete, body, hand_over))
        work.add_done_callback(lambda _: chunks.put_nowait(None))
        try:
            while (chunk := await chunks.get()) is not None:
                if error := chunk.get("error"):
                    too_long = error.get("type") == "exceed_context_size_error"
                    raise (PromptTooLong if too_long else ModelRefused)(error["message"])
                yield chunk
            await work
        finally:
            stop.set()
            # The next request may only start once llama.cpp has let go of this one.
            await asyncio.shield(asyncio.wait([work]))

    def _complete(self, body: dict[str, Any], hand_over: Callable[[Any], bool]) -> None:
        try:
            self._server.handle_chat_completions(body, hand_over)
        except (ValueError, RuntimeError) as error:
            raise ModelRefused(str(error)) from error


def body_of(request: Request) -> dict[str, Any]:
    """llama.cpp's request: OpenAI's, plus progress reports, which let a long prompt be cancelled."""
    fields = {k: v for k, v in vars(request).items() if v not in (None, [], ())}
    fields.pop("tool_choice", None)
    if request.stop:  # then the last chunk also tells which of them it met
        fields |= {"verbose": True, "response_fields": ["stopping_word"]}
    return {**fields, "stream": True, "return_progress": True, "cache_prompt": True}


def end_of(reason: str, chunk: dict[str, Any]) -> Done:
    """The end of a reply, out of the chunk that holds its `finish_reason`."""
    timings = chunk.get("timings") or {}
    cached, new = int(timings.get("cache_n", 0)), int(timings.get("prompt_n", 0))
    stopped_by = (chunk.get("__verbose") or {}).get("stopping_word", "")
    return Done(reason, cached + new, cached, int(timings.get("predicted_n", 0)), stopped_by)
