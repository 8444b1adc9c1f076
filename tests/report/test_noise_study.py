"""Cancellers of which the effect is known, in a study of them: the best is told from the worst."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import pytest
from livekit.agents import APIStatusError

import lkcook
from lkcook.audio.clip import Clip
from lkcook.noise.stage import Stage
from lkcook.report.noise_metrics import METRICS
from tests.noise.cancellers import Late, LateAsTold, Scripted, WholeRecogniser

RECORDINGS = [each for each in lkcook.turn_recordings() if each.name in ("car-park", "opening-hours")]
CLEAN = Stage(RECORDINGS).clip
TEXT = " ".join(each.text for each in RECORDINGS)
CANCELLERS = {
    "perfect": lambda: Scripted(CLEAN.samples),
    "late": lambda: Late(3000),
    "late, as it tells": lambda: LateAsTold(3000),
    "mute": lambda: Scripted(np.zeros(0, np.int16)),
}
NOISES = {"loud <hiss>": "hiss", "typing": "keyboard"}


@pytest.fixture(scope="module")
def study() -> lkcook.NoiseStudy:
    async def made() -> lkcook.NoiseStudy:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        beside = asyncio.create_task(tick())
        result = await lkcook.compare_cancellers(
            RECORDINGS, CANCELLERS, NOISES, snr=0, stt=lambda: WholeRecogniser(TEXT)
        )
        beside.cancel()
        assert ticks > 50, "a notebook's event loop must stay free"
        return result

    return asyncio.run(made())


def by_canceller(study: lkcook.NoiseStudy, noise: str) -> dict[str, dict]:
    return {row["canceller"]: row for row in study.rows if row["noise"] == noise}


@pytest.mark.parametrize("noise", NOISES)
def test_what_gives_back_the_clean_speech_scores_best(study: lkcook.NoiseStudy, noise: str) -> None:
    rows = by_canceller(study, noise)
    perfect, raw = rows["perfect"], rows["raw"]
    assert perfect["snr_after"] == 60 and perfect["wer"] == 0 and perfect["not_ended"] == perfect["cut_offs"] == 0
    assert perfect["vad_false"] < 0.3 and perfect["vad_missed"] < 0.3
    for name in ("snr_gain", "ovrl", "bak", "sig", "p808"):
        assert all(perfect[name] > row[name] for who, row in rows.items() if who != "perfect"), name
    assert raw["wer"] == 1 and raw["snr_before"] == pytest.approx(0, abs=1) and raw["snr_gain"] == 0


@pytest.mark.parametrize("noise", NOISES)
def test_what_is_only_late_is_aligned_and_changes_nothing(study: lkcook.NoiseStudy, noise: str) -> None:
    rows = by_canceller(study, noise)
    for who in ("late", "late, as it tells"):
        assert rows[who]["delay"] == 3000 / 24_000
        assert np.array_equal(study.clip(who, noise).samples, study.clip("raw", noise).samples)
        same = ("snr_after", "ovrl", "wer", "vad_false", "vad_missed", "cut_offs", "not_ended")
        assert [rows[who][name] for name in same] == pytest.approx([rows["raw"][name] for name in same], abs=0.01)


def test_what_mutes_everything_loses_every_word_and_every_turn(study: lkcook.NoiseStudy) -> None:
    for noise in NOISES:
        mute = by_canceller(study, noise)["mute"]
        assert mute["wer"] == 1 and mute["text"] == "" and mute["snr_after"] == -30
        assert mute["vad_missed"] > 2 and mute["vad_false"] == 0 and mute["not_ended"] == 2


def test_each_canceller_is_made_anew_for_each_noise_and_closed(study: lkcook.NoiseStudy) -> None:
    assert Scripted.open == 0 and len(study.rows) == 5 * 2
    assert all(row["real_time_factor"] >= 0 for row in study.rows)


def test_the_tables_name_every_canceller_and_noise_and_mark_the_best(study: lkcook.NoiseStudy) -> None:
    html = study._repr_html_()
    assert "loud &lt;hiss&gt;" in html and "<hiss>" not in html
    assert all(name in html for name in ("raw", "perfect", "mute", "typing"))
    for metric in METRICS:
        assert all(name in repr(study.table(metric)) for name in (*NOISES, *study.cancellers))
    lines = {line.split("  ")[0]: line for line in repr(study.table("wer")).splitlines()}
    assert re.findall(r"\d+%\*?", lines["perfect"]) == ["0%*", "0%*", "0%"]
    assert re.findall(r"\d+%\*?", lines["raw"]) == ["100%", "100%", "100%"]
    assert "2 turns" in repr(study) and "speech as loud as the noise" in repr(study)


def test_pictures_render_whatever_the_labels_hold(study: lkcook.NoiseStudy) -> None:
    for picture in (study.plot("typing", "car-park"), study.plot("loud <hiss>"), *map(study.scores, METRICS)):
        assert picture.png.startswith(b"\x89PNG") and "<svg" in picture.svg
    assert "perfect: loud <hiss> 0%, typing 0%" in repr(study.scores("wer"))


def test_one_recording_is_cut_out_of_the_call(study: lkcook.NoiseStudy) -> None:
    parts = [study.clip("perfect", "typing", name) for name in study.recordings]
    assert np.array_equal(np.concatenate([part.samples for part in parts]), CLEAN.samples)
    assert np.array_equal(study.clean(1).samples, parts[1].samples)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda study: study.table("loudness"),
        lambda study: study.scores("text"),
        lambda study: study.clip("nobody", "typing"),
        lambda study: study.clip("raw", "rain"),
        lambda study: study.plot("typing", "nothing"),
        lambda study: study.plot("typing", 2),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(study: lkcook.NoiseStudy, wrong) -> None:
    with pytest.raises(lkcook.CookError):
        wrong(study)


async def compare(recordings=RECORDINGS[:1], cancellers=(), noises=("hiss",), stt=lambda: WholeRecogniser("")) -> None:
    await lkcook.compare_cancellers(recordings, cancellers, noises, stt=stt)


async def test_what_cannot_be_compared_is_refused_by_name() -> None:
    spanish = next(each for each in lkcook.turn_recordings() if each.language == "es")
    for wrong, told in (
        ({"recordings": []}, "no recording"),
        ({"recordings": [*RECORDINGS, spanish]}, "en and es"),
        ({"cancellers": ["magic"]}, "no noise canceller 'magic'"),
        ({"cancellers": {"mine": lambda: "a string"}}, "'mine' makes a str"),
        ({"noises": ["rain"]}, "no noise 'rain'"),
        ({"noises": []}, "no noise to compare"),
    ):
        with pytest.raises(lkcook.CookError, match=told):
            await compare(**wrong)


async def test_a_recogniser_that_refuses_says_so() -> None:
    refusal = APIStatusError("no such model", status_code=404, retryable=False)
    with pytest.raises(lkcook.CallError, match="no such model"):
        await compare(stt=lambda: WholeRecogniser(refusal))


async def test_a_clip_with_its_words_will_do() -> None:
    clip = Clip(RECORDINGS[0].clip.samples, 16_000)
    study = await lkcook.compare_cancellers(
        [(clip, RECORDINGS[0].text)], [], {"none": Clip(np.zeros(100, np.int16), 16_000)},
        stt=lambda: WholeRecogniser(RECORDINGS[0].text),
    )
    (row,) = study.rows
    assert row["wer"] == 0 and row["snr_after"] == 60 and row["not_ended"] == row["cut_offs"] == 0
