"""Blinks: planted ones, other people's peak finders, both eyes, real recordings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import find_peaks

from facemt_analysis import Fex, schema, simulate_study
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import blink_summary, eye_aspect_ratio, eye_closure, find_blinks


def trace(seed: int = 3, seconds: int = 60, fps: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Fifteen blinks, bell-shaped (SD 60 ms), 0.6 to 1 high."""
    rng = np.random.default_rng(seed)
    time = np.arange(seconds * fps) / fps
    at = np.sort(
        rng.choice(np.arange(1, seconds - 1, 2), 15, replace=False) + rng.uniform(0, 0.5, 15)
    )
    heights = rng.uniform(0.6, 1, 15)
    bells = (h * np.exp(-0.5 * ((time - a) / 0.06) ** 2) for a, h in zip(at, heights, strict=True))
    return time, np.sum(list(bells), axis=0)


def blinking(closed: object, fps: float = 30.0, **more: object) -> pd.DataFrame:
    closed = np.asarray(closed, float)
    return pd.DataFrame(
        {"time": np.arange(len(closed)) / fps, "eyeBlinkLeft": closed, "eyeBlinkRight": closed,
         **more}
    )  # fmt: skip


def test_agrees_with_scipy_and_neurokit() -> None:
    time, closed = trace()
    found = find_blinks(blinking(closed, fps=60), on=0.4)
    peaks, _ = find_peaks(closed, height=0.4)
    np.testing.assert_allclose(found["apex"], time[peaks])
    np.testing.assert_allclose(found["peak"], closed[peaks])
    # neurokit2 0.2.12: eog_findpeaks(eog_clean(closed, 60), 60, method="mne") finds the same
    theirs = [1.483, 3.3, 5.017, 7.35, 9.15, 15.0, 17.317, 23.15, 25.233, 27.383, 33.15, 37.45,
              41.483, 43.15, 53.35]  # fmt: skip
    np.testing.assert_allclose(found["apex"], theirs, atol=6e-4)
    # a bell is over a height for 2 SD √(2 ln(peak / height)); on 0.4, off 0.32
    up, down = (0.06 * np.sqrt(2 * np.log(found["peak"] / h)) for h in (0.4, 0.32))
    np.testing.assert_allclose(found["duration"], up + down, atol=1.1 / 60)


def test_summary_of_the_same_trace() -> None:
    time, closed = trace()
    found = blink_summary(blinking(closed, fps=60), on=0.4).iloc[0]
    peaks = time[find_peaks(closed, height=0.4)[0]]
    assert (found["n_blinks"], found["n_intervals"]) == (15, 14)
    assert found["rate"] == pytest.approx(15)
    assert found["interval_mean"] == pytest.approx(np.diff(peaks).mean())
    assert found["interval_sd"] == pytest.approx(np.diff(peaks).std(ddof=1))
    assert found["closed_share"] == pytest.approx((closed >= 0.4).mean())
    assert found["both_eyes_share"] == 1
    assert not found["low_rate"]
    assert blink_summary(blinking(closed, fps=15))["low_rate"].item()


def test_long_closures_are_no_blinks_but_closed_eyes() -> None:
    closed = np.zeros(300)
    closed[30:34] = closed[100:160] = 1
    table = blinking(closed)
    assert find_blinks(table)["duration"].tolist() == pytest.approx([4 / 30])
    assert find_blinks(table, max_duration=None)["duration"].tolist() == pytest.approx([4 / 30, 2])
    found = blink_summary(table).iloc[0]
    assert found["n_blinks"] == 1
    assert found["closed_share"] == pytest.approx(64 / 300)


def test_blinks_at_the_ends_are_marked_and_not_timed() -> None:
    closed = np.zeros(90)
    closed[:3] = closed[40:44] = closed[-2:] = 1
    found = find_blinks(blinking(closed))
    assert found["truncated"].tolist() == [True, False, True]
    assert blink_summary(blinking(closed))["mean_duration"].item() == pytest.approx(4 / 30)


def test_each_eye() -> None:
    closed = np.zeros(90)
    closed[[20, 21, 22, 60, 61, 62]] = 0.9
    table = blinking(closed)
    table.loc[50:, "eyeBlinkLeft"] = 0.0  # a wink of the right eye
    table.loc[:50, "eyeBlinkRight"] *= 0.8
    found = find_blinks(table)
    assert found["both_eyes"].tolist() == [True, False]
    np.testing.assert_allclose(found["peak_left"], [0.9, 0.0])
    np.testing.assert_allclose(found["peak_right"], [0.72, 0.9])
    assert blink_summary(table)["both_eyes_share"].item() == 0.5
    one = find_blinks(table.drop(columns="eyeBlinkLeft"))
    assert one["both_eyes"].isna().all()
    assert one["peak_right"].notna().all()
    scores = find_blinks(pd.DataFrame({"time": table["time"], "AU43": closed}))
    assert scores["source"].tolist() == ["AU43", "AU43"]
    assert scores["both_eyes"].isna().all()
    assert scores["both_eyes"].dtype == "boolean"


def test_gaps_people_and_order() -> None:
    closed = np.zeros(300)
    closed[[50, 51, 52, 150, 151, 152, 250, 251, 252]] = 1
    one = blinking(closed, input="film", track=0, frame=np.arange(300))
    late = blinking(np.roll(closed, 20), input="film", track=1, frame=np.arange(300))
    both = pd.concat([one, late]).sort_values(["frame", "track"])
    found = find_blinks(both)
    assert found["track"].tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(found["onset"] * 30, [50, 150, 250, 70, 170, 270])
    shuffled = find_blinks(both.sample(frac=1, random_state=5)).sort_values(["track", "onset"])
    pd.testing.assert_frame_equal(found, shuffled.reset_index(drop=True))
    # an interval in which half a second is lost says nothing
    lost = one.assign(track=np.where((one["frame"] > 180) & (one["frame"] < 196), -1, 0))
    summary = blink_summary(lost).iloc[0]
    assert (summary["n_blinks"], summary["n_intervals"]) == (3, 1)
    assert summary["seconds"] == pytest.approx(285 / 30)
    labelled = both.assign(part=np.where(both["frame"] < 100, "early", "late"))
    summary = blink_summary(labelled, "part")
    assert summary["n_blinks"].tolist() == [2, 4]
    assert summary["interval_mean"].isna().tolist() == [True, False]


def test_labels_and_empty_tables() -> None:
    closed = np.zeros(60)
    closed[20:24] = 1
    table = blinking(closed, subject="s1", input="a")
    found = find_blinks(table, labels="subject")
    assert found.columns[:3].tolist() == ["input", "subject", "source"]
    none = find_blinks(table.assign(eyeBlinkLeft=0.0, eyeBlinkRight=0.0), labels="subject")
    assert len(none) == 0
    assert none.columns.tolist() == found.columns.tolist()
    summary = blink_summary(table.assign(eyeBlinkLeft=0.0, eyeBlinkRight=0.0)).iloc[0]
    assert summary["rate"] == 0
    assert np.isnan(summary["mean_duration"])
    assert len(blink_summary(table.assign(track=0).head(0))) == 0


# ---------------------------------------------------------------- sources
def eyes(openness: np.ndarray, axes: str) -> pd.DataFrame:
    """Eyes 2 wide and `openness` high, as mesh or as landmarks; the left one at x = 5."""
    corners = np.array([[-1, 0, 0], [-0.5, 1, 0], [0.5, 1, 0], [1, 0, 0], [0.5, -1, 0],
                        [-0.5, -1, 0]])  # fmt: skip
    columns = {}
    for first, shift in ((36, 0.0), (42, 5.0)):
        for k, point in enumerate(corners):
            index = schema.DLIB68_FROM_MESH[first + k] if len(axes) == 3 else first + k
            for axis, value in zip(axes, point, strict=False):
                name = f"mesh_{axis}_{index}" if len(axes) == 3 else f"{axis}_{index}"
                course = value * openness if axis == "y" else np.full(len(openness), value)
                columns[name] = course + (shift if axis == "x" else 0)
    return pd.DataFrame(columns)


@pytest.mark.parametrize("axes", ["xyz", "xy"])
def test_eye_aspect_ratio_is_height_over_width(axes: str) -> None:
    table = eyes(np.array([0.3, 0.1, 0.0, np.nan]), axes)
    if axes == "xyz":
        table["mesh_z_0"] = 0.0
    ratio = eye_aspect_ratio(table)
    np.testing.assert_allclose(ratio, np.repeat([[0.3], [0.1], [0.0], [np.nan]], 2, axis=1))
    closure = eye_closure(table.assign(track=[0, 0, 0, -1]))
    assert closure.source == "ear"
    np.testing.assert_allclose(closure.values[:3], [0, 1 - 0.1 / 0.3, 1], atol=1e-12)


def test_aspect_ratio_in_space_does_not_depend_on_the_pose() -> None:
    from scipy.spatial.transform import Rotation

    table = eyes(np.array([0.3]), "xyz")
    names = [c.replace("mesh_x_", "") for c in table if c.startswith("mesh_x_")]
    points = np.stack([table[[f"mesh_{a}_{i}" for a in "xyz"]].to_numpy()[0] for i in names])
    turned = 80 * Rotation.from_rotvec((0.4, -0.8, 0.3)).apply(points) + 300
    flat = {f"mesh_{a}_{i}": [v] for i, p in zip(names, turned, strict=True)
            for a, v in zip("xyz", p, strict=True)}  # fmt: skip
    np.testing.assert_allclose(eye_aspect_ratio(pd.DataFrame(flat)), [[0.3, 0.3]])


def test_closed_by_a_persons_own_open_eyes() -> None:
    wide, narrow = np.full(40, 0.36), np.full(40, 0.2)
    wide[[10, 11, 12]] = narrow[[20, 21, 22]] = 0.08
    tables = [
        eyes(opening, "xyz").assign(time=np.arange(40) / 30, frame=np.arange(40), track=track)
        for track, opening in enumerate((wide, narrow))
    ]
    found = find_blinks(pd.concat(tables).sort_values(["frame", "track"]), source="ear")
    assert found["track"].tolist() == [0, 1]
    np.testing.assert_allclose(found["onset"] * 30, [10, 20])
    np.testing.assert_allclose(found["peak"], [1 - 0.08 / 0.36, 1 - 0.08 / 0.2])


def test_sources_in_order() -> None:
    table = blinking([0.0, 0.5, 1.0])
    more = table.assign(AU43=0.1, AU45=1.0)
    assert eye_closure(more).source == "blendshape"
    bare = more.drop(columns=["eyeBlinkLeft", "eyeBlinkRight"])
    assert eye_closure(bare).source == "AU45"
    assert eye_closure(bare.drop(columns="AU45")).source == "AU43"
    assert eye_closure(more, "AU43").values.tolist() == [0.1] * 3


# ---------------------------------------------------------------- planted and real
@pytest.mark.parametrize(("source", "least"), [("AU43", 0.95), ("blendshape", 0.8)])
def test_planted_blinks_of_a_noisy_study(source: str, least: float) -> None:
    fex, truth = simulate_study(
        4, duration=30, missing=0, feature_groups=["aus", "blendshapes"], seed=1
    )
    planted = truth.events[truth.events["feature"] == "AU43"]
    found = find_blinks(fex, source=source)
    pairs = planted[planted["isolated"]].merge(found, on="input", suffixes=("", "_found"))
    overlap = (pairs["onset_found"] < pairs["offset"]) & (pairs["offset_found"] > pairs["onset"])
    hits = pairs[overlap].drop_duplicates(["input", "onset"])
    assert len(hits) / planted["isolated"].sum() > least
    assert (hits["apex_found"] - hits["apex"]).abs().median() < 0.034
    any_pair = found.merge(planted, on="input", suffixes=("", "_planted"))
    real = any_pair[(any_pair["onset"] < any_pair["offset_planted"])
                    & (any_pair["offset"] > any_pair["onset_planted"])]  # fmt: skip
    assert len(real.drop_duplicates(["input", "onset"])) / len(found) > 0.97


def test_real_blinks_are_found_by_all_sources(real_faces: Fex) -> None:
    # by hand: eyeBlink exceeds 0.5 in these recordings and in no others
    by_hand = ["001.mp4", "002.mp4", "004.mp4", "005.mp4", "012.mp4", "015.mp4"]
    closed = real_faces[["eyeBlinkLeft", "eyeBlinkRight"]].mean(axis=1) > 0.5
    names = real_faces["input"].str[-7:]
    assert sorted(set(names[closed])) == by_hand
    for source in ("blendshape", "ear", "AU43"):
        found = find_blinks(real_faces, source=source, max_duration=None)
        assert sorted(set(found["input"].str[-7:])) == by_hand
        assert found["low_rate"].all()  # every other frame of 30 a second
        if source != "AU43":
            assert found["both_eyes"].all()


def test_wrong_calls() -> None:
    table = blinking(np.zeros(10))
    with pytest.raises(OptionError, match="`source` must be 'auto', 'blendshape', 'ear'"):
        find_blinks(table, source="eog")
    with pytest.raises(MissingGroupError, match="Blinks need eyeBlinkLeft"):
        find_blinks(pd.DataFrame({"time": [0.0], "AU12": [0.1]}))
    with pytest.raises(MissingGroupError, match="needs AU43, but the table has the groups keys, b"):
        find_blinks(table, source="AU43")
    with pytest.raises(MissingGroupError, match="needs eyeBlinkRight or eyeBlinkLeft"):
        find_blinks(table[["time"]].assign(AU43=0.0), source="blendshape")
    with pytest.raises(MissingGroupError, match="mesh or the landmarks"):
        find_blinks(table, source="ear")
    with pytest.raises(OptionError, match="`off` must not be above `on`"):
        find_blinks(table, on=0.3, off=0.4)
    with pytest.raises(OptionError, match=r"`max_duration` must be at least 0\.03 s"):
        find_blinks(table, max_duration=0.01)
    with pytest.raises(OptionError, match="`max_gap`"):
        find_blinks(table, max_gap=-1)
    with pytest.raises(OptionError, match="`on` must be at least 0 and at most 1"):
        find_blinks(table, on=2)
    with pytest.raises(FexError, match="no column 'time'"):
        blink_summary(table.drop(columns="time"))
    with pytest.raises(FexError, match="`labels`: there is no column 'subjct'"):
        find_blinks(table.assign(subject=1), labels="subjct")
