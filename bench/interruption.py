"""How well the interruption model (lkcook/engines/interruption.py) tells interruptions from other sounds; its making.

    python -m bench.interruption            measure: train without the words and voices held out, and try those
    python -m bench.interruption --ship     train on everything, and write lkcook/engines/interruption.npz

Half an hour on two cores, most of it the slow voices'; `--voices heart caller` takes the fast ones alone. The same
seeds give the same weights. All but the person who reads is synthetic: expect more errors with people.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.interruption_sounds import CUTS, SPEAKERS, Sound, others, people, spoken, windows
from lkcook.engines import interruption
from lkcook.engines.interruption import Ear, likely, onset

WEIGHTS = Path(interruption.__file__).with_name("interruption.npz")
HIDDEN, EPOCHS, BATCH = 24, 40, 128
DROPOUT, DECAY, RATE = 0.3, 1e-3, 1e-3
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)
ROOMS = {"backchannel": 2}
FAST = ("heart", "caller", "to learn from", "held out", "librivox")  # voices in several ways, and what is not spoken
COUGHS, EACH = 250, 60  # of the noises to train on; a third of them to measure on


@dataclass(frozen=True)
class Heard:
    """One sound as heard so many seconds after its onset."""

    sound: Sound
    cut: float
    features: np.ndarray


def sounds(speakers: list[str]) -> Iterator[Sound]:
    """All of them. Noises "held out" differ in nothing but their seed."""
    words = list(spoken(speakers))
    yield from words
    yield from people(np.random.default_rng(1), 40)
    talk = [sound for sound in words if sound.kind == "interruption"]
    yield from others(np.random.default_rng(2), COUGHS, EACH, talk, "to learn from")
    yield from others(np.random.default_rng(3), COUGHS // 3, EACH // 3, talk, "held out")


def hear(speakers: list[str]) -> list[Heard]:
    """Each sound in some room; back-channels in more, those of the slow voices most: there are so few."""
    ear, heard = Ear(), []
    for sound in sounds(speakers):
        rng = np.random.default_rng(zlib.crc32(f"{sound.kind} {sound.what} {sound.who} {len(sound.samples)}".encode()))
        for _ in range(ROOMS.get(sound.kind, 1) * (1 if sound.who in FAST else 2)):
            for cut, samples in windows(sound, rng):
                if (start := onset(samples)) is not None:
                    heard.append(Heard(sound, cut, ear.features(samples, start)))
    return heard


def train(heard: list[Heard], seed: int = 0) -> dict[str, np.ndarray]:
    """A network by Adam, both classes weighing the same."""
    rng = np.random.default_rng(seed)
    x, y = np.array([one.features for one in heard]), np.array([one.sound.interrupts for one in heard], np.float32)
    weights = {"mean": x.mean(0), "deviation": x.std(0) + 1e-3}
    limit = interruption._EXTREME
    x = np.clip((x - weights["mean"]) / weights["deviation"], -limit, limit).astype(np.float32)
    weight = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean())).astype(np.float32)
    layers = {
        "hidden": rng.normal(0, x.shape[1] ** -0.5, (x.shape[1], HIDDEN)).astype(np.float32),
        "hidden_bias": np.zeros(HIDDEN, np.float32),
        "output": rng.normal(0, 0.2, HIDDEN).astype(np.float32),
        "output_bias": np.zeros(1, np.float32),
    }
    moments = {name: (np.zeros_like(layer), np.zeros_like(layer)) for name, layer in layers.items()}
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // BATCH):
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for name, slope in _slopes(layers, x[batch], y[batch], weight[batch], rng).items():
                first, second = moments[name]
                first += 0.1 * (slope - first)
                second += 0.001 * (slope**2 - second)
                layers[name] -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return {name: array.astype(np.float16) for name, array in {**weights, **layers}.items()}


def _slopes(
    layers: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Of the cross-entropy, with dropout and weight decay."""
    kept = np.float32(1 - DROPOUT)
    x = x * (rng.random(x.shape, np.float32) < kept) / kept
    before = x @ layers["hidden"] + layers["hidden_bias"]
    open_ = (rng.random(before.shape, np.float32) < kept) / kept
    hidden = np.maximum(before, 0) * open_
    p = 1 / (1 + np.exp(-(hidden @ layers["output"] + layers["output_bias"])))
    wrong = (p - y) * weight / len(y)
    inside = wrong[:, None] * layers["output"] * (before > 0) * open_
    return {
        "hidden": x.T @ inside + DECAY * layers["hidden"],
        "hidden_bias": inside.sum(0),
        "output": hidden.T @ wrong + DECAY * layers["output"],
        "output_bias": wrong.sum(keepdims=True),
    }


def auc(yes: np.ndarray, no: np.ndarray) -> float:
    """How often one of `yes` gets more than one of `no`."""
    return float(np.mean(yes[:, None] > no[None]) + np.mean(yes[:, None] == no[None]) / 2)


def show(tried: list[Heard], weights: dict[str, np.ndarray]) -> None:
    """AUCs of what was held out, and what each threshold does."""
    p = likely(np.array([one.features for one in tried]), {k: v.astype(np.float32) for k, v in weights.items()})
    yes = np.array([one.sound.interrupts for one in tried])
    new_word, new_voice = (np.array([getattr(one.sound, name) for one in tried]) for name in ("new_word", "new_voice"))
    for name, chosen in (
        ("new voices, known words", new_voice & ~new_word),
        ("known voices, new words", new_word & ~new_voice),
        ("new in both", new_word & new_voice),
        ("all", new_word | new_voice),
    ):
        print(f"AUC, {name}: {auc(p[chosen & yes], p[chosen & ~yes]):.3f} ({chosen.sum()} judgements)")
    title = "interruptions found after so many seconds; and what else was taken for one"
    table = Table("threshold", *[f"{cut} s" for cut in CUTS], *FALSE, title=title)
    kinds, cuts = np.array([one.sound.kind for one in tried]), np.array([one.cut for one in tried])
    for limit in THRESHOLDS:
        found = [f"{np.mean(p[yes & (cuts == cut)] >= limit):.0%}" for cut in CUTS]
        table.add_row(f"{limit}", *found, *[f"{np.mean(p[kinds == kind] >= limit):.0%}" for kind in FALSE])
    Console(width=130).print(table)


FALSE = ("backchannel", "cough", "noise")


def main() -> None:
    """Measure, or train for good."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--voices", nargs="*", default=SPEAKERS, choices=SPEAKERS)
    options = parser.parse_args()
    heard = hear(options.voices)
    if options.ship:
        np.savez(WEIGHTS, **train([one for one in heard if one.sound.who != "held out"]))
        print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size} bytes, from {len(heard)} judgements")
        return
    show([one for one in heard if one.sound.held_out], train([one for one in heard if not one.sound.held_out]))


if __name__ == "__main__":
    main()
