"""The schema is consistent, agrees with the weights' facts, and the docs agree with it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from facemt_analysis import schema

ROOT = Path(__file__).parents[1]
PYFEAT_CSV = ROOT.parent / "shared" / "fex" / "001.csv"


def test_every_column_has_one_group() -> None:
    columns = [c for group in schema.GROUPS.values() for c in group.members]
    assert len(columns) == len(set(columns))


def test_counts_of_the_published_network() -> None:
    counts = {name: len(group.columns) for name, group in schema.GROUPS.items()}
    assert counts == {
        "keys": 4, "faceboxes": 5, "landmarks": 136, "poses": 6, "aus": 20, "intensities": 0,
        "emotions": 7, "va": 2, "gazes": 3, "meshes": 1434, "blendshapes": 52, "framesizes": 2,
    }  # fmt: skip


def test_no_column_hides_behind_a_property() -> None:
    names = set(schema.GROUPS) | {g.accessor for g in schema.GROUPS.values()}
    assert not names & {c for g in schema.GROUPS.values() for c in g.members}


def test_dlib_points_are_distinct_vertices() -> None:
    points = schema.DLIB68_FROM_MESH
    assert len(points) == len(set(points)) == 68
    assert max(points) < 468  # none of them is an iris point


@pytest.mark.parametrize("n", [20, 24])
def test_au_orders_are_numeric(n: int) -> None:
    columns = schema.au_columns(n)
    assert len(columns) == n
    assert list(columns) == sorted(columns)


def test_unknown_widths_are_refused() -> None:
    with pytest.raises(KeyError, match="20 or 24"):
        schema.au_columns(17)
    with pytest.raises(KeyError, match="7 or 8"):
        schema.emotion_columns(5)


def test_canonical_order_sorts_optional_aus_by_number() -> None:
    assert schema.canonical_order(["AU45", "AU16", "AU15", "AU17"]) == [
        "AU15", "AU16", "AU17", "AU45",
    ]  # fmt: skip


@pytest.mark.skipif(not PYFEAT_CSV.exists(), reason="needs ../shared/fex")
def test_order_agrees_with_the_published_table() -> None:
    header = PYFEAT_CSV.read_text().splitlines()[0].split(",")
    for name in ("aus", "emotions", "va", "blendshapes", "landmarks", "poses", "meshes"):
        columns = schema.GROUPS[name].columns
        assert tuple(c for c in header if c in set(columns)) == columns


def test_docs_are_made_from_the_schema() -> None:
    path = ROOT / "tools" / "make_column_docs.py"
    spec = importlib.util.spec_from_file_location("make_column_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run python tools/make_column_docs.py"
