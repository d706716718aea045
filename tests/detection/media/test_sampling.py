"""Which frames are wanted, against a plain statement of the rule."""

from __future__ import annotations

import numpy as np
import pytest

from facemt_analysis.detection.media.sampling import Sampling, Selector
from facemt_analysis.errors import MediaError


def _chosen(times: list[float], tolerance: float = 1e-9, **choice: float) -> list[int]:
    sampling = Sampling.checked(
        **{"every": 1, "fps": None, "start": None, "stop": None, **choice}  # type: ignore[arg-type]
    )
    selector = Selector(sampling, tolerance)
    kept = []
    for i, t in enumerate(times):
        if selector.ended(t):
            break
        if selector.keeps(i, t):
            kept.append(i)
    return kept


def _first_at_or_after_each_grid_time(times: list[float], fps: float, start: float) -> list[int]:
    """The rule for `fps` as the documentation states it, by search instead of by state."""
    wanted = set()
    for k in range(int((times[-1] - start) * fps) + 2):
        later = [i for i, t in enumerate(times) if t >= start + k / fps - 1e-9 and t >= start]
        wanted.update(later[:1])
    return sorted(wanted)


@pytest.mark.parametrize("fps", [0.3, 1.0, 7.0, 10.0, 24.0, 30.0, 60.0])
@pytest.mark.parametrize("start", [0.0, 0.61, 2.0])
def test_fps_takes_first_frame_at_or_after_each_grid_time(fps: float, start: float) -> None:
    rng = np.random.default_rng(3)
    steps = rng.choice([0.02, 0.04, 0.3], 200)
    times = np.cumsum(steps).tolist()
    expected = _first_at_or_after_each_grid_time(times, fps, start)
    assert _chosen(times, fps=fps, start=start) == expected


def test_fps_above_the_rate_keeps_every_frame_once() -> None:
    assert _chosen([0.0, 0.1, 0.2, 0.3], fps=1000.0) == [0, 1, 2, 3]


def test_fps_allows_for_rounded_timestamps() -> None:
    # a container that counts milliseconds: 1/3 s is stored as 0.333
    times = [round(i / 30, 3) for i in range(60)]
    assert _chosen(times, tolerance=0.0005, fps=3.0) == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("choice", "rate", "kept"),
    [({}, 30.0, 30.0), ({"every": 4}, 30.0, 7.5), ({"fps": 10.0}, 30.0, 10.0),
     ({"fps": 99.0}, 30.0, 30.0), ({"every": 4}, None, None)],
)  # fmt: skip
def test_rate_of_what_is_kept(choice: dict, rate: float | None, kept: float | None) -> None:
    still = {"every": 1, "fps": None, "start": None, "stop": None}
    assert Sampling.checked(**{**still, **choice}).rate_from(rate) == kept


def test_every_counts_from_the_beginning_of_the_stream() -> None:
    times = [i / 10 for i in range(40)]
    assert _chosen(times, every=7, start=1.0, stop=3.0) == [14, 21, 28]


def test_range_is_half_open_and_ranges_tile() -> None:
    times = [i / 30 for i in range(90)]
    parts = _chosen(times, stop=1.0) + _chosen(times, start=1.0, stop=2.0)
    assert parts == list(range(60))


def test_repeated_frames_are_refused() -> None:
    selector = Selector(Sampling(fps=1.0))
    assert [selector.keeps(i, float(i)) for i in (0, 1, 0, 1, 2)] == [
        True,
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"every": 0}, "`every`"),
        ({"every": 1.5}, "`every`"),
        ({"every": float("nan")}, "`every`"),
        ({"fps": 0.0}, "`fps`"),
        ({"fps": float("inf")}, "`fps`"),
        ({"every": 2, "fps": 5.0}, "exclude each other"),
        ({"start": -1.0}, "`start`"),
        ({"stop": float("nan")}, "`stop`"),
        ({"start": 2.0, "stop": 2.0}, "later than `start`"),
        ({"stop": 0.0}, "later than `start`"),
    ],
)
def test_senseless_choices_are_refused(choice: dict[str, float], words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        _chosen([0.0], **choice)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "choice",
    [
        {}, {"every": 4}, {"fps": 5.0}, {"start": 1.0}, {"stop": 1.5}, {"every": 3, "start": 0.7},
        {"fps": 100.0, "start": 0.5, "stop": 2.5}, {"start": 99.0},
    ],
)  # fmt: skip
def test_estimate_is_right_at_a_constant_rate(choice: dict[str, float]) -> None:
    times = [i / 25 for i in range(100)]
    sampling = Sampling.checked(
        **{"every": 1, "fps": None, "start": None, "stop": None, **choice}  # type: ignore[arg-type]
    )
    assert sampling.estimate(100, 25.0) == len(_chosen(times, **choice))


def test_estimate_is_silent_about_the_unknown() -> None:
    assert Sampling().estimate(None, 25.0) is None
    assert Sampling(start=1.0).estimate(100, None) is None
