"""What an analyst gets wrong, through the front door: each time one sentence says what to do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError, FexError, MissingGroupError, OptionError
from facemt_analysis.fex import Fex

Call = Callable[[Fex], object]


@pytest.fixture(scope="module")
def fex() -> Fex:
    study, _ = fm.simulate_study(n_subjects=4, duration=4, seed=1, fps=12)
    return study


def says(call: Call, fex: Fex, error: type[FacemtError], *parts: str) -> None:
    with pytest.raises(error) as caught:
        call(fex)
    text = str(caught.value)
    for part in parts:
        assert part in text, text
    assert "\n" not in text
    assert text.endswith((".", "?")), text


def case(call: Call, *parts: str, name: str) -> object:
    return pytest.param(call, parts, id=name)


# ------------------------------------------------------------------ a group that is not there
@pytest.mark.parametrize(
    ("call", "group"),
    [
        (lambda f: f.mesh, "meshes"),
        (lambda f: f.meshes, "meshes"),
        (lambda f: f.landmarks, "landmarks"),
        (lambda f: f.drop(columns=f.aus.columns).au.events(), "aus"),
        (lambda f: f.drop(columns=f.emotions.columns).emotion, "emotions"),
        (lambda f: f.drop(columns=["valence", "arousal"]).affect.summary(), "va"),
        (lambda f: f.drop(columns=f.gazes.columns).gaze, "gazes"),
        (lambda f: f.drop(columns=f.poses.columns).pose.motion(), "poses"),
        (lambda f: f.drop(columns=f.blendshapes.columns).blendshape.blinks(), "blendshapes"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_a_missing_group(call: Call, group: str, fex: Fex) -> None:
    says(call, fex, MissingGroupError, f"has no '{group}'", "it has keys, faceboxes", "Detector(")
    with pytest.raises(AttributeError):  # so that hasattr tells
        call(fex)


# ------------------------------------------------------------------ a feature that is not there
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda f, a: f.au.events(a), id="events"),
        pytest.param(lambda f, a: f.au.summary(aus=[a, "AU12"]), id="summary"),
        pytest.param(lambda f, a: f.au.cooccurrence([a, "AU12"]), id="cooccurrence"),
        pytest.param(lambda f, a: f.signal.smooth(a), id="smooth"),
        pytest.param(lambda f, a: f.signal.interpolate([a]), id="interpolate"),
        pytest.param(lambda f, a: f.signal.regress_out(a, "Pitch"), id="regress_out"),
        pytest.param(lambda f, a: f.stats.compare(a, condition="condition"), id="compare"),
        pytest.param(
            lambda f, a: f.stats.cluster_permutation(a, condition="condition", seed=1),
            id="cluster_permutation",
        ),
    ],
)
@pytest.mark.parametrize(("name", "near"), [("AU6", "'AU06'"), ("au12", "'AU12'")])
def test_an_unknown_feature_offers_near_names(call, name: str, near: str, fex: Fex) -> None:
    says(lambda f: call(f, name), fex, FexError, f"no column {name!r}. Did you mean", near)


def test_a_name_like_nothing_lists_what_there_is(fex: Fex) -> None:
    says(lambda f: f.au.events("smile"), fex, FexError, "no column 'smile'. There is: AU01, AU02")


# ------------------------------------------------------------------ numbers that cannot be
@pytest.mark.parametrize(
    ("call", "parts"),
    [
        case(lambda f: f.signal.smooth(window=-1), "`window` must be above 0 s, but got -1",
             name="smooth"),
        case(lambda f: f.signal.baseline(window=(0, -1)), "`window` must not end before it starts",
             "0 to -1", name="baseline"),
        case(lambda f: f.signal.interpolate(max_gap=-0.2), "`max_gap` must be at least 0 s",
             name="interpolate"),
        case(lambda f: f.signal.resample(-5), "`hz` must be above 0 Hz, but got -5",
             name="resample"),
        case(lambda f: f.signal.epochs(EVENTS, 1, -1), "`tmax` must be after `tmin`", "1 to -1 s",
             name="epochs"),
        case(lambda f: f.signal.epochs(EVENTS, -1, 1, baseline=(-3, -2)),
             "`baseline` must lie within -1 to 1 s", name="epochs baseline"),
        case(lambda f: f.au.events(min_duration=-1), "`min_duration` must be at least 0 s",
             name="events"),
        case(lambda f: f.quality.talking(window=-2), "`window` must be above 0 s, but got -2",
             name="talking"),
        case(lambda f: f.quality.exclude(yaw_deg=-3), "`yaw_deg` must be at least 0", "degrees",
             name="exclude"),
    ],
)  # fmt: skip
def test_negative_windows(call: Call, parts: tuple[str, ...], fex: Fex) -> None:
    says(call, fex, OptionError, *parts)


EVENTS = pd.DataFrame({"input": ["sub-01_neutral_1.mp4"], "onset": [2.0]})


# ------------------------------------------------------------------ time
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda f: f.au.events(), id="au.events"),
        pytest.param(lambda f: f.emotion.bouts(), id="emotion.bouts"),
        pytest.param(lambda f: f.affect.summary(), id="affect.summary"),
        pytest.param(lambda f: f.pose.motion(), id="pose.motion"),
        pytest.param(lambda f: f.gaze.fixations(), id="gaze.fixations"),
        pytest.param(lambda f: f.blendshape.blinks(), id="blendshape.blinks"),
        pytest.param(lambda f: f.signal.smooth(), id="signal.smooth"),
        pytest.param(lambda f: f.signal.filter(high=2), id="signal.filter"),
        pytest.param(lambda f: f.signal.resample(10), id="signal.resample"),
        pytest.param(lambda f: f.quality.talking(), id="quality.talking"),
    ],
)
def test_time_that_goes_backwards(call: Call, fex: Fex) -> None:
    back = fex.copy()
    row = back.index[back["track"] >= 0][5]
    back.loc[row, "time"] = -1.0
    says(call, back, FexError, f"{back.loc[row, 'input']}, track 0: time does not go forward",
         f"frame {back.loc[row, 'frame']}", "repair the column 'time'")  # fmt: skip


def test_time_that_goes_backwards_is_found_before(fex: Fex) -> None:
    back = fex.copy()
    back.loc[back.index[5], "time"] = -1.0
    assert back.validate()["check"].tolist() == ["time"]
    assert "backward" in back.quality.findings()["check"].tolist()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda f: f.au.events(), id="au.events"),
        pytest.param(lambda f: f.signal.filter(high=2), id="signal.filter"),
        pytest.param(lambda f: f.pose.motion(), id="pose.motion"),
    ],
)
@pytest.mark.parametrize("how", ["no column", "empty"])
def test_no_time(call: Call, how: str, fex: Fex) -> None:
    timeless = fex.drop(columns="time") if how == "no column" else fex.assign(time=np.nan)
    says(call, timeless, FexError, "needs the time of every row")


# ------------------------------------------------------------------ frame rates
def mixed(fex: Fex) -> Fex:
    """One recording is twice as slow, and on no common grid with the others."""
    out = fex.copy()
    slow = out["input"] == out.recordings[0]
    out.loc[slow, "time"] = out.loc[slow, "time"] * 1.9
    return out


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        case(lambda f: f.signal.filter(high=4.0), "`high` must be below half the frame rate",
             "sub-01_neutral_1.mp4", name="filter"),
        case(lambda f: f.signal.smooth(window=0.3), "`window` of 0.3 s is 1 frame",
             "sub-01_neutral_1.mp4", name="smooth"),
        case(lambda f: f.stats.isc("AU12", condition="condition"), "not at the same times",
             "12 in", "resample", name="isc"),
        case(lambda f: f.stats.cluster_permutation("AU12", condition="condition", seed=1),
             "not at the same times", "12 in", "resample", name="cluster_permutation"),
    ],
)  # fmt: skip
def test_mixed_frame_rates(call: Call, parts: tuple[str, ...], fex: Fex) -> None:
    says(call, mixed(fex), FexError if "times" in parts[0] else OptionError, *parts)


def test_mixed_frame_rates_are_seen_and_mended(fex: Fex) -> None:
    slow = mixed(fex)
    assert "6.316–12 Hz" in repr(slow).splitlines()[0]
    hz = slow.signal.rates().set_index("input")["hz"]
    assert hz.iloc[0] == pytest.approx(12 / 1.9)
    even = slow.signal.resample(6)
    assert even.signal.rates()["hz"].tolist() == pytest.approx([6.0] * len(hz))


# ------------------------------------------------------------------ labels
@pytest.mark.parametrize(
    ("call", "parts"),
    [
        case(lambda f: f.label({"x.mp4": {"mood": 1}}), "no labels for 8 of 8 'input'",
             "it has 'x.mp4'", "missing='warn'", name="nothing"),
        case(lambda f: f.label({"sub-01_neutral_1": {"mood": 1}}),
             "'sub-01_neutral_1.mp4' and 'sub-01_neutral_1' differ in folder, extension or case",
             name="extension"),
        case(lambda f: f.label(pd.DataFrame({"recording": ["a"], "mood": [1]})),
             "must have the column 'input'", name="no key"),
        case(lambda f: f.au.summary("conditon"), "no column 'conditon'. Did you mean 'condition'",
             "fex.label", name="by"),
        case(lambda f: f.quality.report("conditon"), "Did you mean 'condition'", name="report"),
        case(lambda f: f.stats.compare("AU12", condition="mood"), "no column 'mood'", "fex.label",
             name="condition"),
        case(lambda f: f.stats.compare("AU12", condition="condition", subject="person"),
             "`subject`: there is no column 'person'", name="subject"),
        case(lambda f: f.signal.epochs(EVENTS.assign(input="zz"), -1, 1),
             "There is no recording 'zz'", name="events"),
        case(lambda f: f.select("sub-01_neutral.mp4"), "Did you mean 'sub-01_neutral_1.mp4'",
             name="recording"),
    ],
)  # fmt: skip
def test_labels_that_match_nothing(call: Call, parts: tuple[str, ...], fex: Fex) -> None:
    says(call, fex, FexError, *parts)
