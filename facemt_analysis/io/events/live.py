"""annotations.csv of the desktop program Py-feat Live: events by the numbers of the frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis.errors import FexError
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io._foreign import check_rate
from facemt_analysis.io._text import read_plain_table
from facemt_analysis.io.events.table import finite, make_events, one_recording

__all__ = ["KINDS", "LIVE_COLUMNS", "read_live", "write_live"]

LIVE_COLUMNS = (
    "annotation_id", "kind", "start_frame", "end_frame", "label", "tag", "created_at", "source",
)  # fmt: skip
KINDS = ("event", "exclude", "custom")


def read_live(
    path: Path, *, fps: float | None = None, fex: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Read the file; `fps`, or better the recording's `fex`, gives the times of the frames.

    ``feature`` is the kind (event, exclude, …); ``offset`` is the time of the last frame.
    """
    table = read_plain_table(path, dtype={"label": "str", "tag": "str", "kind": "str"})
    missing = [c for c in ("start_frame", "end_frame") if c not in table]
    if missing:
        raise FexError(f"{path}: annotations of Py-feat Live need {missing[0]}.")
    frames = np.stack([finite(table[c], c, "number") for c in ("start_frame", "end_frame")], axis=1)
    seconds = _seconds(frames, fps, fex)
    name = path.parent.name or path.stem
    if fex is not None and "input" in fex:
        name = str(fex["input"].iloc[0])
    rest = [c for c in table if c not in ("kind", "label", "start_frame", "end_frame")]
    events = table[rest].assign(
        feature=table.get("kind", "event"),
        label=table["label"].fillna("") if "label" in table else "",
        onset=seconds[:, 0],
        offset=seconds[:, 1],
    )
    return make_events(events, name)


def _seconds(
    frames: NDArray[np.float64], fps: float | None, fex: pd.DataFrame | None
) -> NDArray[np.float64]:
    if fex is None and fps is None:
        raise FexError(
            "Py-feat Live counts frames: give `fps`, or the table `fex` of the recording, whose "
            "times are used."
        )
    if fex is None:
        check_rate(fps)
        return frames / float(fps or 1)
    frame, time = _clock(fex)
    if frames.size and (frames.min() < frame[0] or frames.max() > frame[-1]):
        raise FexError(
            f"The annotations are of the frames {frames.min():g} to {frames.max():g}, but `fex` "
            f"has {frame[0]:g} to {frame[-1]:g}."
        )
    return np.interp(frames, frame, time)


def _clock(fex: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not {"frame", "time"} <= set(fex.columns):
        raise FexError("`fex` needs the columns 'frame' and 'time'.")
    if "input" in fex and len(fex["input"].unique()) > 1:
        raise FexError("`fex` is of several recordings; give the one of the annotations.")
    clock = pd.DataFrame(fex)[["frame", "time"]].dropna().drop_duplicates("frame")
    if not len(clock):
        raise FexError("`fex` has no times.")
    clock = clock.sort_values("frame")
    return clock["frame"].to_numpy(np.float64), clock["time"].to_numpy(np.float64)


def write_live(
    events: pd.DataFrame,
    path: Path,
    *,
    fps: float | None = None,
    fex: pd.DataFrame | None = None,
) -> None:
    """Write the file: the frames nearest to the times, by `fps` or the times of `fex`.

    ``kind`` is the feature if the program has such a kind, else ``event``.
    """
    table = one_recording(events, "An annotations.csv")
    seconds = table[["onset", "offset"]].to_numpy(np.float64)
    if fex is not None:
        frame, time = _clock(fex)
        frames = np.interp(seconds, time, frame)
    elif fps is not None:
        check_rate(fps)
        frames = seconds * fps
    else:
        frames = _seconds(seconds, fps, fex)  # raises
    kind = table["feature"].where(table["feature"].isin(KINDS), "event")
    whole = np.round(frames).astype(np.int64)
    made = {
        "annotation_id": np.arange(1, len(table) + 1), "kind": kind,
        "start_frame": whole[:, 0], "end_frame": whole[:, 1], "label": table["label"],
        "tag": "", "created_at": "", "source": "facemt_analysis",
    }  # fmt: skip
    kept = {c: table[c] for c in ("annotation_id", "tag", "created_at", "source") if c in table}
    out = pd.DataFrame({**made, **kept})[list(LIVE_COLUMNS)]
    with atomic_file(path) as temporary:
        out.to_csv(temporary, index=False, lineterminator="\n")
