"""Lanes of a made-up call: what is in them, how they wrap, and what becomes of missing evidence."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lkcook.errors import CookError
from lkcook.report.latency import segments
from lkcook.report.timeline import LANES, Timeline
from lkcook.report.timeline_layout import ROW, labels, rows
from lkcook.report.timeline_reading import read_timeline
from lkcook.report.turns import STAGES
from tests.report import made_up


def kinds(timeline: Timeline, lane: str) -> dict[str, float]:
    """The first time of each kind of mark in a lane."""
    return {mark.kind: mark.at for mark in reversed(timeline.lanes[lane].marks)}


def pixels(timeline: Timeline) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(timeline.png)).convert("RGBA"))


def test_every_lane_holds_its_evidence_in_seconds_from_the_start_of_the_call() -> None:
    timeline = read_timeline(made_up.call())
    lanes = timeline.lanes
    assert list(lanes) == list(LANES)
    for name in ("caller", "agent"):
        assert lanes[name].wave.max() > 0.1
    assert lanes["VAD"].stretches[0].started_at == pytest.approx(made_up.SPOKE + 0.1)
    assert kinds(timeline, "transcript") == pytest.approx({"interim transcript": 1.4, "final transcript": 2.31})
    assert kinds(timeline, "LLM")["first token"] == pytest.approx(2.64)
    assert kinds(timeline, "LLM")["words"] == pytest.approx(2.64)
    assert kinds(timeline, "TTS")["first byte"] == pytest.approx(2.9)
    assert lanes["LLM"].stretches and lanes["TTS"].stretches and lanes["agent"].stretches


def test_the_end_of_turn_shows_the_wait_the_probability_with_its_threshold_and_the_commit() -> None:
    lane = read_timeline(made_up.call()).lanes["end of turn"]
    prediction, commit = lane.marks
    assert (prediction.value, prediction.limit) == (0.93, 0.3) and "0.30" in prediction.text
    assert commit.kind == "turn commit" and commit.at == pytest.approx(2.45)
    assert "committed" in lane.stretches[0].text and "0.40 s" in lane.stretches[0].text


def test_both_clocks_have_a_lane_whose_segments_end_at_the_first_sample() -> None:
    lanes = read_timeline(made_up.call()).lanes
    for name, zero, length in (("ms after last syllable", 2.0, "960 ms"), ("ms after turn commit", 2.45, "510 ms")):
        stretches = lanes[name].stretches
        assert stretches[0].started_at == pytest.approx(zero) and stretches[-1].ended_at == pytest.approx(2.96)
        assert all(one.ended_at == pytest.approx(two.started_at) for one, two in zip(stretches, stretches[1:]))
        assert [mark.text for mark in lanes[name].marks] == [length]
    assert [s.kind for s in lanes["ms after last syllable"].stretches] == [title for title, _ in STAGES.values()]


def test_an_interruption_is_drawn_through_all_lanes() -> None:
    moments = read_timeline(made_up.call(2, interrupted=True)).moments
    assert [m.at for m in moments if m.kind == "interruption"] == pytest.approx([made_up.EVERY + made_up.REPLIED])
    assert not any(m.kind == "interruption" for m in read_timeline(made_up.call(2)).moments)


def test_one_turn_is_a_window_around_it() -> None:
    call = made_up.call(3)
    last = read_timeline(call, turn=-1)
    assert last.start == pytest.approx(12.6) and last.end == pytest.approx(17.9)
    assert [turn.text for turn in last.turns] == [call.turns[2].text]
    assert len(last.moments) == 2 and last.lanes["VAD"].stretches[0].started_at > last.start
    assert read_timeline(call, turn=2).start == last.start


@pytest.mark.parametrize("turn", [1, -2])
def test_a_turn_that_is_not_there_is_refused_kindly(turn: int) -> None:
    with pytest.raises(CookError, match="1 were answered"):
        read_timeline(made_up.call(1), turn)


def test_a_call_without_spans_leaves_lanes_empty_and_still_draws() -> None:
    timeline = read_timeline(made_up.call(spans=False))
    assert not timeline.lanes["VAD"].stretches and not timeline.lanes["LLM"].stretches
    assert "first token" in kinds(timeline, "LLM"), "the turn knows it"
    assert kinds(timeline, "end of turn")["turn commit"] == pytest.approx(2.45)
    assert timeline.png and timeline.interactive().document and repr(timeline)


def test_a_call_in_which_nothing_happened_draws_too() -> None:
    timeline = read_timeline(made_up.call(0))
    assert timeline.png and "Timeline" in repr(timeline) and not timeline.turns


def test_a_long_call_wraps_into_rows_that_begin_before_a_turn() -> None:
    call = made_up.call(20)
    pieces = rows(read_timeline(call))
    assert len(pieces) == 5 and all(piece.end - piece.start <= ROW for piece in pieces)
    assert [len(piece.turns) for piece in pieces] == [4] * 5
    assert pieces[0].start == 0 and pieces[-1].end == call.duration
    for turn in call.turns:
        assert sum(piece.start <= turn.started_at and turn.ended_at <= piece.end for piece in pieces) == 1


def test_a_long_silence_wraps_as_well() -> None:
    call = made_up.call(1)
    call.duration = 80.0
    assert [piece.end for piece in rows(read_timeline(call))] == [25, 50, 75, 80]


@pytest.mark.parametrize("turns, height", [(1, 496), (20, 1390)])
def test_the_picture_is_900_pixels_wide_and_not_blank(turns: int, height: int) -> None:
    picture = pixels(read_timeline(made_up.call(turns)))
    assert picture.shape == (height, 900, 4)
    assert (picture[0, :, 3] == 0).all() and 0.03 < (picture[:, :, 3] > 0).mean() < 0.5, "drawn, on no background"


def test_no_label_reaches_into_what_comes_next_in_its_lane() -> None:
    for piece in rows(read_timeline(made_up.call(20))):
        for lane in piece.lanes.values():
            things = [mark.at for mark in lane.marks]
            for at, text, align in labels(lane, piece.end, 30.0):
                end = at + len(text) * 6 / 30
                assert align == "right" or not any(at < thing < end for thing in [*things, piece.end]), text


def test_what_has_no_room_is_cut_or_left_out() -> None:
    lane = read_timeline(made_up.call(2)).lanes["transcript"]
    wide, narrow = ([text for _, text, _ in labels(lane, 12.0, scale)] for scale in (120.0, 20.0))
    assert made_up.QUESTIONS[1] in wide and narrow[1] == "What are…"
    assert not list(labels(lane, 12.0, 1.0))


def test_it_is_saved_by_its_suffix(tmp_path) -> None:
    timeline = read_timeline(made_up.call())
    assert timeline.save(tmp_path / "call.png").read_bytes() == timeline.png == timeline._repr_png_()
    assert timeline.save(tmp_path / "call.svg").read_text() == timeline.svg and "<svg" in timeline.svg
    assert "<audio" in timeline.save(str(tmp_path / "call.html")).read_text()
    with pytest.raises(CookError, match="call.gif"):
        timeline.save(tmp_path / "call.gif")


def test_the_text_has_every_lane_and_lines_that_fit_a_terminal() -> None:
    text = repr(read_timeline(made_up.call(4, interrupted=True)))
    assert all(name in text for name in LANES) and "Hello there." in text and "960 ms" in text and "✕" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_waterfall_of_one_turn_names_both_clocks() -> None:
    call = made_up.call(2)
    one = read_timeline(call, 0)
    assert len(one.turns) == 1 and sum(segments(one.turns[0]).values()) == 960
    assert pixels(one).shape[0] > pixels(read_timeline(call)).shape[0]
