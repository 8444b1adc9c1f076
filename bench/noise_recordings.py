"""Makes the recordings that stand behind a caller (lkcook/noise/data), the same ones each time.

    python -m bench.noise_recordings

A crowd of six voices of this machine, each with words of its own, and one more voice that talks by itself. None of
the sentences is among the recorded turns.
"""

from __future__ import annotations

import numpy as np

from bench.turn_recordings import written
from lkcook import pcm
from lkcook.engines.text_to_speech import SAMPLE_RATE, TextToSpeech
from lkcook.noise.mixing import rms
from lkcook.noise.scenes import FOLDER
from lkcook.noise.sounds import LEVEL

SECONDS = 12.0
CROWD = {
    "bella": "We waited for an hour, then the waiter came, and we ordered soup, bread, wine and the fish of the day. "
    "My sister wanted the chocolate cake, but there was none left, so she took the cheese instead.",
    "michael": "The train was late again this morning, so I missed the meeting and had to call them from the platform. "
    "They said it could wait until Monday, which was kind of them.",
    "isabella": "Have you seen the new exhibition at the museum? There is a whole room with nothing but small blue "
    "boats, and every one of them was painted in a single afternoon.",
    "george": "I planted tomatoes in April, and the beans a little later, but it has rained so much that the snails "
    "have eaten nearly everything except the onions.",
    "alloy": "He called me yesterday from the airport and told me that his suitcase had gone to another country, with "
    "his keys, his charger and all of his shirts.",
    "fenrir": "They scored twice in the last five minutes, and nobody in the whole stadium could believe it. People "
    "were singing in the streets until three in the morning.",
}
SECOND = (
    "sky",
    "So I told her the green curtains would look better in the kitchen, and she laughed. Then we drove to the lake, "
    "but the water was far too cold, so we walked around it and fed the ducks. On the way back we bought apples, a "
    "lamp and two chairs from a man who was moving to Norway.",
)


def spoken(voice: TextToSpeech, name: str, text: str) -> np.ndarray:
    """float64, `SECONDS` long, again from the beginning where the text is too short; RMS `LEVEL`."""
    samples = np.resize(pcm.to_float(voice.synthesize(text, voice=name)).astype(float), int(SECONDS * SAMPLE_RATE))
    return samples / rms(samples) * LEVEL


def main() -> None:
    """Make both."""
    voice = TextToSpeech(threads=1)
    FOLDER.mkdir(exist_ok=True)
    guests = [np.roll(spoken(voice, name, text), i * 9000) for i, (name, text) in enumerate(CROWD.items())]
    crowd = np.sum(guests, axis=0)
    for name, samples in {"crowd": crowd / rms(crowd) * LEVEL, "second-talker": spoken(voice, *SECOND)}.items():
        written(FOLDER / f"{name}.flac", pcm.to_int16(samples), SAMPLE_RATE)
        print(f"{name}: {(FOLDER / f'{name}.flac').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
