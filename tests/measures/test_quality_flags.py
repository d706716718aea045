"""Rows flagged with reasons, findings in words, exclusion that can be repeated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.measures import (
    REASONS,
    QualityLimits,
    exclude_flagged,
    quality_findings,
    quality_flags,
    quality_report,
)
from facemt_analysis.measures.quality_checks import FINDING_COLUMNS, SEVERITIES
from facemt_analysis.measures.quality_exclusion import EXCLUDABLE

N = 40


def table(name: str = "a.mp4") -> pd.DataFrame:
    rng = np.random.default_rng(sum(map(ord, name)))
    return pd.DataFrame(
        {
            "input": name,
            "frame": np.arange(N),
            "time": np.arange(N) / 25,
            "track": 0,
            "FaceRectX": 10.0,
            "FaceRectY": 10.0,
            "FaceRectWidth": 100.0,
            "FaceRectHeight": 100.0,
            "FaceScore": np.full(N, 0.9, np.float32),
            "Yaw": rng.normal(0, 0.01, N),
            "AU12": rng.random(N, np.float32),
            "valence": rng.random(N, np.float32),
            "arousal": rng.random(N, np.float32),
            "FrameHeight": 480,
            "FrameWidth": 640,
            "subject": "s1",
        }
    )


def _no_face(f: pd.DataFrame) -> None:
    f.loc[3, schema.feature_columns(f.columns)] = np.nan
    f.loc[3, ["FaceScore", "track"]] = 0.0, -1


def _no_features(f: pd.DataFrame) -> None:
    f.loc[3, ["Yaw", "AU12", "valence", "arousal"]] = np.nan


def _duplicate(f: pd.DataFrame) -> None:
    measured = schema.feature_columns(f.columns)
    f.loc[3, measured] = f.loc[2, measured].to_numpy()


def _set(**values: float):
    def spoil(f: pd.DataFrame) -> None:
        for name, value in values.items():
            f.loc[3, name] = value

    return spoil


SPOILT = {
    "no_face": _no_face,
    "no_features": _no_features,
    "low_score": _set(FaceScore=0.69),
    "small_face": _set(FaceRectWidth=50.0),
    "turned_away": _set(Yaw=np.radians(-31)),
    "cut_off": _set(FaceRectY=-30.0),
    "duplicate": _duplicate,
    "out_of_range": _set(valence=1.2),
}


@pytest.mark.parametrize("reason", SPOILT)
def test_each_reason_is_found_alone(reason: str) -> None:
    frame = table()
    SPOILT[reason](frame)
    flags = quality_flags(frame)
    assert flags.columns.tolist() == ["flagged", *REASONS, "reasons"]
    assert flags["reasons"].tolist() == [""] * 3 + [reason] + [""] * (N - 4)
    assert flags["flagged"].sum() == flags[reason].sum() == 1
    assert all(pd.api.types.is_bool_dtype(flags[name]) for name in ("flagged", *REASONS))


def test_overlapping_rows() -> None:
    both = pd.concat([table(), table().assign(track=1, AU12=0.5)], ignore_index=True)
    assert (quality_flags(both)["reasons"] == "overlapping").all()


def test_several_reasons_and_the_index() -> None:
    frame = table().set_axis(np.arange(N) * 2, axis=0)
    frame.loc[6, ["FaceScore", "FaceRectWidth"]] = 0.1, 10.0
    flags = quality_flags(frame)
    pd.testing.assert_index_equal(flags.index, frame.index)
    assert flags.loc[6, "reasons"] == "low_score, small_face"


def test_limits_are_strict_and_can_be_switched_off() -> None:
    frame = table().assign(FaceScore=0.7, Yaw=np.radians(30) - 1e-9)
    assert not quality_flags(frame)["flagged"].any()
    assert quality_flags(frame, score=0.71)["low_score"].all()
    for name, reason in [("score", "low_score"), ("face_px", "small_face"), ("cut_off", "cut_off")]:
        SPOILT[reason](frame)
        assert quality_flags(frame)[reason].any()
        assert not quality_flags(frame, **{name: None})[reason].any()
    _duplicate(frame)
    assert not quality_flags(frame, duplicates=False)["duplicate"].any()
    assert quality_flags(frame, QualityLimits(score=None))["flagged"].any()


def test_what_cannot_be_told_is_not_flagged() -> None:
    frame = table()[["frame", "AU12"]]
    assert not quality_flags(frame)["flagged"].any()


# ------------------------------------------------------------------ findings
def _findings(frame: pd.DataFrame, **limits: float | None) -> dict[str, tuple[str, float]]:
    found = quality_findings(frame, **limits)
    assert tuple(found.columns) == ("input", "track", *FINDING_COLUMNS)
    assert found["severity"].isin(SEVERITIES).all()
    return {r.check: (r.severity, r.value) for r in found.itertuples()}


def test_a_good_recording_has_no_finding() -> None:
    assert _findings(table()) == {}


@pytest.mark.parametrize(
    ("spoil", "check", "severity", "value"),
    [
        (lambda f: f.assign(FaceScore=0.9 - 0.8 * (f.frame < 8)), "low_score", "warning", 0.2),
        (lambda f: f.assign(FaceScore=0.1), "low_score", "serious", 1.0),
        (lambda f: f.assign(track=np.where(f.frame < 10, -1, 0)), "valid_share", "warning", 0.75),
        (lambda f: f.assign(track=-1), "no_face", "serious", 0.0),
        (lambda f: f.assign(AU12=0.5), "constant", "warning", 1),
        (lambda f: f.assign(valence=f.valence * 1.5), "out_of_range", "warning", None),
        (lambda f: f.assign(time=f.time * 2), "hz", "info", 12.5),
        (lambda f: f.drop(index=range(5, 35)), "gap", "warning", 1.2),
        (lambda f: f.drop(index=range(5, 35)), "dropped", "warning", 0.75),
        (lambda f: f.assign(time=f.time.where(f.frame != 9, 0)), "backward", "serious", 1),
        (lambda f: f.assign(time=np.nan), "no_time", "info", None),
        (lambda f: f.assign(track=f.frame // 20), "track_switches", "warning", 1),
        (lambda f: f.assign(track=f.frame // 20), "several_faces", "info", 2),
        (lambda f: f.assign(time=f.time + 0.012 * (f.frame % 2)), "jitter", "info", None),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)  # fmt: skip
def test_findings(spoil, check: str, severity: str, value: float | None) -> None:
    found = _findings(spoil(table()))
    assert found[check][0] == severity
    if value is not None:
        assert found[check][1] == pytest.approx(value)


def test_findings_are_sentences_with_numbers() -> None:
    text = quality_findings(table().drop(index=range(5, 35)))["message"].tolist()
    assert text == [
        "the face is gone for up to 1.20 s (gaps: 1, 1.20 s in all)",
        "30 frames (75.0%) are not in the table at all",
    ]


def test_limits_move_findings() -> None:
    frame = table().assign(time=np.arange(N) / 12.5)
    assert "hz" not in _findings(frame, hz=10)
    assert "hz" not in _findings(frame, hz=None)


# ------------------------------------------------------------------ exclusion
def test_features_go_and_everything_else_stays() -> None:
    frame = table()
    frame.loc[5:9, "FaceScore"] = 0.1
    done = exclude_flagged(frame)
    assert np.flatnonzero(done.excluded).tolist() == [5, 6, 7, 8, 9]
    out = done.table
    assert out.loc[5:9, ["Yaw", "AU12", "valence", "arousal"]].isna().all(axis=None)
    kept = [c for c in frame.columns if c not in ("Yaw", "AU12", "valence", "arousal")]
    pd.testing.assert_frame_equal(out[kept], frame[kept])
    pd.testing.assert_frame_equal(out.drop(index=range(5, 10)), frame.drop(index=range(5, 10)))
    assert (out.dtypes == frame.dtypes).all()
    assert frame["AU12"].notna().all()  # the original is untouched
    assert done.record()["reasons"] == {"low_score": 5}
    assert done.record()["rows"] == 5
    assert done.record()["limits"]["score"] == 0.7


def test_only_the_reasons_asked_for() -> None:
    frame = table()
    frame.loc[5, "FaceScore"] = 0.1
    frame.loc[6, "Yaw"] = 1.0
    assert np.flatnonzero(exclude_flagged(frame, "turned_away").excluded).tolist() == [6]
    assert exclude_flagged(frame, ["turned_away", "low_score"]).counts["rows"].tolist() == [1, 1]
    assert exclude_flagged(frame, []).excluded.sum() == 0


def test_to_exclude_twice_is_to_exclude_once() -> None:
    rng = np.random.default_rng(0)
    frame = table().assign(FaceScore=rng.random(N), Yaw=rng.normal(0, 0.5, N))
    once = exclude_flagged(frame)
    twice = exclude_flagged(once.table)
    assert once.excluded.any()
    assert not twice.excluded.any()
    pd.testing.assert_frame_equal(once.table, twice.table)


def test_the_report_after_exclusion_counts_them_as_not_measured() -> None:
    frame = table()
    frame.loc[10:19, "FaceScore"] = 0.1
    before, after = quality_report(frame), quality_report(exclude_flagged(frame).table)
    assert before["share_valid"].item() == 1.0
    assert after["share_valid"].item() == before["share_usable"].item() == 0.75
    assert after["gap_longest"].item() == pytest.approx(10 / 25)


def test_bad_recordings_are_left_out() -> None:
    bad, fair = table("bad.mp4").assign(FaceScore=0.1), table("fair.mp4")
    fair.loc[:9, "FaceScore"] = 0.1
    frame = pd.concat([table(), bad, fair], ignore_index=True)
    done = exclude_flagged(frame, drop="serious")
    assert done.recordings == ("bad.mp4",)
    assert done.table["input"].unique().tolist() == ["a.mp4", "fair.mp4"]
    assert done.counts.set_index("reason")["rows"]["low_score"] == 10  # of those that are left
    assert exclude_flagged(frame, drop="warning").recordings == ("bad.mp4", "fair.mp4")
    assert exclude_flagged(frame).recordings == ()
    assert exclude_flagged(frame, drop="serious", reasons=[]).excluded.sum() == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: exclude_flagged(f, "blurred"), OptionError, "`reasons` must be 'low_score'"),
        (lambda f: exclude_flagged(f, "no_face"), OptionError, "but got 'no_face'"),
        (lambda f: exclude_flagged(f, drop="all"), OptionError, "'serious' or 'warning'"),
        (lambda f: exclude_flagged(f.drop(columns="input"), drop="serious"), FexError, "'input'"),
        (lambda f: quality_flags(f, face_px=-1), OptionError, "`face_px` must be at least 0 px"),
        (lambda f: quality_flags(f, size=3), OptionError, "There is no limit 'size'"),
        (lambda f: QualityLimits(yaw_deg="wide"), OptionError, "must be a number"),
    ],
)
def test_wrong_calls(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(table())


def test_every_reason_is_documented() -> None:
    for reason in REASONS:
        assert f"``{reason}``" in quality_flags.__doc__
    assert set(EXCLUDABLE) == set(REASONS) - {"no_face", "no_features"}
