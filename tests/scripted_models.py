"""Models that follow a script, for tests: no network, no weights, every call recorded, failures on request.

Speech is loud samples, silence is quiet ones; the words come from the script. `speech_to_text(...)` hears,
`language_model(...)` answers, `text_to_speech(...)` sounds; an exception in a script is raised in that place.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions

LOUD = 1000  # of 32768
RATE = 24_000


def tone(seconds: float, hz: float, rate: int = RATE, level: int = 8000) -> np.ndarray:
    """int16 mono samples of a sine, for a voice in a test."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.int16)


@dataclass(frozen=True)
class ToolCall:
    """A reply that calls a function."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


class ScriptedSTT(stt.STT):
    """Streaming; the n-th burst of sound is the n-th entry of `hears`, final after `silence` seconds of quiet.

    preflight: also send a preflight transcript, on which LiveKit generates preemptively, after a third of that.
    calls: the texts (or exceptions) used so far. An exception is raised when its burst begins.
    """

    def __init__(self, hears: Sequence[str | Exception], silence: float = 0.15, preflight: bool = False) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.hears = list(hears)
        self.silence = silence
        self.preflight = preflight
        self.calls: list[str | Exception] = []

    def next_text(self) -> str:
        """The next entry of the script; raises it if it is an exception."""
        entry = self.hears[len(self.calls)] if len(self.calls) < len(self.hears) else ""
        self.calls.append(entry)
        if isinstance(entry, Exception):
            raise entry
        return entry

    def stream(
        self, *, language: Any = None, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> _Hearing:
        return _Hearing(stt=self, conn_options=conn_options)

    async def _recognize_impl(self, buffer: Any, *, language: Any = None, conn_options: Any) -> stt.SpeechEvent:
        raise NotImplementedError("this model only streams")


class _Hearing(stt.RecognizeStream):
    _stt: ScriptedSTT

    async def _run(self) -> None:
        text, quiet, early = "", 0.0, False
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            loud = np.abs(np.frombuffer(frame.data, np.int16)).max(initial=0) > LOUD
            quiet = 0.0 if loud else quiet + frame.duration
            if loud and not text:
                text, early = self._stt.next_text() or "?", self._stt.preflight
                self._tell(stt.SpeechEventType.START_OF_SPEECH, "")
                self._tell(stt.SpeechEventType.INTERIM_TRANSCRIPT, text.split()[0])
            elif text and quiet >= self._stt.silence:
                self._tell(stt.SpeechEventType.FINAL_TRANSCRIPT, text)
                self._tell(stt.SpeechEventType.END_OF_SPEECH, "")
                text = ""
            elif text and early and quiet >= self._stt.silence / 3:
                self._tell(stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, text)
                early = False

    def _tell(self, kind: stt.SpeechEventType, text: str) -> None:
        said = [stt.SpeechData(language="en", text=text)] if text else []
        self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=said))


class ScriptedLLM(llm.LLM):
    """Answers the n-th request of the conversation (user message or function result) with the n-th reply.

    A request made again, as preemptive generation does, gets the same reply again. calls: the chat contexts seen.
    """

    def __init__(self, replies: Sequence[str | ToolCall | Exception], seconds_per_word: float = 0.01) -> None:
        super().__init__()
        self.replies = list(replies)
        self.seconds_per_word = seconds_per_word
        self.calls: list[llm.ChatContext] = []
        self.used: set[int] = set()

    def reply_to(self, chat_ctx: llm.ChatContext) -> str | ToolCall:
        """The scripted reply for this context; raises it if it is an exception."""
        roles = [item.role if item.type == "message" else item.type for item in chat_ctx.items]
        asked = [role for role in roles if role in ("user", "function_call_output")]
        index = min(max(len(asked) - 1, 0), len(self.replies) - 1)
        self.used.add(index)
        if isinstance(reply := self.replies[index], Exception):
            raise reply
        return reply

    def assert_complete(self) -> None:
        """Every reply of the script was asked for."""
        unused = set(range(len(self.replies))) - self.used
        assert not unused, f"never asked for: {[self.replies[index] for index in sorted(unused)]}"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> _Answering:
        self.calls.append(chat_ctx)
        return _Answering(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Answering(llm.LLMStream):
    _llm: ScriptedLLM

    async def _run(self) -> None:
        reply = self._llm.reply_to(self._chat_ctx)
        name = utils.shortuuid("reply_")
        if isinstance(reply, ToolCall):
            call = llm.FunctionToolCall(name=reply.name, arguments=json.dumps(reply.arguments), call_id=name)
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
            self._event_ch.send_nowait(llm.ChatChunk(id=name, delta=delta))
            return
        for word in reply.split():
            await asyncio.sleep(self._llm.seconds_per_word)
            delta = llm.ChoiceDelta(role="assistant", content=word + " ")
            self._event_ch.send_nowait(llm.ChatChunk(id=name, delta=delta))


class ScriptedTTS(tts.TTS):
    """A tone as long as the text (`seconds_per_word`); texts that contain a key of `fails` raise its exception."""

    def __init__(
        self, fails: dict[str, Exception] | None = None, seconds_per_word: float = 0.12, hz: float = 440
    ) -> None:
        spoken_at_once = tts.TTSCapabilities(streaming=False)
        super().__init__(capabilities=spoken_at_once, sample_rate=RATE, num_channels=1)
        self.fails = fails or {}
        self.seconds_per_word = seconds_per_word
        self.hz = hz
        self.calls: list[str] = []

    def samples(self, text: str) -> np.ndarray:
        """The sound of `text`."""
        return tone(self.seconds_per_word * len(text.split()), self.hz)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> _Sounding:
        self.calls.append(text)
        return _Sounding(tts=self, input_text=text, conn_options=conn_options)


class _Sounding(tts.ChunkedStream):
    _tts: ScriptedTTS

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        for key, error in self._tts.fails.items():
            if key in self._input_text:
                raise error
        output_emitter.initialize(
            request_id=utils.shortuuid("sound_"), sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(self._tts.samples(self._input_text).tobytes())
        output_emitter.flush()
