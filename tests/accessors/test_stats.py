"""``fex.stats`` hands over to the functions."""

from __future__ import annotations

import inspect

import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis import stats
from facemt_analysis.accessors.stats import StatsAccessor

METHODS = [name for name in vars(StatsAccessor) if not name.startswith("_")]


@pytest.fixture(scope="module")
def fex() -> fm.Fex:
    return fm.datasets.load_sample_study()


@pytest.mark.parametrize("name", METHODS)
def test_arguments_are_those_of_the_function(name: str) -> None:
    ours = inspect.signature(getattr(StatsAccessor, name)).parameters
    theirs = inspect.signature(getattr(stats, name)).parameters
    for parameter, value in ours.items():
        if parameter not in ("self", "options"):
            assert parameter in theirs
            assert value.default == theirs[parameter].default, parameter
    assert getattr(stats, name).__doc__


CALLS = {
    "summarize": lambda s: (s.summarize("condition", features="AU12"),
                            lambda f: stats.summarize(f, by="condition", features="AU12")),
    "compare": lambda s: (s.compare("AU12", condition="condition"),
                          lambda f: stats.compare(f, "AU12", condition="condition")),
    "missing_cells": lambda s: (
        s.missing_cells("AU12", condition="condition"),
        lambda f: stats.missing_cells(f, "AU12", condition="condition")),
    "sensitivity": lambda s: (s.sensitivity("AU12", condition="condition"),
                              lambda f: stats.sensitivity(f, "AU12", condition="condition")),
    "mixed": lambda s: (s.mixed("AU12", condition="condition").table,
                        lambda f: stats.mixed(f, "AU12", condition="condition").table),
    "agreement": lambda s: (s.agreement(pd.DataFrame(s._fex)[["input", "frame", "AU12"]],
                                        n_boot=100),
                            lambda f: stats.agreement(f, f[["input", "frame", "AU12"]],
                                                      n_boot=100)),
    "isc": lambda s: (
        s.isc("AU12", condition="condition", n_permutations=20).table,
        lambda f: stats.isc(f, "AU12", condition="condition", n_permutations=20).table),
    "cluster_permutation": lambda s: (
        s.cluster_permutation("AU12", condition="condition", n_permutations=50).table,
        lambda f: stats.cluster_permutation(f, "AU12", condition="condition",
                                            n_permutations=50).table),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_results_are_plain_and_those_of_the_function(fex: fm.Fex, call: object) -> None:
    ours, function = call(fex.stats)
    assert type(ours) is pd.DataFrame
    pd.testing.assert_frame_equal(ours, function(pd.DataFrame(fex)))


def test_dyads() -> None:
    fex, _ = fm.simulate_dyads(4, duration=12, fps=10, seed=1)
    ours = fex.stats.synchrony("AU12", n_permutations=20)
    theirs = stats.synchrony(pd.DataFrame(fex), "AU12", n_permutations=20)
    pd.testing.assert_frame_equal(ours.table, theirs.table)
