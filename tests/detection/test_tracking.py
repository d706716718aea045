"""Tracks of simulated faces whose identity is known."""

from __future__ import annotations

import numpy as np
import pytest

from facemt_analysis.detection.tracking import Tracker

RATE = 30.0


def boxes_at(centres, width=40.0, height=50.0):
    centres = np.asarray(centres, float).reshape(-1, 2)
    half = np.broadcast_to(np.stack(np.broadcast_arrays(width, height), axis=-1) / 2, centres.shape)
    return np.hstack([centres - half, centres + half])


def follow(paths, seen=None, every=1, tracker=None, rate=RATE, **size):
    """Track faces along paths (frames, faces, 2); NaN where a face is not seen, else its number."""
    tracker = tracker or Tracker()
    paths = np.asarray(paths, float)
    seen = np.ones(paths.shape[:2], bool) if seen is None else seen
    ids = np.full(paths.shape[:2], np.nan)
    for frame in range(0, len(paths), every):
        there = seen[frame]
        ids[frame, there] = tracker.update(boxes_at(paths[frame, there], **size), frame / rate)
    return ids[::every]


def assert_constant(ids):
    """Each face keeps one number, and no two faces share one."""
    numbers = [np.unique(column[~np.isnan(column)]) for column in ids.T]
    assert [len(n) for n in numbers] == [1] * len(numbers), ids
    assert len(np.unique(np.concatenate(numbers))) == len(numbers)


def line(start, stop, n=60):
    return np.linspace(start, stop, n)


def test_two_people_pass_without_touching():
    paths = np.stack([line((0, 0), (300, 0)), line((300, 51), (0, 51))], axis=1)
    for every in (1, 2, 3):
        assert_constant(follow(paths, every=every))


def test_two_people_walk_close_behind_each_other():
    paths = np.stack([line((0, 0), (600, 0), 40), line((41, 0), (641, 0), 40)], axis=1)
    assert_constant(follow(paths))


def test_two_people_cross_and_both_stay_visible():
    """Only their motion tells them apart: after the crossing each is where the other was."""
    paths = np.stack([line((0, 0), (300, 0), 32), line((300, 0), (0, 0), 32)], axis=1)
    assert_constant(follow(paths))


@pytest.mark.parametrize("hidden_one", [0, 1])
def test_one_person_is_hidden_while_they_cross(hidden_one):
    """The hidden one reappears further away than a face that stands still would be looked for."""
    paths = np.stack([line((0, 0), (300, 0), 31), line((300, 0), (0, 0), 31)], axis=1)
    apart = np.abs(paths[:, 0, 0] - paths[:, 1, 0])
    seen = np.ones(paths.shape[:2], bool)
    seen[apart < 90, hidden_one] = False
    assert (~seen).sum() * 10 > 1.5 * 45
    assert_constant(follow(paths, seen))


def test_noise_of_the_detector_does_not_matter():
    rng = np.random.default_rng(0)
    paths = np.stack([line((0, 0), (300, 0), 200), line((300, 60), (0, 60), 200)], axis=1)
    assert_constant(follow(paths + rng.normal(0, 2.0, paths.shape)))


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("missed", [1, 3, 5])
def test_missed_frames_are_survived(missed, every):
    paths = np.stack([line((0, 0), (60, 0), 30 * every), line((90, 0), (60, 80), 30 * every)], 1)
    seen = np.ones(paths.shape[:2], bool)
    seen[10 * every : (10 + missed) * every, 0] = False
    seen[17 * every : (17 + missed) * every] = False  # both at once
    assert_constant(follow(paths, seen, every=every))


def test_a_short_absence_in_seconds_is_survived_at_any_rate():
    still = np.zeros((100, 1, 2))
    seen = np.ones((100, 1), bool)
    seen[20:50] = False
    assert_constant(follow(still, seen, rate=40.0))  # 0.775 s
    assert_constant(follow(still, seen, rate=25.0))  # 1.24 s
    assert len(np.unique(follow(still, seen, rate=15.0)[seen])) == 2  # 2.07 s
    assert_constant(follow(still, seen, rate=15.0, tracker=Tracker(2.5)))


def test_who_returns_after_the_longest_gap_is_new():
    paths = np.zeros((200, 2, 2))
    paths[:, 1] = (200, 0)
    seen = np.ones((200, 2), bool)
    seen[50:120, 0] = False
    ids = follow(paths, seen)
    assert set(ids[:50, 0]) == {0}
    assert set(ids[120:, 0]) == {2}
    assert set(ids[:, 1]) == {1}


def test_a_cut_to_another_place_starts_new_tracks():
    paths = np.stack([np.zeros((20, 2)), np.full((20, 2), 100.0)], axis=1)
    paths[10:] += (45, 0)  # more than a width: not reached in one frame
    ids = follow(paths)
    assert set(ids[:10].ravel()) == {0, 1}
    assert set(ids[10:].ravel()) == {2, 3}


def test_a_cut_to_another_size_starts_a_new_track():
    tracker = Tracker()
    assert tracker.update(boxes_at([[100, 100]], 40, 50), 0.0).tolist() == [0]
    assert tracker.update(boxes_at([[100, 100]], 100, 125), 0.1).tolist() == [1]


def test_a_cut_that_is_told_ends_all_tracks():
    tracker = Tracker()
    box = boxes_at([[0, 0]])
    assert tracker.update(box, 0.0).tolist() == [0]
    tracker.cut()
    assert tracker.update(box, 0.1).tolist() == [1]


def test_a_stranger_out_of_reach_gets_no_old_number():
    tracker = Tracker()
    tracker.update(boxes_at([[0, 0]]), 0.0)
    for missed in range(5):
        tracker.update(np.empty((0, 4)), 0.03 * (missed + 1))
    assert tracker.update(boxes_at([[90, 0]]), 0.2).tolist() == [1]


def test_numbers_do_not_depend_on_the_order_of_the_boxes():
    rng = np.random.default_rng(1)
    first, second = Tracker(), Tracker()
    centres = rng.uniform(0, 400, (8, 2))
    for frame in range(40):
        centres = centres + rng.normal(0, 8, centres.shape)
        boxes = boxes_at(centres[rng.random(8) < 0.8])
        mixed = rng.permutation(len(boxes))
        ids = first.update(boxes, frame / RATE)
        np.testing.assert_array_equal(second.update(boxes[mixed], frame / RATE), ids[mixed])
        assert len(set(ids)) == len(ids)


def test_numbers_rise_in_order_of_appearance():
    paths = np.stack([np.full((9, 2), 200.0 * (2 - k)) for k in range(3)], axis=1)
    seen = np.ones((9, 3), bool)
    seen[:3, 0] = False
    seen[:6, 1] = False
    ids = follow(paths, seen)
    assert ids[-1].tolist() == [1, 2, 0]
    assert Tracker().update(boxes_at([[300, 0], [100, 0], [200, 0]]), 0.0).tolist() == [2, 0, 1]


def random_scene(rng, n_frames=8):
    """People who move less than half a width a frame, as wildly as they like, and never overlap."""
    n = int(rng.integers(2, 7))
    width = rng.uniform(20, 40, n)
    height = width * rng.uniform(1.0, 1.5, n)
    extent = np.column_stack([width, height])

    def touching(centres):
        apart = np.abs(centres[:, None] - centres[None])
        overlap = (apart < (extent[:, None] + extent[None]) / 2).all(axis=2)
        return (overlap & ~np.eye(n, dtype=bool)).any()

    while touching(centres := rng.uniform(0, 60 + 35 * n**0.5, (n, 2))):
        pass
    frames = [centres]
    for _ in range(n_frames):
        centres = centres.copy()
        moved = np.ones(n, bool)
        for person in range(n):
            for _ in range(5):
                angle, length = rng.uniform(0, 2 * np.pi), 0.5 * rng.random() ** 0.3
                move = 0.999 * length * width[person] * np.array([np.cos(angle), np.sin(angle)])
                step = centres.copy()
                step[person] += move
                if moved[person] and not touching(step):
                    centres, moved[person] = step, False
        frames.append(centres)
    return np.array(frames), width, height


def test_people_who_never_touch_are_never_swapped():
    """A thousand scenes of near misses, at speeds up to the stated limit of half a width."""
    rng = np.random.default_rng(7)
    closest = []
    for _ in range(1000):
        paths, width, height = random_scene(rng)
        tracker = Tracker()
        first = tracker.update(boxes_at(paths[0], width, height), 0.0)
        for frame, centres in enumerate(paths[1:], 1):
            order = rng.permutation(len(centres))
            boxes = boxes_at(centres, width, height)[order]
            np.testing.assert_array_equal(tracker.update(boxes, frame / RATE), first[order])
        apart = np.abs(paths[:, :, None] - paths[:, None]) / width.mean()
        closest.append(np.sort(apart.max(axis=3), axis=2)[:, :, 1].min())
    assert np.median(closest) < 1.2  # the scenes are as crowded as they are meant to be


def test_people_who_leave_do_not_give_their_number_to_who_stays():
    """With people leaving and others walking where they were."""
    rng = np.random.default_rng(8)
    for _ in range(200):
        paths, width, height = random_scene(rng)
        seen = np.arange(len(paths))[:, None] < rng.integers(5, 30, paths.shape[1])
        tracker, known = Tracker(), {}
        for frame, centres in enumerate(paths):
            there = seen[frame]
            boxes = boxes_at(centres, width, height)[there]
            for person, number in zip(
                np.flatnonzero(there), tracker.update(boxes, frame / RATE), strict=True
            ):
                assert known.setdefault(person, number) == number


def test_frame_numbers_serve_as_time():
    tracker = Tracker()
    ids = [
        tracker.update(boxes_at([[0, 0]]) if k % 5 == 0 else [], k)[:1].tolist() for k in range(21)
    ]
    assert ids[::5] == [[0]] * 5


def test_time_may_stand_still_or_run_backwards():
    tracker = Tracker()
    for time in (1.0, 1.0, 0.9, 1.1):
        assert tracker.update(boxes_at([[0, 0], [100, 0]]), time).tolist() == [0, 1]


def test_input_is_left_alone():
    tracker, boxes = Tracker(), boxes_at([[100, 0], [0, 0]])
    before = boxes.copy()
    tracker.update(boxes, 0.0)
    tracker.update(boxes, 0.1)[:] = 99
    np.testing.assert_array_equal(boxes, before)
    assert tracker.update(boxes, 0.2).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("boxes", "time", "message"),
    [
        ([[1, 2, 3]], 0.0, r"must be \(n, 4\)"),
        ([[1, 2, np.nan, 4]], 0.0, "must be finite"),
        ([[1, 2, 1, 4]], 0.0, "x2 > x1"),
        ([[1, 2, 3, 4]], float("nan"), "`time` must be finite"),
    ],
)
def test_wrong_input_is_named(boxes, time, message):
    with pytest.raises(ValueError, match=message):
        Tracker().update(boxes, time)


@pytest.mark.parametrize("wrong", [{"max_gap": -1.0}, {"max_gap": np.nan}, {"max_missed": -1}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Tracker(**wrong)
