"""``fex.signal``: one public function per method, the operation in the log."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import signal

EVENTS = pd.DataFrame({"onset": [2.0], "stimulus": ["x"]})

CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("interpolate", (), {"max_gap": 0.3, "method": "pchip"}),
    ("smooth", (["AU12"],), {"window": 0.5}),
    ("smooth", (), {"method": "median"}),
    ("filter", ("AU12",), {"high": 4.0, "max_gap": 1.0}),
    ("resample", (10,), {}),
    ("baseline", (), {"window": (0, 2), "mode": "subtract"}),
    ("baseline", (["AU12"],), {"where": "time < 2", "method": "quantile", "quantile": 0.2}),
    ("standardize", (["AU12"],), {}),
    ("epochs", (EVENTS, -1, 1), {"hz": 10, "baseline": (None, 0)}),
    ("regress_out", (["AU01", "AU02"], ["Pitch"]), {"by": "subject"}),
    ("detrend", ("valence",), {"order": 2}),
    ("derivative", ("Yaw",), {}),
    ("mask", ("FaceScore < 0.99",), {"columns": ["AU12"]}),
    ("clip", (), {}),
]


@pytest.fixture(scope="module")
def fex() -> fm.Fex:
    return fm.simulate_study(2, duration=5, missing=0.1, seed=3)[0]


@pytest.mark.parametrize(("name", "arguments", "options"), CALLS, ids=[c[0] for c in CALLS])
def test_a_method_is_its_function_and_the_log_says_so(
    fex: fm.Fex, name: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    result = getattr(fex.signal, name)(*arguments, **options)
    assert type(result) is fm.Fex
    expected = getattr(signal, name)(pd.DataFrame(fex), *arguments, **options)
    assert type(expected) is pd.DataFrame
    pd.testing.assert_frame_equal(pd.DataFrame(result), expected)
    assert len(fex.info.log) == len(result.info.log) - 1
    operation = result.info.log[-1]
    assert operation.name == f"signal.{name}"
    said = {k: v for k, v in options.items() if k not in ("columns",)}
    for key, value in said.items():
        logged = operation.arguments[key]
        assert (tuple(logged) if isinstance(value, (list, tuple)) else logged) == value


def test_tables_are_given_as_they_are(fex: fm.Fex) -> None:
    pd.testing.assert_frame_equal(fex.signal.rates(), signal.rates(fex))
    made = fex.signal.epochs(EVENTS, -1, 1, hz=10)
    pd.testing.assert_frame_equal(
        made.signal.epoch_average("condition"), signal.epoch_average(made, "condition")
    )


def test_a_mask_of_booleans_is_logged_as_a_number(fex: fm.Fex) -> None:
    result = fex.signal.mask(fex["FaceScore"] == 0)
    lost = int((fex["FaceScore"] == 0).sum())
    assert result.info.log[-1].arguments["where"] == f"{lost} rows"


def test_the_default_groups_are_logged(fex: fm.Fex) -> None:
    assert fex.signal.standardize("AU12").info.log[-1].arguments["by"] == ("subject",)


def test_a_chain_reads_well_and_survives_a_file(fex: fm.Fex, tmp_path: Any) -> None:
    clean = (
        fex.signal.interpolate(max_gap=0.3)
        .signal.filter(high=5, max_gap=1.0)
        .signal.resample(15)
        .signal.baseline(window=(0, 1.5))
    )
    clean.to_parquet(tmp_path / "clean.parquet")
    back = fm.read_fex(tmp_path / "clean.parquet")
    assert [o.name for o in back.info.log][-4:] == [
        "signal.interpolate", "signal.filter", "signal.resample", "signal.baseline",
    ]  # fmt: skip
    assert set(back.validate()["check"]) == {
        "range"
    }  # a baseline leaves the range: the log says so


def test_it_says_what_it_can_do(fex: fm.Fex) -> None:
    assert ".resample" in repr(fex.signal)
