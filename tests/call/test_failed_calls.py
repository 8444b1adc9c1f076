"""Red means red: whatever fails is raised with its stage and a remedy, and what was said is kept."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, APIConnectionError, APIStatusError

from lkcook.audio.clip import Clip
from lkcook.audio.listener import RecordedListener
from lkcook.call import last_call, talk
from lkcook.errors import CallError, CookError, DeviceError
from tests.call.conftest import CALLER_HZ, Beep, BeepingCaller
from tests.scripted_models import RATE, ScriptedTTS, tone

GONE = APIConnectionError("connection refused", retryable=False)
UNKNOWN = APIStatusError("not found", status_code=404, body={"error": {"message": "no model x/y; the nearest is x/z"}})


class HangingTTS(ScriptedTTS):
    """Synthesizes nothing, for ever."""

    def synthesize(self, text, *, conn_options=None):
        stream = super().synthesize(text)
        stream._run = lambda emitter: asyncio.Event().wait()
        return stream


async def failing(session, agent, lines, **options) -> CallError:
    with pytest.raises(CallError) as caught:
        await talk(session, agent, caller=BeepingCaller(lines), **options)
    assert caught.value.call is last_call() is not None
    return caught.value


async def test_a_failing_language_model_is_named_and_the_rest_of_the_call_is_kept(pipeline, agent):
    error = await failing(pipeline(["Hello.", "And?"], ["Good morning.", GONE]), agent, [0.4, 0.4])

    assert error.stage == "language model" and "connection refused" in error.cause
    assert "run the cell again" in error.remedy
    assert error.call.transcript.by("caller") == ["Hello.", "And?"]
    assert [text.strip() for text in error.call.transcript.by("agent")] == ["Good morning."]
    assert error.call.recording.samples.any(axis=0).all() and len(error.call.turns) == 1
    assert [failure.recoverable for failure in error.call.errors] == [False]


async def test_an_unknown_model_is_answered_with_the_servers_own_words(pipeline, agent):
    error = await failing(pipeline(replies=[UNKNOWN]), agent, [0.4])
    assert "the nearest is x/z" in str(error) and "model id" in error.remedy


async def test_a_failing_speech_to_text_model_is_named(pipeline, agent):
    error = await failing(pipeline(["Hello.", GONE]), agent, [0.4, 0.4])
    assert error.stage == "speech to text" and error.call.transcript.by("caller") == ["Hello."]


async def test_a_failing_text_to_speech_model_is_named(pipeline, agent):
    voice = ScriptedTTS(fails={"night": GONE})
    error = await failing(pipeline(["Hello.", "Bye."], ["Good morning.", "Good night."], voice), agent, [0.4, 0.4])

    assert error.stage == "text to speech"
    assert [text.strip() for text in error.call.transcript.by("agent")] == ["Good morning."]


async def test_wrong_keys_lead_to_the_keys(pipeline, agent):
    error = await failing(pipeline(replies=[APIStatusError("unauthorized", status_code=401)]), agent, [0.4])
    assert "LIVEKIT_API_KEY" in error.remedy


async def test_an_error_that_livekit_recovered_from_is_still_red(pipeline, agent):
    flaky = ScriptedTTS()
    first_time = iter([APIConnectionError("a hiccup")])
    sound = flaky.samples

    def samples(text):
        for error in first_time:
            raise error
        return sound(text)

    flaky.samples = samples
    error = await failing(pipeline(text_to_speech=flaky), agent, [0.4])
    assert error.stage == "text to speech" and error.call.errors[0].recoverable
    assert [text.strip() for text in error.call.transcript.by("agent")] == ["Good morning to you."]


async def test_an_exception_in_the_agents_own_code_is_raised(pipeline):
    class Broken(Agent):
        async def llm_node(self, *arguments):
            raise ValueError("the recipe is wrong")
            yield

    error = await failing(pipeline(), Broken(instructions="-"), [0.4])
    assert error.stage == "agent" and "the recipe is wrong" in error.cause


async def test_a_line_without_a_reply_is_raised_with_its_words(pipeline, agent):
    error = await failing(pipeline(text_to_speech=HangingTTS()), agent, [0.4], patience=0.5)
    assert error.stage == "reply" and '"beep 1"' in error.cause and "patience" in error.remedy
    assert error.call.transcript.by("caller") == ["Hello there."]


async def test_a_second_line_without_a_reply_is_raised_too(pipeline, agent):
    error = await failing(pipeline(["Hello."]), agent, [0.4, Beep(level=50)], patience=0.5)
    assert error.stage == "reply" and '"beep 2"' in error.cause


async def test_a_caller_whose_end_is_lost_in_noise_is_told_of_the_noise(pipeline, agent):
    street = Clip(tone(2.0, CALLER_HZ), RATE)
    error = await failing(pipeline(), agent, [0.4], patience=0.5, noise=(street, 0))
    assert error.stage == "reply" and "canceller" in error.remedy and "patience" not in error.remedy


async def test_an_agent_that_was_never_heard_is_red(pipeline, agent):
    error = await failing(pipeline(), agent, [])
    assert error.stage == "reply" and "never heard" in error.cause


async def test_a_broken_microphone_is_reported_as_it_is(pipeline, agent):
    caller = BeepingCaller([0.4])
    caller.failure = DeviceError("The microphone is gone.", "Plug it in.")
    with pytest.raises(DeviceError, match="gone"):
        await talk(pipeline(), agent, caller=caller)
    assert caller.closed and last_call().transcript.by("caller") == ["Hello there."]


async def test_a_speaker_that_is_lost_ends_the_call_of_a_caller_that_waits_for_the_agent(pipeline, agent):
    class Lost(RecordedListener):
        async def lost(self) -> None:
            await heard.wait()
            raise DeviceError("The speaker is gone.", "Plug it in.")

    caller, heard = BeepingCaller([0.4], hang_up=False), asyncio.Event()
    with pytest.raises(DeviceError, match="gone"):
        await talk(
            pipeline(),
            agent,
            caller=caller,
            listener=Lost(),
            on_event=lambda kind, _: heard.set() if kind == "agent" else None,
        )
    assert caller.closed and last_call().transcript.by("caller") == ["Hello there."]


async def test_a_device_that_cannot_be_closed_does_not_keep_the_rest_open(pipeline, agent):
    class Stuck(RecordedListener):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("busy")

    caller = BeepingCaller([0.4])
    with pytest.raises(CallError, match="busy") as caught:
        await talk(pipeline(), agent, caller=caller, listener=Stuck())
    assert caught.value.stage == "hang-up (listener)" and caller.closed


async def test_an_interrupted_cell_returns_the_call_and_releases_everything(pipeline, agent):
    caller = BeepingCaller([0.4], hang_up=False)
    heard = asyncio.Event()
    talking = asyncio.create_task(
        talk(pipeline(), agent, caller=caller, on_event=lambda kind, _: heard.set() if kind == "agent" else None)
    )
    await heard.wait()
    talking.cancel()
    call = await talking

    assert [u.who for u in call.transcript] == ["caller", "agent"] and caller.closed
    assert talking.cancelling() == 0 and call.ended_at is not None


async def test_an_interruption_in_mid_reply_keeps_what_was_heard_of_it(pipeline, agent):
    speaking = asyncio.Event()
    talking = asyncio.create_task(
        talk(
            pipeline(replies=["one two three four five six seven eight nine ten eleven twelve thirteen"]),
            agent,
            caller=BeepingCaller([0.4]),
            on_event=lambda kind, what: speaking.set() if what == ("agent", "speaking") else None,
        )
    )
    await speaking.wait()
    await asyncio.sleep(0.8)  # the agent speaks in real time
    talking.cancel()
    call = await talking

    assert call.transcript[-1].interrupted and "thirteen" not in call.transcript[-1].text


async def test_hanging_up_before_anything_was_said_is_no_error(pipeline, agent):
    listening = asyncio.Event()
    talking = asyncio.create_task(
        talk(pipeline(), agent, caller=BeepingCaller([], hang_up=False), on_event=lambda *_: listening.set())
    )
    await listening.wait()
    talking.cancel()
    assert not (await talking).transcript


async def test_an_interruption_during_the_start_leaves_nothing_behind(pipeline, agent):
    starting = asyncio.Event()

    class Announced(RecordedListener):
        async def start(self) -> None:
            await super().start()
            starting.set()

    caller = BeepingCaller([0.4])
    talking = asyncio.create_task(talk(pipeline(), agent, caller=caller, listener=Announced()))
    await starting.wait()
    talking.cancel()
    call = await talking
    assert not call.transcript and caller.closed


async def test_a_caller_that_cannot_get_ready_is_reported_as_it_is(pipeline, agent):
    class Voiceless(BeepingCaller):
        async def prepare(self) -> None:
            raise CookError("The caller has lost its voice.", "Give it tea.")

    caller = Voiceless([0.4])
    with pytest.raises(CookError, match="voice"):
        await talk(pipeline(), agent, caller=caller)
    assert caller.closed


async def test_a_second_interruption_does_not_wait_and_still_releases(pipeline, agent):
    released, closing = asyncio.Event(), asyncio.Event()

    class Slow(BeepingCaller):
        async def aclose(self) -> None:
            closing.set()
            await asyncio.sleep(0.2)
            await super().aclose()
            released.set()

    listening = asyncio.Event()
    caller = Slow([], hang_up=False)
    talking = asyncio.create_task(talk(pipeline(), agent, caller=caller, on_event=lambda *_: listening.set()))
    await listening.wait()
    talking.cancel()
    await closing.wait()
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    await released.wait()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    assert caller.closed


async def test_an_agent_that_cannot_start_is_reported_as_it_is(pipeline):
    with pytest.raises(AttributeError):
        await talk(pipeline(), object(), caller=BeepingCaller([0.4]))
    assert last_call() is not None


async def test_a_barge_in_that_livekit_ignores_is_explained(pipeline, agent):
    session = pipeline(["Tell me.", "Stop."], ["one two three four five six seven eight"], aec_warmup_duration=3.0)
    caller = BeepingCaller([0.4, Beep(0.3, barge_in=0.2)])
    with pytest.raises(CallError) as caught:
        await talk(session, agent, caller=caller, patience=0.6)
    assert "aec_warmup_duration" in caught.value.remedy


def test_a_script_is_needed_when_nobody_is_there(monkeypatch):
    from lkcook.parties import choose_caller

    monkeypatch.setenv("LKCOOK_CALLER", "script")
    with pytest.raises(CookError, match="script="):
        choose_caller(None)
