"""Tables to write and read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.fex import Fex, FexInfo, fex_from_blocks

SHARED = Path(__file__).parents[2].parent / "shared" / "fex"


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/fex")
    return SHARED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that must hold nothing hidden when the test is over."""
    path = tmp_path / "out"
    path.mkdir()
    yield path
    assert not [p for p in path.rglob(".*") if p.is_file()], "a temporary file was left"


@pytest.fixture
def info() -> FexInfo:
    return FexInfo(
        tool="facemt_analysis 0",
        weights="open",
        options={"every": 1, "groups": ["aus"]},
        log=FexInfo().with_log("smooth", window=5).log,
    )


@pytest.fixture
def make_fex(info: FexInfo):
    """Give a Fex in recordings of equal length, without a face in frame 2."""

    def make(
        rows: int = 12,
        recordings: tuple[str, ...] = ("a.mp4", "b.mp4"),
        groups: tuple[str, ...] = (*schema.FEATURE_GROUPS, "framesizes"),
        seed: int = 0,
    ) -> Fex:
        rng = np.random.default_rng(seed)
        each = rows // len(recordings)
        frame = np.tile(np.arange(each), len(recordings))
        blocks = {}
        for group in groups:
            columns = schema.GROUPS[group].columns
            low, high = np.transpose([schema.range_of(c) for c in columns])
            low, high = np.clip(low, -1000, None), np.clip(high, None, 1000)
            blocks[group] = rng.uniform(low, high, (len(frame), len(columns))).astype(np.float32)
            if group != "framesizes":
                blocks[group][frame == 2] = np.nan
        if "faceboxes" in blocks:
            blocks["faceboxes"][frame == 2, -1] = 0
        keys = pd.DataFrame(
            {
                "input": np.repeat(recordings, each),
                "frame": frame,
                "time": frame / 30,
                "track": np.where(frame == 2, -1, 0),
            }
        )
        return fex_from_blocks(blocks, keys, info)

    return make


@pytest.fixture
def labelled(make_fex) -> Fex:
    """A small Fex with labels of every kind, missing values among them."""
    fex = make_fex(groups=("aus", "va"))
    n = len(fex)
    some = np.arange(n) % 3 == 0
    text = pd.Series([f"s{i % 4}" for i in range(n)])
    return fex.assign(
        text=text,
        text_gaps=text.where(~some, None),
        umlaut=["ä\n,\"'"] * n,
        arm=pd.Categorical(["x", "y"] * (n // 2), categories=["z", "y", "x"], ordered=True),
        arm_gaps=pd.Categorical(np.where(some, None, "x"), categories=["y", "x"]),
        level=pd.Categorical([1, 3] * (n // 2), categories=[3, 2, 1]),
        level_gaps=pd.Categorical.from_codes(np.where(some, -1, 0), categories=[5, 4]),
        number=np.arange(n),
        small=np.arange(n, dtype=np.int8),
        real=np.linspace(0, 1, n) / 3,
        yes=some,
        maybe=pd.array([True, False, None] * (n // 3), dtype="boolean"),
        whole=pd.array([1, None, 3] * (n // 3), dtype="Int64"),
        when=pd.date_range("2026-01-01", periods=n, freq="ms"),
        where_when=pd.date_range("2026-01-01", periods=n, tz="Europe/Berlin"),
        lasted=pd.to_timedelta(np.arange(n), unit="s"),
        nothing=pd.Series([None] * n, dtype=object),
    )


@pytest.fixture
def not_root() -> None:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("the super-user may write anywhere")
