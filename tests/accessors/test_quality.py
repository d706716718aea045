"""``fex.quality`` from end to end: a real study, cleaned and documented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import measures
from facemt_analysis.fex import Fex, FexInfo

DOCS = Path(__file__).parents[2] / "docs" / "quality.md"


@pytest.fixture(scope="module")
def study() -> Fex:
    return fm.datasets.load_sample_study()


def test_methods_are_the_functions(study: Fex) -> None:
    pd.testing.assert_frame_equal(study.quality.report(), measures.quality_report(study))
    pd.testing.assert_frame_equal(
        study.quality.findings("condition", hz=5),
        measures.quality_findings(study, "condition", hz=5),
    )
    limits = measures.QualityLimits(yaw_deg=5)
    pd.testing.assert_frame_equal(
        study.quality.flag(limits), measures.quality_flags(study, yaw_deg=5)
    )
    pd.testing.assert_frame_equal(study.quality.confounds(), measures.find_confounds(study))
    pd.testing.assert_series_equal(study.quality.talking(), measures.talking(study))


def test_exclude_is_a_fex_and_says_what_it_did(study: Fex) -> None:
    clean = study.quality.exclude(yaw_deg=6, reasons="turned_away")
    flags = study.quality.flag(yaw_deg=6)
    assert type(clean) is Fex
    assert len(clean) == len(study)
    assert clean["AU12"].isna().sum() == (flags["no_face"] | flags["turned_away"]).sum()
    pd.testing.assert_frame_equal(clean.keys, study.keys)
    record = clean.info.log[-1]
    assert record.name == "quality.exclude"
    assert record.arguments["rows"] == flags["turned_away"].sum()
    assert record.arguments["reasons"] == {"turned_away": record.arguments["rows"]}
    assert record.arguments["limits"]["yaw_deg"] == 6
    assert clean.info.weights == study.info.weights
    assert FexInfo.from_json(clean.info.to_json()) == clean.info


def test_exclude_can_be_done_again_from_its_record(study: Fex) -> None:
    clean = study.quality.exclude(yaw_deg=6, pitch_deg=12, drop="serious")
    limits = measures.QualityLimits(**clean.info.log[-1].arguments["limits"])
    again = study.quality.exclude(limits=limits, drop="serious")
    pd.testing.assert_frame_equal(pd.DataFrame(clean), pd.DataFrame(again))


def test_statistics_after_exclusion_leave_the_rows_out(study: Fex) -> None:
    flags = study.quality.flag(yaw_deg=6)
    clean = study.quality.exclude(yaw_deg=6)
    kept = study[~flags["flagged"].to_numpy()]
    expected = kept.groupby("condition", observed=True)["AU12"].mean()
    got = clean.groupby("condition", observed=True)["AU12"].mean()
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_any_table_will_do() -> None:
    fex = Fex({"AU12": [0.1, 0.2]})
    assert fex.quality.report()["share_valid"].tolist() == [1.0]
    assert not fex.quality.flag()["flagged"].any()
    assert fex.quality.exclude()["AU12"].tolist() == [0.1, 0.2]


def test_docs_name_every_column_reason_and_limit() -> None:
    text = DOCS.read_text()
    for reason in measures.REASONS:
        assert f"`{reason}`" in text
    limits = measures.QualityLimits()
    for name, value in vars(limits).items():
        assert f"`{name}`" in text, name
        if isinstance(value, float):
            assert f"{value:g}" in text, name
    for column in measures.quality_report(Fex({"AU12": [0.1]})).columns:
        known = f"`{column}`" in text or column.startswith("share_") or column.endswith("_deg")
        assert known, column
