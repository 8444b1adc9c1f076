"""The language model on this machine: any GGUF through llama.cpp (`engines.llama`), in this process.

llama.cpp keeps the evaluated prompt of the last request and reuses the longest common prefix, so a
conversation only pays for its newest words. `prime()` uses that: words that are likely to come are
evaluated while the caller still speaks.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lkcook.engines.completion import Done, ModelRefused, Request, Text
from lkcook.engines.llama import Llama, body_of, end_of
from lkcook.engines.tool_calls import ToolCall, looks_like_a_call, parse, repeats, schema_of

CONTEXT = 4096  # tokens
# Speech, not JSON: the tools stay in the prompt, which stays warm; a word at its end says that none is to be called,
# and what opens a call may not be written.
_NO_CALL = {"role": "system", "content": "Reply in plain words now, without calling a function."}
_NO_OPENING = tuple([opening, False] for opening in ("{", '{"', "{{", "{\n", " {", "[", "```", "<", "<tool_call>"))


class LanguageModel:
    """Loads a GGUF file (2-5 s). One request at a time; others wait their turn, and a prime gives way."""

    def __init__(self, path: Path, *, threads: int = 2, context: int = CONTEXT) -> None:
        self.name = path.stem
        self._llama = Llama(path, threads=threads, context=context)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._priming: threading.Event | None = None

    async def chat(self, request: Request) -> AsyncIterator[Text | ToolCall | Done]:
        """Stream the reply to `request`; always ends with one Done. Closing the iterator stops the model.

        Raises ModelRefused when the prompt does not fit the context.
        """
        forced = schema_of(request.tools, request.tool_choice)
        async with self._my_turn():
            if forced:
                stream = self._forced_call(request, forced)
            elif not request.tools:
                stream = self._plain(request)
            elif request.tool_choice == "none":
                stream = self._in_words(request)
            else:
                stream = self._maybe_call(request)
            async with aclosing(stream):
                async for piece in stream:
                    yield piece

    async def count(self, request: Request) -> int:
        """Tokens of the prompt. llama.cpp tells when it begins to read, and is stopped there. Raises ModelRefused."""
        async with self._my_turn(), aclosing(self._llama.run(body_of(request))) as chunks:
            async for chunk in chunks:
                if progress := chunk.get("prompt_progress"):
                    return int(progress["total"])
        raise ModelRefused("the model did not say how long the prompt is")

    async def prime(self, request: Request, give_way: Callable[[], bool] = lambda: False) -> None:
        """Evaluate the prompt of `request` and keep it.

        Returns early, with what it has so far, when a real request arrives or `give_way()` turns true: it is asked
        after each batch, which takes less than 0.1 s.
        """
        if self._turn.locked():
            return
        async with self._turn:
            self._priming = threading.Event()
            try:
                body = body_of(replace(request, max_tokens=0, response_format=None))
                async with aclosing(self._llama.run(body, self._priming)) as chunks:
                    async for _ in chunks:
                        if self._waiting or give_way():
                            return
            finally:
                self._priming = None

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            if self._priming:
                self._priming.set()
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    async def _plain(self, request: Request) -> AsyncIterator[Text | Done]:
        prompt = (0, 0)
        async with aclosing(self._llama.run(body_of(request))) as chunks:
            async for chunk in chunks:
                if progress := chunk.get("prompt_progress"):
                    prompt = (int(progress["total"]), int(progress["cache"]))
                for choice in chunk.get("choices") or []:
                    if text := choice["delta"].get("content"):
                        yield Text(text, *prompt)
                    if reason := choice.get("finish_reason"):
                        yield end_of(reason, chunk)

    def _in_words(self, request: Request) -> AsyncIterator[Text | Done]:
        return self._plain(replace(request, messages=[*request.messages, _NO_CALL], logit_bias=_NO_OPENING))

    async def _maybe_call(self, request: Request) -> AsyncIterator[Text | ToolCall | Done]:
        """Text streams on as it comes; what opens like a tool call is held back until it can be read."""
        held, speaking = "", False
        async with aclosing(self._plain(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Text):
                    held += piece.text
                    if not speaking and looks_like_a_call(held):
                        continue
                    speaking = True
                    yield replace(piece, text=held)
                    held = ""
                else:
                    done = piece
        if not held:
            yield done
            return
        calls = parse(held, request.tools)
        if calls == []:  # it meant to call a tool, but not in a form that fits: ask once more, by grammar
            schema = schema_of(request.tools, "required")
            assert schema is not None, "only requests with tools come here"
            async for piece in self._forced_call(request, schema):
                yield piece
        elif calls is None or repeats(calls, request.messages):
            # code or markup that calls nothing; or the same call again instead of its result: small models do both
            async for piece in self._in_words(request):
                yield piece
        else:
            for call in calls:
                yield call
            yield replace(done, reason="tool_calls")

    async def _forced_call(self, request: Request, schema: dict[str, Any]) -> AsyncIterator[ToolCall | Done]:
        constrained = replace(request, response_format={"type": "json_schema", "json_schema": {"schema": schema}})
        written, done = "", None
        async with aclosing(self._plain(constrained)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Text):
                    written += piece.text
                else:
                    done = piece
        calls = parse(written, request.tools)
        if not calls or done is None:
            raise ModelRefused("the tool call did not fit into max_tokens; allow more tokens")
        for call in calls:
            yield call
        yield replace(done, reason="tool_calls")
