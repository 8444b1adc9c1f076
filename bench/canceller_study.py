"""Every noise canceller that runs here, with every noise, over many recordings.

    python -m bench.canceller_study [--few] [--snr 5] [--rows]

The recordings are the answerable English ones that come with lkcook, but for those that have noise already: the
synthetic voices, and the five LibriVox utterances. --few takes four of them; all take many minutes on two cores. The
packages of DTLN and Hush are there as they are sold, too: both leave half of the noisy sound in by default.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from livekit.plugins import dtln, hush

import lkcook
from lkcook.noise.catalogue import NAMES

FEW = ("cancel-my-table", "opening-hours", "human-amiable", "car-park")
SHOWN = ("sig", "bak", "vad_false", "vad_missed", "cut_offs", "not_ended")


def recordings(few: bool) -> list[lkcook.TurnRecording]:
    """Those that are heard."""
    every = [each for each in lkcook.turn_recordings() if each.language == "en" and each.answerable]
    return [each for each in every if (each.name in FEW if few else each.kind != "noise")]


async def measure(few: bool, snr: float) -> lkcook.NoiseStudy:
    """All of them hear all of it."""
    packaged = {"dtln (package)": dtln.noise_suppression, "hush (package)": hush.noise_suppression}
    cancellers = {name: name for name in NAMES} | packaged
    return await lkcook.compare_cancellers(recordings(few), cancellers, snr=snr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", action="store_true", help="four recordings")
    parser.add_argument("--snr", type=float, default=5.0, help="decibels by which the speech is louder (5)")
    parser.add_argument("--rows", action="store_true", help="what was understood of each")
    asked = parser.parse_args()
    print(lkcook.setup("embedded"))
    began = time.monotonic()
    study = asyncio.run(measure(asked.few, asked.snr))
    print(study)
    for metric in SHOWN:
        print(f"\n{study.table(metric)}")
    for row in study.rows if asked.rows else ():
        print(f"{row['canceller']}, {row['noise']}: {row['text']}")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
