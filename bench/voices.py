"""How soon each voice of this machine is heard, and how much faster than real time it speaks.

    python bench/voices.py

One sentence of ten words, five times each, through LiveKit's client and the gateway. Compare the rows of one run.
"""

from __future__ import annotations

import asyncio
import statistics

from rich.console import Console
from rich.table import Table

import lkcook
from lkcook import voices

SENTENCE = "Your table for two is booked for tomorrow at eight."
TIMES = 5
MODELS = {"cartesia": "cartesia/sonic-3", "deepgram": "deepgram/aura-2", "inworld": "inworld/inworld-tts-1"}


async def measure(voice: voices.ProviderVoice) -> tuple[float, float]:
    """Median seconds to the first sound, and of the sound."""
    said = [await lkcook.say(f"{MODELS[voice.provider]}:{voice.id}", SENTENCE) for _ in range(TIMES)]
    return statistics.median(each.ttfb for each in said) / 1000, statistics.median(each.clip.duration for each in said)


async def main() -> None:
    """Measure one provider's voice for every embedded one, and print the table."""
    lkcook.setup("embedded")
    await lkcook.say("deepgram/aura-2", "Ready.")  # the voices are loaded then
    one_of_each = {v.embedded: v for v in reversed(voices.PROVIDER_VOICES) if v.provider in MODELS}
    measured = {name: await measure(voice) for name, voice in one_of_each.items()}
    quickest = min(first for first, _ in measured.values())
    table = Table("voice", "first sound, s", "times the quickest", "sound, s", title=f"{SENTENCE!r}, median of {TIMES}")
    for name, (first, length) in sorted(measured.items(), key=lambda item: item[1]):
        table.add_row(name, f"{first:.2f}", f"{first / quickest:.1f}", f"{length:.1f}")
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
