"""For each pandas operation: exact type of the result, and whether the metadata came along.

The losses are pandas' own, marked as strict expected failures so that a change is noticed.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import read_fex
from facemt_analysis.fex import Fex, FexInfo

PANDAS_3 = int(pd.__version__.split(".")[0]) >= 3
INFO = FexInfo(weights="open", weights_sha256="ab" * 32, options={"every": 1})
OTHER = FexInfo(weights="open", weights_sha256="cd" * 32, options={"every": 1})
N = 12


def make(info: FexInfo = INFO) -> Fex:
    rng = np.random.default_rng(0)
    return Fex(
        {
            "input": ["a.mp4"] * (N // 2) + ["b.mp4"] * (N // 2),
            "frame": [*range(N // 2)] * 2,
            "time": np.arange(N) / 30,
            "track": 0,
            "AU01": rng.random(N, np.float32),
            "AU12": rng.random(N, np.float32),
            "valence": rng.random(N, np.float32),
            "condition": pd.Categorical(["x", "y"] * (N // 2)),
        },
        info=info,
    )


def _numeric(fex: Fex) -> Fex:
    return fex[["AU01", "AU12", "valence"]]


def _timed(fex: Fex) -> Fex:
    when = pd.to_datetime(fex["time"], unit="s").astype("datetime64[ns]")
    return _numeric(fex).set_index(when)


def _explode(fex: Fex) -> Fex:
    return fex.assign(trial=[[1, 2]] * N).explode("trial")


PLAIN = pd.DataFrame({"input": ["a.mp4", "b.mp4"], "subject": [1, 2]})
UNKNOWN_AUS = pd.DataFrame({"input": ["c.mp4"], "AU01": np.zeros(1, np.float32)})

# operation -> Fex with the same metadata
KEPT = {
    "copy": lambda f: f.copy(),
    "copy shallow": lambda f: f.copy(deep=False),
    "slice": lambda f: f[2:5],
    "iloc": lambda f: f.iloc[[0, 3]],
    "loc rows and columns": lambda f: f.loc[2:5, ["AU01", "AU12"]],
    "mask": lambda f: f[f["AU12"] > 0.5],
    "mask to nothing": lambda f: f[f["AU12"] > 5],
    "query": lambda f: f.query("AU12 > 0.5 and input == 'a.mp4'"),
    "columns": lambda f: f[["AU12"]],
    "filter": lambda f: f.filter(like="AU"),
    "select_dtypes": lambda f: f.select_dtypes("number"),
    "head": lambda f: f.head(2),
    "tail": lambda f: f.tail(2),
    "sample": lambda f: f.sample(3, random_state=1),
    "nlargest": lambda f: f.nlargest(2, "AU12"),
    "drop": lambda f: f.drop(columns="AU01"),
    "dropna": lambda f: f.dropna(),
    "drop_duplicates": lambda f: f.drop_duplicates("input"),
    "rename": lambda f: f.rename(columns={"AU01": "brow"}),
    "assign": lambda f: f.assign(smile=f["AU12"] > 0.5),
    "sort_values": lambda f: f.sort_values("AU12"),
    "sort_index": lambda f: f.sort_index(ascending=False),
    "set_index": lambda f: f.set_index("frame"),
    "reset_index": lambda f: f.reset_index(),
    "set_index and back": lambda f: f.set_index(["input", "frame"]).reset_index(),
    "xs": lambda f: f.set_index(["input", "frame"]).xs("a.mp4"),
    "reindex": lambda f: f.reindex(range(20)),
    "reindex columns": lambda f: f.reindex(columns=["AU12", "AU43"]),
    "astype": lambda f: f.astype({"AU12": "float64"}),
    "convert_dtypes": lambda f: f.convert_dtypes(),
    "fillna": lambda f: f.fillna({"AU12": 0.0}),
    "isna": lambda f: f.isna(),
    "where": lambda f: _numeric(f).where(lambda x: x > 0.5),
    "clip": lambda f: _numeric(f).clip(0, 0.5),
    "round": lambda f: f.round(2),
    "replace": lambda f: f.replace({"input": {"a.mp4": "c.mp4"}}),
    "interpolate": lambda f: _numeric(f).interpolate(),
    "shift": lambda f: f.shift(1),
    "diff": lambda f: _numeric(f).diff(),
    "cumsum": lambda f: _numeric(f).cumsum(),
    "rank": lambda f: _numeric(f).rank(),
    "arithmetic": lambda f: _numeric(f) * 2 - _numeric(f).mean(),
    "compare": lambda f: _numeric(f) > 0.5,
    "numpy function": lambda f: np.log(_numeric(f) + 1),
    "eval": lambda f: f.eval("smile = AU12 * 2"),
    "pipe": lambda f: f.pipe(lambda x: x.head(3)),
    "apply columns": lambda f: _numeric(f).apply(lambda c: c - c.mean()),
    "apply rows": lambda f: _numeric(f).apply(lambda r: r - r.mean(), axis=1),
    "map": lambda f: _numeric(f).map(lambda v: v + 1),
    "transform": lambda f: _numeric(f).transform(lambda c: c - c.mean()),
    "explode": _explode,
    "quantile": lambda f: _numeric(f).quantile([0.1, 0.9]),
    "groupby mean": lambda f: f.groupby("input")[["AU01", "AU12"]].mean(),
    "groupby sum": lambda f: f.groupby("input")[["AU01", "AU12"]].sum(),
    "groupby two keys": lambda f: (
        f.groupby(["input", "condition"], observed=True)[["AU12"]].mean()
    ),
    "groupby head": lambda f: f.groupby("input").head(1),
    "groupby filter": lambda f: f.groupby("input").filter(lambda g: len(g) > 2),
    "groupby apply": lambda f: f.groupby("input")[["AU01", "AU12"]].apply(lambda g: g.head(2)),
    "groupby shift": lambda f: f.groupby("input")[["AU12"]].shift(),
    "groupby transform": lambda f: f.groupby("input")[["AU12"]].transform(lambda c: c - c.mean()),
    "resample": lambda f: _timed(f).resample("100ms").mean(),
    "asfreq": lambda f: _timed(f.head(1)).asfreq("100ms"),
    "pickle": lambda f: pickle.loads(pickle.dumps(f)),
    "copy.copy": lambda f: copy.copy(f),
    "deepcopy": lambda f: copy.deepcopy(f),
    "Fex of a Fex": Fex,
    "Fex of a Fex with options": lambda f: Fex(f, columns=["AU12"], copy=True),
    "concat of one table's halves": lambda f: pd.concat([f.head(3), f.tail(3)]),
    "concat with equal metadata": lambda f: pd.concat([f, make()], ignore_index=True),
    "concat with keys": lambda f: pd.concat({"one": f, "two": f}),
    "concat of labels beside": lambda f: pd.concat([f, pd.DataFrame({"trial": range(N)})], axis=1),
    "concat of a Series beside": lambda f: pd.concat([f, pd.Series(range(N), name="s")], axis=1),
    "concat of a changed column beside": lambda f: pd.concat(
        [f.drop(columns="AU12"), f["AU12"].rolling(3).mean()], axis=1
    ),
    "concat with an empty frame": lambda f: pd.concat([f, UNKNOWN_AUS.head(0)[["AU01"]]]),
    "merge of labels": lambda f: f.merge(PLAIN, on="input"),
    "pd.merge of labels": lambda f: pd.merge(f, PLAIN, on="input", how="left"),  # noqa: PD015
    "merge_asof": lambda f: pd.merge_asof(
        f, pd.DataFrame({"time": [0.0, 0.2], "event": [1, 2]}), on="time"
    ),
    "join": lambda f: f.join(PLAIN.set_index("input"), on="input"),
    "join a Series": lambda f: f.join(PLAIN.set_index("input")["subject"], on="input"),
    "get_dummies": lambda f: pd.get_dummies(f, columns=["condition"]),
    "combine_first": lambda f: _numeric(f).combine_first(_numeric(f)),
    "update by assignment": lambda f: f.assign(AU12=0.0),
    "Fex.concat": lambda f: Fex.concat({"one": f, "two": make()}),
    "select": lambda f: f.select("a.mp4", 0),
    # a Fex by type only: there are no rows of faces any more
    "T": lambda f: f.T,
    "corr": lambda f: _numeric(f).corr(),
    "melt": lambda f: f.melt("frame", ["AU01", "AU12"]),
    "pivot_table": lambda f: f.pivot_table(index="frame", columns="input", values="AU12"),
    "unstack": lambda f: f.set_index(["input", "frame"])[["AU12"]].unstack(),  # noqa: PD010
}  # fmt: skip


def _fex_without_info(reason: str, when: bool = True) -> pytest.MarkDecorator:
    return pytest.mark.xfail(when, reason=reason, strict=True)


_NOT_FINALISED = _fex_without_info("pandas builds the result from its manager, never finalised")
LOST = {
    "rolling": (lambda f: _numeric(f).rolling(3).mean(), _NOT_FINALISED),
    "ewm": (lambda f: _numeric(f).ewm(span=3).mean(), _NOT_FINALISED),
    "groupby rolling": (
        lambda f: f.groupby("input")[["AU12"]].rolling(3).mean(),
        _NOT_FINALISED,
    ),
    "groupby cumsum": (
        lambda f: f.groupby("input")[["AU12"]].cumsum(),
        _fex_without_info("pandas does not finalise transforms by name"),
    ),
    "from_dict": (
        lambda f: Fex.from_dict(f.to_dict("list")),
        _fex_without_info("a class method: there is no table to take it from"),
    ),
    "from_records": (
        lambda f: Fex.from_records(f.to_dict("records")),
        _fex_without_info("a class method: there is no table to take it from"),
    ),
    "concat, plain frame first": (
        lambda f: pd.concat([PLAIN, f]),
        _fex_without_info("pandas takes the class of the first table"),
    ),
    "merge into a plain frame": (
        lambda f: PLAIN.merge(f, on="input"),
        _fex_without_info("pandas takes the class of the left table"),
    ),
    "CSV": (
        lambda f: Fex(pd.read_csv(io.StringIO(f.to_csv(index=False)))),
        _fex_without_info("a CSV file has no place for it"),
    ),
}


def _check(result: object, info: FexInfo) -> None:
    assert type(result) is Fex
    assert result.info == info


@pytest.mark.parametrize("operation", KEPT.values(), ids=KEPT.keys())
def test_type_and_metadata_are_kept(operation) -> None:
    _check(operation(make()), INFO)


@pytest.mark.parametrize(
    "operation", [pytest.param(op, marks=mark, id=name) for name, (op, mark) in LOST.items()]
)
def test_known_losses(operation) -> None:
    _check(operation(make()), INFO)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(lambda f: f["AU12"], id="column"),
        pytest.param(lambda f: f.AU12, id="attribute"),
        pytest.param(lambda f: f.iloc[0], id="row"),
        pytest.param(lambda f: f.loc[0], id="row by label"),
        pytest.param(lambda f: _numeric(f).mean(), id="mean"),
        pytest.param(lambda f: _numeric(f).sum(axis=1), id="sum of rows"),
        pytest.param(lambda f: _numeric(f).stack(), id="stack"),  # noqa: PD013
        pytest.param(lambda f: f.dtypes, id="dtypes"),
        pytest.param(lambda f: f.memory_usage(), id="memory_usage"),
        pytest.param(lambda f: _numeric(f).idxmax(), id="idxmax"),
        pytest.param(lambda f: f.groupby("input")["AU12"].mean(), id="groupby of a column"),
        pytest.param(lambda f: f.groupby("input").size(), id="groupby size"),
    ],
)  # fmt: skip
def test_series_are_plain(operation) -> None:
    assert type(operation(make())) is pd.Series


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(lambda f: f.describe(), id="describe"),
        pytest.param(lambda f: f.groupby("input").agg({"AU12": "mean"}), id="groupby agg dict"),
        pytest.param(lambda f: _numeric(f).agg(["mean", "std"]), id="agg list"),
        pytest.param(
            lambda f: f.pivot(index="frame", columns="input", values="AU12"),  # noqa: PD010
            id="pivot",
        ),
        pytest.param(lambda f: f.aus, id="feature group"),
        pytest.param(lambda f: f.validate(), id="validate"),
    ],
)
def test_tables_of_something_else_are_plain(operation) -> None:
    assert type(operation(make())) is pd.DataFrame


def test_concat_of_different_metadata_keeps_what_is_equal() -> None:
    both = pd.concat([make(), make(OTHER)])
    _check(both, FexInfo(weights="open", options={"every": 1}))
    _check(pd.concat([make(), make(OTHER), make()]), both.info)


def test_merge_and_join_of_different_metadata_keep_what_is_equal() -> None:
    expected = FexInfo(weights="open", options={"every": 1})
    right = make(OTHER)[["input", "frame", "valence"]].rename(columns={"valence": "arousal"})
    _check(make().drop(columns="valence").merge(right, on=["input", "frame"]), expected)
    _check(make().join(right[["arousal"]]), expected)


def test_rows_of_unknown_origin_make_everything_unknown() -> None:
    _check(pd.concat([make(), UNKNOWN_AUS]), FexInfo())
    _check(make()[["input", "valence"]].merge(UNKNOWN_AUS, on="input", how="outer"), FexInfo())


def test_a_row_of_unknown_origin_makes_everything_unknown() -> None:
    fex = make()[["AU12"]]
    _check(pd.concat([fex, Fex({"AU12": [0.5]})]), FexInfo())


@pytest.mark.xfail(not PANDAS_3, reason="pandas 2 takes it from the left table", strict=True)
def test_arithmetic_of_different_metadata_keeps_what_is_equal() -> None:
    _check(_numeric(make()) - _numeric(make(OTHER)), FexInfo(weights="open", options={"every": 1}))


def test_operations_of_ours_are_in_the_log_and_nothing_else_changes() -> None:
    fex = make()
    labelled = fex.label({"a.mp4": {"subject": 1}, "b.mp4": {"subject": 2}})
    clean = labelled.quality.exclude()
    assert [str(r).split("(")[0] for r in clean.info.log] == ["label", "quality.exclude"]
    assert dataclasses.replace(clean.info, log=()) == INFO
    assert type(clean) is Fex


def test_files_keep_it_where_there_is_a_place(tmp_path: Path) -> None:
    fex = make()
    fex.to_parquet(tmp_path / "fex.parquet")
    _check(read_fex(tmp_path / "fex.parquet"), INFO)
    assert type(pd.read_parquet(tmp_path / "fex.parquet")) is pd.DataFrame
    fex.to_pickle(tmp_path / "fex.pickle")
    _check(pd.read_pickle(tmp_path / "fex.pickle"), INFO)


def test_attrs_travel_as_pandas_does_it() -> None:
    fex = make()
    fex.attrs["study"] = "s1"
    assert fex.head(2).attrs == {"study": "s1"}
    assert pickle.loads(pickle.dumps(fex)).attrs == {"study": "s1"}


def test_class_has_a_default_for_objects_made_without_init() -> None:
    assert _numeric(make()).rolling(2).sum().info == FexInfo()


def test_metadata_is_not_shared_by_reassignment() -> None:
    fex = make()
    part = Fex(fex.head(2), info=OTHER)
    assert fex.info == INFO
    assert part.info == OTHER


def test_edits_of_a_copy_do_not_reach_the_original() -> None:
    fex = make()
    part = fex.iloc[:3].copy()
    part["AU12"] = np.float32(9)
    assert (fex["AU12"] < 1).all()


def test_dtypes_stay_float32() -> None:
    fex = pd.concat([make(), make(OTHER)], ignore_index=True)
    assert (fex[["AU01", "AU12", "valence"]].dtypes == np.float32).all()
    assert (_numeric(fex).rolling(2).mean().dtypes == np.float64).all()  # pandas' choice, known
