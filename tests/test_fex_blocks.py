"""A Fex from arrays: right columns, one block of memory, clear errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo, fex_from_blocks

GROUPS = (*schema.FEATURE_GROUPS, "framesizes")


def _keys(n: int, start: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "frame": np.arange(start, start + n),
            "input": "a.mp4",
            "track": 0,
            "time": np.arange(n) / 30,
            "subject": "s",
        }
    )


def _blocks(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = {g: len(schema.GROUPS[g].columns) for g in GROUPS}
    return {g: rng.random((n, sizes[g])) for g in reversed(GROUPS)}


def test_columns_are_in_canonical_order_and_values_in_place() -> None:
    blocks = _blocks(4)
    fex = fex_from_blocks(blocks, _keys(4), FexInfo(weights="open"))
    assert type(fex) is Fex
    assert fex.info.weights == "open"
    assert list(fex.columns) == schema.canonical_order(fex.columns)
    assert fex.columns[-1] == "subject"
    for group, block in blocks.items():
        np.testing.assert_array_equal(getattr(fex, group), block.astype(np.float32))
        assert (getattr(fex, group).dtypes == np.float32).all()
    assert fex.validate().query("check != 'range'").empty


def test_features_are_one_block_and_concat_consolidates() -> None:
    parts = [fex_from_blocks(_blocks(7, i), _keys(7, 7 * i)) for i in range(5)]
    assert sum(b.dtype == np.float32 for b in parts[0]._mgr.blocks) == 1
    whole = pd.concat(parts, ignore_index=True)
    assert sum(b.dtype == np.float32 for b in whole._mgr.blocks) == 1
    assert len(whole) == 35
    assert (whole[schema.feature_columns(whole.columns)].dtypes == np.float32).all()


def test_points_are_laid_out_axis_by_axis() -> None:
    points = np.arange(2 * 478 * 3).reshape(2, 478, 3)
    fex = fex_from_blocks({"meshes": points, "landmarks": points[:, :68, :2]}, _keys(2))
    assert fex["mesh_z_5"].tolist() == points[:, 5, 2].tolist()
    assert fex["x_67"].tolist() == points[:, 67, 0].tolist()
    assert fex["y_0"].tolist() == points[:, 0, 1].tolist()


@pytest.mark.parametrize(
    ("group", "width", "last"),
    [
        ("aus", 20, "AU43"),
        ("aus", 24, "AU45"),
        ("emotions", 7, "Anger"),
        ("emotions", 8, "Contempt"),
    ],
)
def test_networks_of_other_sizes(group: str, width: int, last: str) -> None:
    block = np.random.default_rng(0).random((3, width)).astype(np.float32)
    fex = fex_from_blocks({group: block}, _keys(3))
    columns = schema.au_columns(width) if group == "aus" else schema.emotion_columns(width)
    assert columns[-1] == last
    np.testing.assert_array_equal(fex[list(columns)], block)


def test_no_blocks_and_no_rows() -> None:
    assert list(fex_from_blocks({}, _keys(2)).columns) == [*schema.KEYS, "subject"]
    empty = fex_from_blocks(_blocks(0), _keys(0))
    assert empty.shape == (
        0,
        len(schema.KEYS) + 1 + sum(len(schema.GROUPS[g].columns) for g in GROUPS),
    )
    assert (empty.aus.dtypes == np.float32).all()


def test_index_and_keys_are_kept() -> None:
    keys = _keys(3).set_axis([5, 5, 9], axis=0)
    fex = fex_from_blocks({"va": np.zeros((3, 2))}, keys)
    assert fex.index.tolist() == [5, 5, 9]
    assert fex["frame"].dtype == np.int64
    keys["frame"] = 0
    assert fex["frame"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({"au": np.zeros((2, 20))}, "Unknown group 'au'"),
        ({"aus": np.zeros((2, 21))}, "must have 20 or 24 columns, but got 21"),
        ({"va": np.zeros((3, 2))}, r"shape \(2, columns\).*\(3, 2\)"),
        ({"va": np.zeros(2)}, r"but got \(2,\)"),
        ({"keys": np.zeros((2, 4))}, "give them as the frame `keys`"),
    ],
)
def test_wrong_blocks_are_named(blocks: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(FexError, match=message):
        fex_from_blocks(blocks, _keys(2))


def test_a_column_given_twice_is_refused() -> None:
    keys = _keys(2).assign(valence=0.0)
    with pytest.raises(FexError, match="both have the column 'valence'"):
        fex_from_blocks({"va": np.zeros((2, 2))}, keys)
