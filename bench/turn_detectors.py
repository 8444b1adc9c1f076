"""Every turn detector of LiveKit that runs here, with all the recordings that come with lkcook.

    python -m bench.turn_detectors [--rows]

About four minutes: recordings are heard in real time, one after the other, since recognisers are asked. v1, Flux and
the words that MultilingualModel reads come from the gateway, so how late they are is this machine's doing.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter

from livekit.agents import inference
from livekit.plugins import silero
from livekit.plugins.turn_detector.multilingual import MultilingualModel

import lkcook


async def measure() -> lkcook.TurnStudy:
    """All of them hear all of it."""
    async with lkcook.job():
        detectors = {
            "VAD": inference.VAD(),
            "silero": silero.VAD.load(),
            "v1-mini": inference.TurnDetector(version="v1-mini"),
            "v1": inference.TurnDetector(version="v1"),
            "MultilingualModel": MultilingualModel(),
            "Flux": inference.STT("deepgram/flux-general"),
        }
        return await lkcook.compare_turns(lkcook.turn_recordings(), detectors)


def show(study: lkcook.TurnStudy, rows: bool) -> None:
    """The table, where each detector cut off, and, if asked for, each question."""
    print(study)
    for label in study.trials:
        cut = Counter(row["kind"] for row in study.of(label).rows if row["cut_offs"])
        print(f"{label} cut off:", ", ".join(f"{kind} {count}" for kind, count in cut.items()) or "nobody")
    for row in study.rows if rows else ():
        asked = [(each["probability"], each["threshold"]) for each in row["asked"]]
        print(row["detector"], row["recording"], row["cut_offs"], row["wait"], asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", action="store_true", help="every question of every detector")
    rows = parser.parse_args().rows
    print(lkcook.setup("embedded"))
    show(asyncio.run(measure()), rows)


if __name__ == "__main__":
    main()
