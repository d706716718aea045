"""The data that comes with the package is what it says it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import datasets, schema
from facemt_analysis.datasets.sample_study import sample_study_path
from facemt_analysis.errors import FexError


@pytest.fixture(scope="module")
def stored():
    return datasets.load_sample_study()


@pytest.fixture(scope="module")
def made():
    return datasets.make_sample_study()


def test_stored_study_is_what_the_generator_gives(stored, made) -> None:
    fex, _ = made
    features = schema.feature_columns(fex.columns)
    assert list(stored.columns) == list(fex.columns)
    for name in [c for c in fex if c not in features]:
        pd.testing.assert_series_equal(stored[name], fex[name], check_dtype=False)
    assert (stored.isna() == fex.isna()).all(axis=None)
    # one unit of the last decimal: exponentials differ in the last bit between processors
    for name in features:
        step = {"aus": 0.01, "emotions": 0.01, "va": 0.01}.get(str(schema.group_of(name)), 0.001)
        step = 1.0 if name.startswith("FaceRect") else step
        apart = (stored[name] - fex[name]).abs()
        assert apart.max() <= step * 1.001
        assert (apart > step / 2).mean() < 0.001


def test_metadata_says_how_it_was_made(stored, made) -> None:
    options = dict(stored.info.options)
    assert options["simulated"] is True
    assert options["seed"] == datasets.SAMPLE_STUDY["seed"]
    assert options == dict(made[0].info.options)


def test_file_is_small() -> None:
    assert len(sample_study_path().read_bytes()) <= 200_000


def test_study_is_a_proper_fex_with_missing_frames(stored) -> None:
    assert not len(stored.validate())
    lost = (stored["track"] == -1).mean()
    assert 0.005 < lost < 0.1
    assert stored.groupby("subject")["condition"].nunique().eq(2).all()


def test_rounding_leaves_the_planted_effects(stored, made) -> None:
    _, truth = made
    effects = truth.effects.set_index("feature")
    features = ["AU12", "AU06", "Happy"]
    means = pd.DataFrame(stored).groupby(["condition", "subject"])[features].mean().astype(float)
    difference = means.loc["funny"] - means.loc["neutral"]
    found = difference.mean() / difference.std()
    np.testing.assert_allclose(found, effects.loc[found.index, "realised"], atol=0.02)
    assert (found > 0.8).all()


def test_described_as_it_is(stored) -> None:
    info = datasets.describe("sample_study")
    assert info.rows == len(stored)
    assert info.recordings == len(stored.recordings)
    text = str(info)
    for part in (info.licence, info.citation, "3,840 rows, 32 recordings"):
        assert part in text
    table = datasets.available()
    assert table.columns.tolist() == [
        "name", "title", "description", "licence", "citation", "rows", "recordings"
    ]  # fmt: skip
    pd.testing.assert_frame_equal(datasets.load("sample_study"), stored)


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(FexError, match=r"no data set 'sample', but sample_study\. Did you mean"):
        datasets.load("sample")
