"""The gateway through LiveKit's own clients: what a notebook's session really does."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import APIError, APIStatusError, function_tool, inference, llm, stt

from tests.once import ONCE
from tests.speech import human, say, word_error_rate

pytestmark = pytest.mark.usefixtures("livekit_http")


async def _hear(samples: np.ndarray, rate: int = 16_000, pace: float = 1.0) -> list[stt.SpeechEvent]:
    """Everything that `inference.STT` reports for `samples`, sent in 20 ms frames at `pace` × real time."""
    client = inference.STT(model="deepgram/nova-3", language="en")
    stream = client.stream(conn_options=ONCE)
    events: list[stt.SpeechEvent] = []

    async def send() -> None:
        step = rate // 50
        audio = np.concatenate([samples, np.zeros(rate, np.int16)])
        began = time.monotonic()
        for i in range(0, len(audio) - step + 1, step):
            await asyncio.sleep(max(0.0, began + i / rate / pace - time.monotonic()))
            stream.push_frame(rtc.AudioFrame(audio[i : i + step].tobytes(), rate, 1, step))
        stream.end_input()

    sending = asyncio.create_task(send())
    async for event in stream:
        events.append(event)
    await sending
    await stream.aclose()
    return events


def _finals(events: list[stt.SpeechEvent]) -> str:
    final = stt.SpeechEventType.FINAL_TRANSCRIPT
    return " ".join(e.alternatives[0].text for e in events if e.type is final)


async def test_human_speech_is_understood() -> None:
    heard = [_finals(await _hear(samples, pace=2.0)) for samples, _ in human()]
    said = [text for _, text in human()]
    assert word_error_rate(said, heard) <= 0.10, heard


async def test_interim_and_preflight_transcripts_come_before_the_final_one() -> None:
    sentence = say("I would like to book a table for four people tomorrow evening.")
    for pace in (1.0, 0.5, 0.2):  # a busy machine needs a longer pause to have decoded what was said before it
        kinds = [event.type for event in await _hear(sentence, pace=pace)]
        final = kinds.index(stt.SpeechEventType.FINAL_TRANSCRIPT)
        assert kinds[0] is stt.SpeechEventType.START_OF_SPEECH
        assert stt.SpeechEventType.INTERIM_TRANSCRIPT in kinds[:final]
        assert kinds.count(stt.SpeechEventType.FINAL_TRANSCRIPT) == 1
        if stt.SpeechEventType.PREFLIGHT_TRANSCRIPT in kinds[:final]:
            return
    raise AssertionError("no preflight transcript at any pace")


async def test_word_timings_lie_within_the_utterance_and_in_order() -> None:
    events = await _hear(np.concatenate([np.zeros(16_000, np.int16), say("Can I book a table for two?")]))
    final = next(e for e in events if e.type is stt.SpeechEventType.FINAL_TRANSCRIPT).alternatives[0]
    starts = [word.start_time for word in final.words]
    assert len(starts) == 7 and starts == sorted(starts)
    assert 0.5 < final.start_time <= starts[0] + 0.01 and final.words[-1].end_time < 4.0


async def test_48_khz_microphones_are_understood() -> None:
    events = await _hear(say("What are your opening hours?", rate=48_000), rate=48_000)
    assert word_error_rate("what are your opening hours", _finals(events)) == 0


async def test_silence_and_noise_are_not_transcribed() -> None:
    noise = np.random.default_rng(0).normal(0, 300, 48_000).astype(np.int16)
    assert _finals(await _hear(noise, pace=4.0)) == ""


async def _chat(messages: list[tuple[str, str]], **options: object) -> tuple[str, llm.CompletionUsage | None, list]:
    client = inference.LLM(model="openai/gpt-4.1-mini", extra_kwargs=options.pop("extra", {}))  # type: ignore[arg-type]
    context = llm.ChatContext()
    for role, content in messages:
        context.add_message(role=role, content=content)  # type: ignore[arg-type]
    text, usage, calls = "", None, []
    async with client.chat(chat_ctx=context, conn_options=ONCE, **options) as stream:  # type: ignore[arg-type]
        async for chunk in stream:
            text += (chunk.delta and chunk.delta.content) or ""
            calls += (chunk.delta and chunk.delta.tool_calls) or []
            usage = chunk.usage or usage
    return text, usage, calls


async def test_the_language_model_answers_and_counts_its_tokens() -> None:
    text, usage, _ = await _chat([("user", "What is the capital of France? One word.")])
    assert "Paris" in text
    assert usage is not None and usage.prompt_tokens > 5 and usage.completion_tokens >= 1


async def test_the_same_seed_gives_the_same_words_and_another_seed_others() -> None:
    question = [("user", "Invent a strange name for a pizza.")]
    def sampled(seed: int) -> dict[str, object]:
        return {"temperature": 1.5, "seed": seed, "max_completion_tokens": 16}

    (first, *_), (again, *_), (other, *_) = [
        await _chat(question, extra=sampled(seed)) for seed in (7, 7, 8)
    ]
    assert first == again != other


async def test_a_tool_is_called_with_arguments_that_fit_and_its_result_is_told() -> None:
    @function_tool
    async def book_table(people: int, hour: str) -> str:
        """Book a table.

        Args:
            people: how many guests
            hour: when they come
        """
        return "booked"

    order = [("user", "Book a table for four people at eight.")]
    text, _, calls = await _chat(order, tools=[book_table])
    assert [call.name for call in calls] == ["book_table"] and text == ""
    assert '"people": 4' in calls[0].arguments

    context = llm.ChatContext()
    context.add_message(role="user", content=order[0][1])
    context.insert(llm.FunctionCall(call_id="c1", name="book_table", arguments=calls[0].arguments))
    context.insert(llm.FunctionCallOutput(call_id="c1", name="book_table", output="booked", is_error=False))
    async with inference.LLM(model="openai/gpt-4.1-mini").chat(
        chat_ctx=context, tools=[book_table], conn_options=ONCE
    ) as stream:
        chunks = [chunk async for chunk in stream]
    said = "".join((c.delta and c.delta.content) or "" for c in chunks)
    assert said.strip() and not any(c.delta and c.delta.tool_calls for c in chunks)


async def test_speech_comes_back_in_words_that_can_be_understood() -> None:
    client = inference.TTS(model="cartesia/sonic-3", voice="9626c31c-bec5-4cca-baa8-f8ba9e84c8bc")
    spoken = "Your table for two is booked. We look forward to seeing you tonight."
    stream = client.stream(conn_options=ONCE)
    stream.push_text(spoken)
    stream.end_input()
    frames = [event.frame async for event in stream]
    await stream.aclose()
    await client.aclose()
    audio = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])
    assert {frame.sample_rate for frame in frames} == {24_000}
    events = await _hear(audio, rate=24_000, pace=2.0)
    assert word_error_rate(spoken, _finals(events)) <= 0.10


async def test_one_connection_speaks_many_utterances() -> None:
    client = inference.TTS(model="cartesia/sonic-3")
    lengths = []
    for text in ("One.", "Two and three.", "Four, five, six and seven."):
        stream = client.stream(conn_options=ONCE)
        stream.push_text(text)
        stream.end_input()
        lengths.append(sum([event.frame.duration async for event in stream]))
        await stream.aclose()
    await client.aclose()
    assert lengths == sorted(lengths) and lengths[0] > 0.2


@pytest.mark.parametrize("model", ["cartesia/ink", "deepgram/nova-9000"])
async def test_an_unknown_recogniser_reaches_the_client_as_an_error(model: str) -> None:
    stream = inference.STT(model=model).stream(conn_options=ONCE)
    stream.push_frame(rtc.AudioFrame(bytes(640), 16_000, 1, 320))
    with pytest.raises(APIError):
        async for _ in stream:
            continue
    await stream.aclose()


async def test_an_unknown_language_model_reaches_the_client_with_the_nearest_name() -> None:
    context = llm.ChatContext()
    context.add_message(role="user", content="Hello")
    client = inference.LLM(model="openai/gpt-4.1-mimi")
    with pytest.raises(APIStatusError, match="openai/gpt-4.1-mini"):
        async with client.chat(chat_ctx=context, conn_options=ONCE) as stream:
            async for _ in stream:
                continue


async def test_hanging_up_in_mid_reply_frees_the_model_for_the_next_call() -> None:
    async def answered_in() -> float:
        began = time.monotonic()
        await _chat([("user", "Say yes.")])
        return time.monotonic() - began

    context = llm.ChatContext()
    context.add_message(role="user", content="Count from one to two hundred, in words.")
    client = inference.LLM(model="openai/gpt-4.1-mini")
    arrivals = []
    async with client.chat(chat_ctx=context, conn_options=ONCE) as stream:
        async for _ in stream:
            arrivals.append(time.monotonic())
            if len(arrivals) == 20:
                break
    after_hanging_up, undisturbed = await answered_in(), await answered_in()
    seconds_per_token = (arrivals[-1] - arrivals[0]) / (len(arrivals) - 1)
    rest_of_the_count = 400 * seconds_per_token
    assert after_hanging_up - undisturbed < rest_of_the_count / 4
