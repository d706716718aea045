"""The public ways in for a file, each with what has to be true of what comes out.

A door takes the file (or folder), a folder it may write into, and a random generator; it gives a
word for what came out, or raises. `WrongResult` says that what came out is not valid.
"""

from __future__ import annotations

import io
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

import facemt_analysis as fm
from facemt_analysis.errors import FacemtError
from fuzz.seeds_files import small_checkpoint

__all__ = ["DOORS", "WrongResult", "message_fault", "warm_up"]


class WrongResult(Exception):
    """What came out is neither valid nor a named error."""


def message_fault(error: BaseException | str, path: Path) -> str | None:
    """Say what is wrong with a message: it must be one plain line that names the file."""
    text = str(error)
    if path.name not in text:
        return f"the message does not name the file: {text[:200]}"
    if not all(c.isprintable() for c in text):
        return f"the message is not one plain line: {text[:300]!r}"
    if len(text) > 4000:
        return f"the message has {len(text)} characters: {text[:200]}"
    return None


# ------------------------------------------------------------------ media
def _open_frames(path: Path, out: Path, rng: Random) -> str:
    return _frames(path, {})


def _ranges(path: Path, out: Path, rng: Random) -> str:
    choices: list[dict[str, Any]] = [
        {"every": rng.choice((2, 7, 15))}, {"fps": rng.choice((1.0, 10.0, 1000.0))},
        {"start": 0.3}, {"start": 0.2, "stop": 0.6}, {"stop": 0.3}, {"start": 1e9},
    ]  # fmt: skip
    return _frames(path, rng.choice(choices))


def _frames(path: Path, options: dict[str, Any]) -> str:
    from facemt_analysis.detection import open_recordings

    n = 0
    for recording in open_recordings(path):
        info = recording.describe()
        _require((info.width or 0) > 0 and (info.height or 0) > 0, f"describe() gives {info}")
        recording.count(**options if recording.has_clock else {})
        last_index, last_time = -1, -math.inf
        for frame in recording.frames(**options if recording.has_clock else {}):
            image = frame.image
            _require(image.dtype == np.uint8, f"frame of {image.dtype}")
            _require(image.ndim == 3 and image.shape[2] == 3, f"frame of {image.shape}")
            _require(frame.index > last_index, f"index {frame.index} after {last_index}")
            if recording.has_clock:
                _require(frame.time > last_time, f"time {frame.time} after {last_time}")
                _require(math.isfinite(frame.time), f"time {frame.time}")
                last_time = frame.time
            else:
                _require(math.isnan(frame.time), f"time {frame.time} without a clock")
            last_index = frame.index
            n += 1
        for problem in recording.problems:
            _require(problem.isprintable(), f"problem of several lines: {problem!r}")
    _require(n > 0, "no frame and no error")
    return "frames"


def _random_access(path: Path, out: Path, rng: Random) -> str:
    from facemt_analysis.detection.media.random_access import FrameReader

    with FrameReader(path, width=64) as reader:
        for time in (0.0, rng.uniform(0, 1), reader.length or 0.0, 0.1, 1e9):
            shown = reader.at(time)
            _require(math.isfinite(shown.time), f"time {shown.time}")
            _require(shown.image.ndim == 3, f"frame of {shown.image.shape}")
    return "frames"


def _middle(image: np.ndarray) -> list[list[float]]:
    height, width = image.shape[:2]
    return [[width / 4, height / 4, width * 3 / 4, height * 3 / 4, 0.9]]


@cache
def _detector() -> fm.Detector:
    return fm.Detector(sys.argv[2], face_detector=_middle, device="cpu", batch_size=8)


def warm_up() -> None:
    """Load what a case may need, so that no case pays for it, and what libraries set up once."""
    import av  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import torch

    import facemt_analysis.cli  # noqa: F401

    torch.set_num_threads(1)
    weights = Path(sys.argv[2])
    if not weights.exists():
        small_checkpoint(weights)
    _detector().detect(np.full((2, 40, 60, 3), 99, np.uint8), progress=False)


def _detect(path: Path, out: Path, rng: Random) -> str:
    fex = _detector().detect(path, progress=False)
    problems = fex.validate()
    _require(problems.empty, f"detect gives a table with problems: {problems.to_dict('records')}")
    fex.to_parquet(out / "table.parquet")
    pd.testing.assert_frame_equal(pd.DataFrame(fm.read_fex(out / "table.parquet")), _plain(fex))
    return "table"


def _plain(fex: fm.Fex) -> pd.DataFrame:
    return pd.DataFrame(fex).reset_index(drop=True)


# ------------------------------------------------------------------ the command line
def _info(path: Path, out: Path, rng: Random) -> str:
    from facemt_analysis.cli import main

    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        code = main(["info", str(path), *(["--json"] if rng.random() < 0.5 else [])])
    lines = complained.getvalue().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    strange = [line for line in lines if not line.startswith(("error: ", "warning: "))]
    _require(not strange, f"facemt info wrote: {strange}")
    _require(code == (2 if errors else 0), f"facemt info: exit code {code} with {errors}")
    if not errors:
        _require(bool(said.getvalue().strip()), "facemt info said nothing")
        return "description"
    if fault := message_fault(errors[0], path):
        raise WrongResult(f"facemt info: {fault}")
    return "error"


# ------------------------------------------------------------------ checkpoints
def _load_checkpoint(path: Path, out: Path, rng: Random) -> str:
    import torch

    from facemt_analysis.network import conventions_for, load_checkpoint

    network = load_checkpoint(path)
    conventions_for(network.metadata, path)
    network.predict(torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)))
    return "network"


def _detector_of(path: Path, out: Path, rng: Random) -> str:
    detector = fm.Detector(str(path), face_detector=_middle, device="cpu")
    rows = detector.detect(np.full((2, 40, 60, 3), 99, np.uint8), progress=False)
    _require(len(rows) == 2, f"{len(rows)} rows of two frames")
    return "network"


# ------------------------------------------------------------------ tables
def _read_fex(path: Path, out: Path, rng: Random) -> str:
    return _checked(fm.read_fex(path))


def _parts(path: Path, out: Path, rng: Random) -> str:
    """Read a selection, which takes other ways through the readers."""
    choices: list[dict[str, Any]] = [
        {"groups": "aus"}, {"recordings": "a.mp4"}, {"start": 0.04, "stop": 0.2}, {"fps": 30},
        {"keep": True},
    ]  # fmt: skip
    options = rng.choice(choices)
    try:
        return _checked(fm.read_fex(path, **options))
    except FacemtError as error:
        if "has no option" not in str(error):
            raise
        return _checked(fm.read_fex(path))


def _checked(fex: fm.Fex) -> str:
    _require(isinstance(fex, fm.Fex), f"read_fex gives a {type(fex).__name__}")
    _require(fex.index.equals(pd.RangeIndex(len(fex))), "the index does not run from 0")
    problems = fex.validate()
    wrong = problems[problems["check"].isin(["columns", "dtype"])]
    # a label may be called like a property: that is the user's to rename
    wrong = wrong[~wrong["message"].str.startswith("a Fex has a property")]
    _require(wrong.empty, f"columns of a wrong kind: {wrong.to_dict('records')}")
    repr(fex), fex.groups, fex.info.to_dict()
    # a digit changed in a file can be seen by what it is no more than by a reader
    return "table" if problems.empty else "table, problems listed"


def _read_events(path: Path, out: Path, rng: Random) -> str:
    return _checked_events(fm.io.read_events(path))


def _live_events(path: Path, out: Path, rng: Random) -> str:
    return _checked_events(fm.io.read_events(path, fps=25))


def _checked_events(events: pd.DataFrame) -> str:
    from facemt_analysis.io.events import EVENT_COLUMNS

    missing = set(EVENT_COLUMNS) - {"track"} - set(events.columns)
    _require(not missing, f"columns {sorted(missing)} are missing")
    clock = events[["onset", "offset", "duration"]].to_numpy(np.float64)
    _require(bool(np.isfinite(clock).all()), "times that are not finite")
    _require(bool((clock[:, 1] >= clock[:, 0]).all()), "events that end before they begin")
    _require(events.columns.is_unique, "a column is there twice")
    return "events"


def _self_test(path: Path, out: Path, rng: Random) -> str:
    """Run the file as Python: for the tests of the watch, which no seed is sent to."""
    exec(path.read_text(), {"os": os, "time": time, "path": path, "FacemtError": FacemtError})
    return "done"


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise WrongResult(otherwise)


DOORS: dict[str, Callable[[Path, Path, Random], str]] = {
    "frames": _open_frames,
    "ranges": _ranges,
    "random": _random_access,
    "detect": _detect,
    "info": _info,
    "load_checkpoint": _load_checkpoint,
    "detector": _detector_of,
    "read_fex": _read_fex,
    "parts": _parts,
    "read_events": _read_events,
    "live_events": _live_events,
    "self_test": _self_test,
}
