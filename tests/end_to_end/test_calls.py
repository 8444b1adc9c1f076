"""A caller speaks, LiveKit's session listens and answers, and what was heard is compared with what was said."""

from __future__ import annotations

import numpy as np
import pytest
from livekit.agents import Agent, function_tool, inference

from lkcook import Line, failing, median_pitch, talk
from lkcook.audio.caller import ClipCaller
from lkcook.audio.clip import Clip
from lkcook.terminal import ava, new_session
from tests.end_to_end.conftest import words_in
from tests.speech import LIBRIVOX, human, word_error_rate

LECTURER = Agent(instructions="You are a professor of cooking. Answer every question with a lecture of eighty words.")


async def test_a_conversation_is_understood_answered_and_heard() -> None:
    lines = ["What are your opening hours?", "Do you serve Italian food?"]
    call = await talk(new_session(), ava(), lines, caller="script")

    assert word_error_rate(lines, call.transcript.by("caller")) == 0
    greeting, hours, food = call.transcript.by("agent")
    assert "11" in hours and "10" in hours and food.lower().startswith("yes")
    heard = words_in(call.recording.channel("agent"))
    before, _, after = heard.partition("11")  # the times apart: Whisper writes "11-10pm"
    assert "10" in after, heard
    after = after[after.lower().index("yes") :]
    spoken = f"{greeting} {hours.partition('11')[0]} {food}"
    assert word_error_rate(spoken, f"{before} {after}") <= 0.10, heard
    assert word_error_rate(" ".join(lines), words_in(call.recording.channel("caller"))) <= 0.10
    assert not call.errors and not any(turn.cut_off for turn in call.turns)


async def test_every_stage_of_a_turn_is_measured_and_in_order() -> None:
    call = await talk(new_session(), ava(), ["What are your opening hours?"], caller="script")
    (turn,) = call.turns
    assert 0 < turn.final_transcript < turn.turn_commit <= turn.first_sample
    assert turn.first_token < turn.first_audio_byte <= turn.first_sample
    left, right = np.abs(call.recording.samples.astype(int)).T
    start = round((turn.last_syllable + turn.first_sample / 1000) * call.recording.sample_rate)
    quiet = slice(start - 4800, start - 480)  # between the caller's last syllable and the agent's first sound
    assert left[quiet].max() < 328 > right[quiet].max()
    assert right[start : start + 4800].max() > 328


async def test_a_human_voice_is_understood_in_a_call() -> None:
    said = dict(zip(sorted(path.stem for path in LIBRIVOX.glob("*.wav")), human(), strict=True))["0870"][1]
    call = await talk(new_session(), ava(), caller=ClipCaller(Clip.read(LIBRIVOX / "0870.wav")))
    assert word_error_rate(said, " ".join(call.transcript.by("caller"))) <= 0.10


async def test_callers_who_pause_in_mid_sentence_are_heard_out() -> None:
    lines = [
        Line("At seven o'clock", 0.26, "tonight, please."),
        Line("My name is", 0.5, "Maria Lopez."),
        Line("I would like a table", 0.6, "by the window."),
    ]
    call = await talk(new_session(), ava(), lines, caller="script")
    assert [turn.cut_off for turn in call.turns] == [False, False, False]


async def test_an_interrupted_agent_stops_and_keeps_only_what_was_heard() -> None:
    session = new_session(aec_warmup_duration=None)
    lines = ["Tell me about Italian food.", Line("Stop, thank you, that is enough.", barge_in=2)]
    call = await talk(session, LECTURER, lines, caller="script")
    lecture = next(said for said in call.transcript if said.who == "agent")
    interruption = call.caller.spoken[1]

    assert lecture.interrupted and len(lecture.text.split()) < 30
    assert lecture.ended_at + call.started_at < interruption.ended_at
    spoken = call.recording.channel("agent")
    until = round(lecture.ended_at * spoken.sample_rate) + 2400
    heard = words_in(Clip(spoken.samples[:until], spoken.sample_rate))
    assert abs(len(heard.split()) - len(lecture.text.split())) <= 3, (heard, lecture.text)


async def test_a_function_is_called_by_voice_and_its_result_is_told() -> None:
    bookings: list[tuple[int, str]] = []

    class BookingAva(type(ava())):  # type: ignore[misc]
        @function_tool
        async def book_table(self, people: int, time: str) -> str:
            """Book a table as soon as you know for how many people and at what time."""
            bookings.append((people, time))
            return f"Booked for {people} people at {time}."

    line = "Please book a table for four people at eight o'clock."
    call = await talk(new_session(), BookingAva(), [line], caller="script")
    (turn,) = call.turns
    assert turn.tools == ("book_table",) and bookings[0][0] == 4 and "8" in bookings[0][1]
    assert not set("{}<>`") & set(" ".join(call.transcript.by("agent"))), call.transcript


@pytest.mark.parametrize("name", ["nova-3:multi", "nova-2:en", "flux-general:en"])
async def test_other_names_of_the_reference_are_answered_too(name: str) -> None:
    session = new_session(stt=f"deepgram/{name}", tts="rime/mist")
    call = await talk(session, ava(), ["What are your opening hours?"], caller="script")
    assert "10" in call.transcript.by("agent")[-1]


async def test_a_spanish_caller_is_understood_and_answered_in_spanish() -> None:
    clerk = Agent(instructions="Responde siempre en español, en una sola frase corta.")
    session = new_session(stt="auto:es", tts="cartesia/sonic-3:5c5ad5e7-1020-476b-8b91-fdcbe9cc313c")
    line = Line("¿Cuál es la capital de España?", language="es")
    call = await talk(session, clerk, [line], caller="script")
    assert word_error_rate(line.text, call.transcript.by("caller")[0]) <= 0.34
    assert "Madrid" in call.transcript.by("agent")[0]
    assert "madrid" in words_in(call.recording.channel("agent"), language="es").lower()


async def test_fallbacks_answer_in_a_call_and_the_transcript_says_so() -> None:
    session = new_session(
        stt=inference.STT("deepgram/nova-3", language="en", fallback=["assemblyai/universal-streaming:en"]),
        tts=inference.TTS("cartesia/sonic-3", fallback=["deepgram/aura-2:apollo"]),
    )
    with failing("deepgram/nova-3", "cartesia/sonic-3"):
        call = await talk(session, ava(), ["What are your opening hours?"], caller="script")
    assert set(call.transcript.by("backend")) == {
        "deepgram/nova-3 fails; assemblyai/universal-streaming answers",
        "cartesia/sonic-3 fails; deepgram/aura-2 answers",
    }
    assert "10" in call.transcript.by("agent")[-1] and not call.errors
    assert median_pitch(call.recording.channel("agent")) < 150, "Apollo, not Jacqueline"


async def test_keyterms_of_a_session_are_heard_in_a_call() -> None:
    keyterms = {"keyterm": ["Siobhan"]}  # without it, "Siamban" is heard
    session = new_session(stt=inference.STT("deepgram/nova-3", language="en", extra_kwargs=keyterms))
    call = await talk(session, ava(), ["Please book a table for Siobhan."], caller="script")
    assert "Siobhan" in call.transcript.by("caller")[0]
    assert call.requests.to("speech to text")[0].message["settings"]["extra"] == keyterms
