"""Left against right in blendshapes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import Fex, simulate_study
from facemt_analysis.errors import FexError, MissingGroupError, OptionError
from facemt_analysis.measures import (
    asymmetry_index,
    asymmetry_summary,
    blendshape_asymmetry,
    blendshape_summary,
)
from facemt_analysis.measures.asymmetry import BLENDSHAPE_PAIRS


def table(left: object, right: object, name: str = "mouthSmile", **more: object) -> pd.DataFrame:
    left = np.asarray(left, float)
    return pd.DataFrame(
        {"time": np.arange(len(left)) / 10, f"{name}Left": left, f"{name}Right": right, **more}
    )


def test_pairs_are_one_movement_on_two_sides() -> None:
    assert {"mouthSmile", "browDown", "eyeBlink", "noseSneer"} <= set(BLENDSHAPE_PAIRS)
    assert not {"jaw", "mouth", "eyeLookIn", "eyeLookUp"} & set(BLENDSHAPE_PAIRS)
    assert len(BLENDSHAPE_PAIRS) == 14


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [(0.6, 0.2, 0.5), (0.2, 0.6, -0.5), (0.5, 0.5, 0.0), (0.3, 0.0, 1.0), (0.0, 0.3, -1.0),
     (0.09, 0.0, np.nan), (0.1, 0.0, 1.0), (np.nan, 0.5, np.nan), (0.0, 0.0, np.nan)],
)  # fmt: skip
def test_index(left: float, right: float, expected: float) -> None:
    found = asymmetry_index(np.array([left]), np.array([right]))
    np.testing.assert_allclose(found, [expected])
    np.testing.assert_allclose(asymmetry_index(np.array([right]), np.array([left])), [-expected])


def test_no_gate_and_nothing() -> None:
    assert np.isnan(asymmetry_index(np.zeros(1), np.zeros(1), gate=0.0)).all()


def test_rows() -> None:
    frame = table([0.6, 0.01], [0.2, 0.0], browDownLeft=0.2, browDownRight=0.2, eyeBlinkLeft=1.0)
    frame = frame.set_index([[7, 8]])
    found = blendshape_asymmetry(frame)
    assert found.columns.tolist() == ["browDown", "mouthSmile"]  # the blink has one side only
    assert found.index.tolist() == [7, 8]
    np.testing.assert_allclose(found["mouthSmile"], [0.5, np.nan])
    assert blendshape_asymmetry(frame, "mouthSmile", gate=0).columns.tolist() == ["mouthSmile"]


def test_summary_weighs_active_time() -> None:
    frame = table([0.6, 0.6, 0.0, 0.0], [0.2, 0.6, 0.0, 0.3]).assign(time=[0.0, 0.1, 0.24, 0.34])
    found = asymmetry_summary(frame).iloc[0]
    assert found["asymmetry"] == pytest.approx((0.1 * 0.5 + 0.14 * 0.0 - 0.1) / 0.34)
    assert found["asymmetry_abs"] == pytest.approx((0.1 * 0.5 + 0.1) / 0.34)
    assert found["active_share"] == pytest.approx(0.34 / 0.44)
    assert found["left"] == pytest.approx((0.1 * 0.6 + 0.14 * 0.6) / 0.44)
    assert found["right"] == pytest.approx((0.1 * 0.2 + 0.14 * 0.6 + 0.1 * 0.3) / 0.44)


def test_groups_and_missing_frames() -> None:
    frame = pd.concat(
        [table([0.6, np.nan], [0.2, 0.2], input="a"), table([0.2, 0.2], [0.6, 0.6], input="b")]
    )
    found = asymmetry_summary(frame)
    assert found["input"].tolist() == ["a", "b"]
    assert found["asymmetry"].tolist() == pytest.approx([0.5, -0.5])
    assert found["n_valid"].tolist() == [1, 2]
    assert found["n_frames"].tolist() == [2, 2]


def test_planted_asymmetry_of_simulated_people() -> None:
    # by its documentation, left and right are b (1 ± a) / (1 + |a|) without noise: the index is a
    fex, _ = simulate_study(6, duration=5, noise=0, missing=0.05, seed=2,
                            feature_groups=["blendshapes"])  # fmt: skip
    rows = blendshape_asymmetry(fex, "mouthSmile", gate=0.05)["mouthSmile"]
    per_recording = rows.groupby(fex["input"].to_numpy())
    assert per_recording.std().max() < 1e-4
    assert rows.abs().max() <= 0.25 + 1e-6
    found = asymmetry_summary(fex, pairs="mouthSmile", gate=0.05).set_index("input")
    np.testing.assert_allclose(found["asymmetry"], per_recording.mean()[found.index], atol=1e-5)
    assert found["asymmetry"].std() > 0.02


def test_real_faces_by_pandas(real_faces: Fex) -> None:
    found = asymmetry_summary(real_faces, pairs=["eyeBlink"], gate=0.3).set_index("input")
    plain = pd.DataFrame(real_faces)
    left, right = plain["eyeBlinkLeft"].astype(float), plain["eyeBlinkRight"].astype(float)
    index = ((left - right) / (left + right)).where(np.maximum(left, right) >= 0.3)
    for name, rows in plain.groupby("input"):
        after = rows["time"].diff().shift(-1)
        weight = after.fillna(rows["time"].diff().median())
        own = index[rows.index]
        kept = own.notna()
        expected = np.average(own[kept], weights=weight[kept]) if kept.any() else np.nan
        assert found.loc[name, "asymmetry"] == pytest.approx(expected, nan_ok=True, rel=1e-5)


# ---------------------------------------------------------------- levels
def test_levels_of_real_faces_by_pandas(real_faces: Fex) -> None:
    found = blendshape_summary(real_faces, shapes=["jawOpen", "browInnerUp"], on=0.2)
    assert found["feature"].tolist() == ["jawOpen", "browInnerUp"] * 10
    plain = pd.DataFrame(real_faces)
    for row in found.itertuples():
        one = plain[plain["input"] == row.input]
        values = one[row.feature].astype(float)
        weight = one["time"].diff().shift(-1).fillna(one["time"].diff().median())
        mean = np.average(values, weights=weight)
        assert row.mean == pytest.approx(mean)
        assert row.sd == pytest.approx(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
        assert row.share_on == pytest.approx(np.average(values >= 0.2, weights=weight))
        assert (row.min, row.max) == pytest.approx((values.min(), values.max()))
        assert row.n_valid == len(one)


def test_wrong_levels() -> None:
    frame = pd.DataFrame({"jawOpen": [0.2]})
    with pytest.raises(FexError, match=r"no column 'jawopen'\. Did you mean 'jawOpen'"):
        blendshape_summary(frame, shapes="jawopen")
    with pytest.raises(MissingGroupError, match="'blendshapes'"):
        blendshape_summary(pd.DataFrame({"AU12": [0.1]}))
    with pytest.raises(OptionError, match="`quantiles` must be at least 0 and at most 1"):
        blendshape_summary(frame, quantiles=[95])
    with pytest.raises(OptionError, match="`on`"):
        blendshape_summary(frame, on=np.nan)


def test_wrong_calls() -> None:
    frame = table([0.5], [0.5], eyeBlinkLeft=0.1)
    with pytest.raises(FexError, match=r"no movement 'mouthsmile' .* Did you mean 'mouthSmile'"):
        blendshape_asymmetry(frame, "mouthsmile")
    with pytest.raises(FexError, match="lacks a side of 'eyeBlink': it needs eyeBlinkLeft and"):
        blendshape_asymmetry(frame, "eyeBlink")
    with pytest.raises(FexError, match="at least one movement"):
        blendshape_asymmetry(frame, [])
    with pytest.raises(MissingGroupError, match="'blendshapes'"):
        blendshape_asymmetry(pd.DataFrame({"AU12": [0.1]}))
    with pytest.raises(MissingGroupError, match="both sides of a movement"):
        blendshape_asymmetry(pd.DataFrame({"jawOpen": [0.1]}))
    with pytest.raises(OptionError, match="`gate` must be at least 0 and at most 1"):
        asymmetry_summary(frame, gate=-0.1)
    with pytest.raises(FexError, match="`by`: there is no column 'subject'"):
        asymmetry_summary(frame, "subject")
