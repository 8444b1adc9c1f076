"""What is said in the recordings of turns, by whom, and where the pauses are."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PAUSE = re.compile(r"\|\s*([\d.]+)\s*\|")


@dataclass(frozen=True)
class Script:
    """written: words, and "|0.8|" for 0.8 s of silence between two. voice: of this machine, a LibriVox utterance's
    number, or "hum 25", a sound without words of bench/noises.py and its seed; skipped: the words at its beginning that are left out. noise: "", "pink" or "babble",
    and by how many decibels the voice is louder."""

    name: str
    kind: str
    voice: str
    written: str
    language: str = "en"
    noise: str = ""
    decibels: float = 10.0
    skipped: str = ""

    @property
    def text(self) -> str:
        """Without the pauses."""
        return " ".join(_PAUSE.sub(" ", self.written).split())

    @property
    def grouped(self) -> bool:
        """Spoken group by group: where digits and an "um" end within a sentence cannot be told."""
        return self.kind in (UM, NUMBER)

    @property
    def groups(self) -> list[str]:
        """What is said between the pauses."""
        return [" ".join(part.split()) for part in _PAUSE.split(self.written)[::2]]

    @property
    def pauses(self) -> list[tuple[int, float]]:
        """(number of the word behind it, seconds) of each pause."""
        parts, found, words = _PAUSE.split(self.written), [], 0
        for text, seconds in zip(parts[::2], parts[1::2]):
            words += len(text.split())
            found.append((words, float(seconds)))
        return found


# what the other guests say, all at once
BABBLE = ("bella", "michael", "isabella", "george", "alloy", "fenrir")
BABBLE_SAYS = "We waited for an hour, then the waiter came, and we ordered soup, bread, wine and the fish of the day."

MID, UM, NUMBER, SHORT = "pause in mid-sentence", "trailing um", "spelled number", "short answer"
WHOLE, BACK, COUGH, SPANISH, NOISE, HUMAN = "complete sentence", "back-channel", "cough", "Spanish", "noise", "human"

SCRIPTS = (
    Script("table-by-the-window", MID, "bella", "I would like a table |0.5| by the window, please."),
    Script("appointment-tomorrow", MID, "michael", "I need an appointment |0.8| tomorrow afternoon."),
    Script("car-park", MID, "heart", "Is there a car park |1.0| near the clinic?"),
    Script("at-seven-or-eight", MID, "george", "We would come at seven |1.2| or maybe a little later."),
    Script("could-you-tell-me", MID, "jessica", "Could you tell me |1.5| whether you have vegetarian food?"),
    Script(
        "two-pauses",
        MID,
        "fenrir",
        "My daughter has a fever |0.7| and I wanted to ask |0.9| if the doctor can see her.",
    ),
    Script("um-four-people", UM, "alloy", "Can I get a table for, um, |1.0| four people?"),
    Script("um-doctor-lopez", UM, "caller", "I have an appointment with, um, |0.8| Doctor Lopez."),
    Script("phone-number", NUMBER, "sky", "Five five five, |0.6| zero one, |0.8| four two, |0.7| nine six."),
    Script("insurance-number", NUMBER, "isabella", "It is seven three, |0.9| eight eight, |0.7| one four."),
    Script("yes", SHORT, "bella", "Yes."),
    Script("seven-people", SHORT, "caller", "Seven people."),
    Script("no-thanks", SHORT, "george", "No, thanks."),
    Script("opening-hours", WHOLE, "heart", "What are your opening hours?"),
    Script("cancel-my-table", WHOLE, "michael", "I have to cancel my table for tonight."),
    Script("um-hum", BACK, "jessica", "Um hum."),
    Script("uh-huh", BACK, "fenrir", "Uh-huh."),
    Script("mm-hmm", BACK, "hum 49", ""),  # which a VAD takes for speech, and in which no recogniser finds words
    Script("cough", COUGH, "cough 1", ""),
    Script("una-mesa", SPANISH, "dora", "Quisiera reservar una mesa |0.8| para cuatro personas.", "es"),
    Script("me-duele", SPANISH, "alex", "Me duele la espalda |1.1| desde hace una semana.", "es"),
    Script("a-que-hora", SPANISH, "dora", "¿A qué hora cierran hoy?", "es"),
    Script("vegetarian-pink", NOISE, "sky", "Do you have |0.9| vegetarian food?", noise="pink"),
    Script(
        "high-chair-babble",
        NOISE,
        "alloy",
        "We have a small child |0.8| and need a high chair.",
        noise="babble",
        decibels=16,
    ),
    Script("tomorrow-babble", NOISE, "michael", "Can I come in tomorrow morning?", noise="babble"),
    Script("human-ill-disposed", HUMAN, "0880", "he was not |0.8| an ill disposed young man"),
    Script(
        "human-selfish",
        HUMAN,
        "0890",
        "and rather selfish is to be |1.0| ill disposed",
        skipped="unless to be rather cold hearted",
    ),
    Script(
        "human-respectable",
        HUMAN,
        "0920",
        "he might have been made |1.2| still more respectable than he was",
        skipped="had he married a more amiable woman",
    ),
    Script("human-amiable", HUMAN, "0930", "he might even have been made |0.6| amiable himself"),
    Script(
        "human-in-one-go",
        HUMAN,
        "0870",
        "how much there might be prudently in his power to do for them",
        skipped="and mister john dashwood had then leisure to consider",
    ),
)
