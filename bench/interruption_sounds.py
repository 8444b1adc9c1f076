"""What the interruption model learns from and is measured on: words in the voices of this machine, and other sounds.

Everything is made here, the same each time, but for five utterances of a person who reads (tests/data/librivox). A
`Sound` starts with its first audible sample; `windows` sets it into a room, as a caller's microphone would hear it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.noises import NOISES, band, cough, hum
from lkcook import pcm
from lkcook.engines.prosody import Prosody
from lkcook.engines.speech_to_text import SAMPLE_RATE
from lkcook.engines.voices import VOICES
from tests.speech import human, voice

CUTS = (0.2, 0.3, 0.4, 0.6, 0.8, 1.2)  # seconds after the onset: the decision is made while the word is still spoken
BEFORE = 1.0  # seconds that LiveKit sends of what was before the onset
LONGEST = 1.6  # seconds kept of a sound
BACKCHANNELS = (
    "Mm-hmm.|Mhm.|Mmm.|Hmm.|Uh-huh.|Uh huh, uh huh.|Huh.|Yeah.|Yeah, yeah.|Yep.|Yup.|Yes.|Okay.|Okay, okay.|Right.|"
    "Right, right.|All right.|Sure.|I see.|Oh.|Ah.|Aha.|Oh, okay.|Oh, I see.|Got it.|Cool.|Nice.|Great.|Wow.|"
    "Oh really.|Exactly.|Of course.|True.|Good.|Fine.|Ha ha ha.|Um.|Uh."
).split("|")
INTERRUPTIONS = (
    "Stop.|Stop, please.|Stop it.|Wait.|Wait a moment.|Wait, wait.|Hold on.|Hang on a second.|No.|No, no, no.|"
    "No, I meant Tuesday.|Actually, make it three.|Sorry, I have a question.|Excuse me.|"
    "Excuse me, can I ask something?|But what about the price?|Can you repeat that?|What did you say?|What?|"
    "Sorry, what?|How much is it?|"
    "Let me stop you there.|That's not what I asked.|That's wrong.|I don't want that.|I need to change my booking.|"
    "One moment.|One second, please.|Just a minute.|Never mind.|Cancel that.|Forget it.|Please be quiet.|Quiet.|"
    "Enough.|Can I speak to a person?|Who are you?|Where are you located?|When do you open?|Why is that?|"
    "Is there parking?|Do you have vegetarian food?|My name is Maria.|Could you slow down?|Tell me about the menu.|"
    "Table for two.|Tomorrow at seven.|Give me the phone number.|Goodbye.|Thank you, goodbye.|Hello?|Hey.|"
    "Hey, listen.|Listen.|You already said that.|It's for four people.|We want to sit outside.|They come at eight.|"
    "Are you a robot?|Go back.|Next question.|Skip that.|Repeat.|Pause.|Change it to Friday.|Not Monday, Sunday.|"
    "Seven o'clock, not eight.|Please stop talking.|Too expensive.|Book the first one.|Send me an email."
).split("|")
MIXED = (
    "Yes, but I meant tomorrow.|Yeah, but how much is it?|Okay, stop.|Okay, but what about dessert?|"
    "Right, but I need a table.|Oh, wait a moment.|Yeah, no, cancel that.|Mm, no, not that one."
).split("|")  # a back-channel that turns into an interruption: counted as one from 0.8 s on, and before that not at all
TURNING = 0.8
HELD_OUT_WORDS = (
    "Yup.|Oh, okay.|Aha.|Okay, okay.|Uh huh, uh huh.|Mhm.|Right, right.|Fine.|"
    "Hold on.|Wait, wait.|No, I meant Tuesday.|Excuse me, can I ask something?|What did you say?|That's wrong.|"
    "Forget it.|Could you slow down?|Hello?|Listen.|We want to sit outside.|Skip that.|Not Monday, Sunday.|Stop it.|"
    "Do you have vegetarian food?|When do you open?|Please be quiet.|One second, please.|Okay, stop."
).split("|")
HELD_OUT_VOICES = ("caller", "jessica", "george", "held out")
SPEAKERS = [name for name, who in VOICES.items() if who.language == "en"]


@dataclass(frozen=True)
class Sound:
    """float32 16 kHz samples from the onset on. who: the voice.

    kind: "interruption", "mixed", "backchannel", "cough", "noise" or "person".
    """

    kind: str
    what: str
    who: str
    samples: np.ndarray

    @property
    def interrupts(self) -> bool:
        return self.kind in ("interruption", "mixed", "person")

    @property
    def new_word(self) -> bool:
        """Not learned from, when the rest is measured by it. Of the five utterances, the last two."""
        return self.what in HELD_OUT_WORDS or (self.kind == "person" and self.what[0] in "34")

    @property
    def new_voice(self) -> bool:
        return self.who in HELD_OUT_VOICES

    @property
    def held_out(self) -> bool:
        return self.new_word or self.new_voice


def from_onset(samples: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1][: int(LONGEST * SAMPLE_RATE)]


def spoken(speakers: list[str]) -> Iterator[Sound]:
    """Every phrase by the fast voices, in several ways; by the slow ones every back-channel and a third of the rest."""
    for who in speakers:
        for kind, phrases in (("backchannel", BACKCHANNELS), ("interruption", INTERRUPTIONS), ("mixed", MIXED)):
            for number, what in enumerate(phrases):
                for prosody in _ways(who, kind, number):
                    samples = voice().synthesize(what, voice=who, prosody=prosody)
                    yield Sound(kind, what, who, from_onset(pcm.to_float(pcm.resample(samples, 24_000, SAMPLE_RATE))))


def _ways(who: str, kind: str, number: int) -> list[Prosody]:
    if VOICES[who].engine == "kokoro":
        return [Prosody()] if kind == "backchannel" or number % 3 == SPEAKERS.index(who) % 3 else []
    ways = [Prosody(), Prosody(speed=1.2, pitch=1.12), Prosody(speed=0.85, pitch_range=1.6)]
    more = [Prosody(pitch=0.9, pitch_range=0.5), Prosody(speed=0.8, pitch=1.1)]
    return ways + more if kind == "backchannel" else ways


def people(rng: np.random.Generator, count: int) -> Iterator[Sound]:
    """A person who reads, from anywhere behind a short pause on."""
    for number, (samples, _) in enumerate(human()):
        sound = pcm.to_float(samples)
        level = np.convolve(np.abs(sound), np.ones(800) / 800, "same") > 0.02
        starts = np.flatnonzero(level[1:] & ~level[:-1])
        for at in rng.choice(starts, min(count, len(starts)), replace=False):
            yield Sound("person", f"{number}/{at}", "librivox", from_onset(sound[at : at + int(LONGEST * SAMPLE_RATE)]))


def others(rng: np.random.Generator, coughs: int, each: int, talk: list[Sound], who: str) -> Iterator[Sound]:
    """Coughs, noises, and many people at once somewhere behind."""
    for _ in range(coughs):
        yield Sound("cough", "cough", who, from_onset(cough(rng)))
    for _ in range(coughs):
        yield Sound("backchannel", "hum", who, from_onset(hum(rng)))
    for make in NOISES:
        for _ in range(each):
            yield Sound("noise", make.__name__, who, from_onset(make(rng)))
    for _ in range(each):
        crowd = np.zeros(int(LONGEST * SAMPLE_RATE))
        for member in rng.choice(len(talk), 12):
            part = np.resize(talk[member].samples, len(crowd))
            crowd += np.roll(part, rng.integers(len(crowd)))
        yield Sound("noise", "babble", who, from_onset(crowd))


def windows(sound: Sound, rng: np.random.Generator) -> Iterator[tuple[float, np.ndarray]]:
    """(seconds since the onset, float32 16 kHz) of `sound` in some room, at each moment at which it may be judged.

    Spoken by another throat, in another tempo, into another microphone.
    """
    length = int(len(sound.samples) / rng.uniform(0.78, 1.25))
    places = np.linspace(0, len(sound.samples) - 1, length)
    samples = np.interp(places, np.arange(len(sound.samples)), sound.samples)
    spectrum = np.fft.rfft(samples)
    octaves = np.log2(np.linspace(20, SAMPLE_RATE / 2, len(spectrum)) / 1000)
    samples = np.fft.irfft(spectrum * 10 ** (rng.uniform(-4, 4) * octaves / 20), length)
    if rng.random() < 0.3:
        samples = band(samples, 250, 3600)  # a telephone
    samples = samples * rng.uniform(0.05, 0.6) / (np.abs(samples).max() + 1e-9)
    count = int((BEFORE + LONGEST) * SAMPLE_RATE)
    room = np.fft.rfft(rng.normal(size=count))
    room = np.fft.irfft(room / np.arange(1, len(room) + 1) ** rng.choice([0, 0.5]), count)
    room *= 10 ** (rng.uniform(-80, -45) / 20) / room.std()
    start = int(BEFORE * SAMPLE_RATE)
    room[start : start + len(samples)] += samples[: len(room) - start]
    for cut in CUTS:
        if cut <= len(samples) / SAMPLE_RATE + 0.3 and not (sound.kind == "mixed" and cut < TURNING):
            yield cut, room[: start + int(cut * SAMPLE_RATE)].astype(np.float32)
