"""One model at a time, without a session: let a voice say something, a recogniser hear it, a language model answer.

Each takes a model string or LiveKit's own object, and asks it once, without retries, so that a refusal is seen as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, inference, llm, stt, tts
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT
from livekit.agents.utils import http_context

from lkcook import backend
from lkcook.audio.clip import Clip
from lkcook.errors import CallError
from lkcook.failures import message_of, remedy_for, server_words, stage_of
from lkcook.report.answers import Answer, Heard, Spoken, TimedWord
from lkcook.report.requests import Requests

# many models may be asked at once, and on this machine they wait for one another: longer than a call's 10 s
_ONCE = APIConnectOptions(max_retry=0, timeout=40.0)
_PACE = 2.0  # times real time: recognisers that stream cope with that
_HEARING_RATE = 16_000
_LATEST, _REST = 30.0, 8.0  # seconds without an event after all was sent: before, and behind, a final transcript
_BEFORE, _AFTER = 0.2, 1.0  # seconds of silence around what a recogniser hears
_FINAL, _INTERIM = stt.SpeechEventType.FINAL_TRANSCRIPT, stt.SpeechEventType.INTERIM_TRANSCRIPT


async def say(voice: str | tts.TTS, text: str) -> Spoken:
    """Let `voice` ("provider/model:voice", or a TTS object) say `text`. Raises CallError when it is refused."""
    model = inference.TTS.from_model_string(voice) if isinstance(voice, str) else voice
    parts, words, began, first = [], [], time.time(), 0.0
    async with _asking(model) as requests:
        async with model.synthesize(text, conn_options=_ONCE) as stream:
            async for event in stream:
                first = first or time.time()
                parts.append(np.frombuffer(event.frame.data, np.int16))
                words += event.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT) or []
        if not parts:
            raise CallError("text to speech", "the voice said nothing", "Give it words that can be pronounced.")
    timed = tuple(TimedWord(str(word).strip(), word.start_time, word.end_time) for word in words)
    return Spoken(text, Clip(np.concatenate(parts), model.sample_rate), (first - began) * 1000, timed, requests())


async def hear(recogniser: str | stt.STT, speech: Clip | Spoken) -> Heard:
    """Let `recogniser` ("provider/model:language", or an STT object) hear `speech`. Raises CallError."""
    model = inference.STT.from_model_string(recogniser) if isinstance(recogniser, str) else recogniser
    clip = speech.clip if isinstance(speech, Spoken) else speech
    silence = [np.zeros(int(seconds * _HEARING_RATE), np.int16) for seconds in (_BEFORE, _AFTER)]
    samples = np.concatenate([silence[0], clip.mono(_HEARING_RATE), silence[1]])
    async with _asking(model) as requests:
        if model.capabilities.streaming:
            events = await _stream(model, samples)
        else:
            events = [await model.recognize(_frame(samples), conn_options=_ONCE)]
    finals = [event.alternatives[0] for event in events if event.type is _FINAL and event.alternatives]
    words = [word for final in finals for word in final.words or []]
    return Heard(
        text=" ".join(final.text for final in finals),
        language=str(finals[-1].language) if finals else "",
        confidence=finals[-1].confidence if finals else 0.0,
        words=tuple(TimedWord(str(w), max(0.0, w.start_time - _BEFORE), w.end_time - _BEFORE) for w in words),
        interim=tuple(event.alternatives[0].text for event in events if event.type is _INTERIM),
        requests=requests(),
    )


async def ask(model: str | llm.LLM, question: str | llm.ChatContext, **options: Any) -> Answer:
    """Ask `model` ("provider/model", or an LLM object); `options` are those of LiveKit's `LLM.chat`. Raises CallError."""
    asked = inference.LLM.from_model_string(model) if isinstance(model, str) else model
    context = question
    if isinstance(question, str):
        context = llm.ChatContext.empty()
        context.add_message(role="user", content=question)
    text, calls, usage, began, first = "", [], None, time.time(), 0.0
    async with _asking(asked) as requests:
        async with asked.chat(chat_ctx=context, conn_options=_ONCE, **options) as stream:
            async for chunk in stream:
                if chunk.delta is not None:
                    first = first or time.time()
                    text += chunk.delta.content or ""
                    calls += [(call.name, call.arguments) for call in chunk.delta.tool_calls]
                usage = chunk.usage or usage
    return Answer(text, tuple(calls), (first - began) * 1000 if first else 0.0, usage, requests())


@contextlib.asynccontextmanager
async def _asking(model: Any) -> AsyncIterator[Callable[[], Requests]]:
    """LiveKit's HTTP session while the block runs; its errors become CallError. Gives what tells the requests."""
    since = time.time()
    async with http_context.open():
        try:
            with server_words() as words:
                yield lambda: Requests.of(backend.requests(since), since)
        except (APIError, ValueError) as error:
            message = message_of(error, words())
            raise CallError(stage_of(model), message, remedy_for(error, message, model)) from error
        finally:
            await model.aclose()


async def _stream(model: stt.STT, samples: np.ndarray) -> list[stt.SpeechEvent]:
    """All that it says; some keep their connection open when they have nothing more to say (OpenAI's realtime one)."""
    events, clock = [], asyncio.get_running_loop()
    async with model.stream(conn_options=_ONCE) as stream:
        sending = asyncio.create_task(_send(stream, samples))
        try:
            async with asyncio.timeout(None) as limit:

                def wait_on(sent: asyncio.Task[None] = sending) -> None:
                    if sent.done() and not sent.cancelled():
                        understood = any(event.type is _FINAL for event in events)
                        limit.reschedule(clock.time() + (_REST if understood else _LATEST))

                sending.add_done_callback(wait_on)
                async for event in stream:
                    events.append(event)
                    wait_on()
            return events
        except TimeoutError:
            return events
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(stream: stt.RecognizeStream, samples: np.ndarray) -> None:
    step, began = _HEARING_RATE // 50, time.monotonic()
    for i in range(0, len(samples) - step + 1, step):
        await asyncio.sleep(max(0.0, began + i / _HEARING_RATE / _PACE - time.monotonic()))
        stream.push_frame(_frame(samples[i : i + step]))
    stream.end_input()


def _frame(samples: np.ndarray) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples.tobytes(), _HEARING_RATE, 1, len(samples))
