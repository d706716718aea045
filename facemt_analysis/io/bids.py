"""BIDS: head pose and landmarks as Motion data, everything else as derivatives.

Motion (specification 1.8 and later): ``*_motion.tsv`` without a header, one column per channel,
``*_channels.tsv`` that names them, ``*_channels.json`` and ``*_motion.json``. A channel LATENCY has
the seconds since the first frame, since no camera is quite even. Action units, emotions and the
other features have no place in BIDS Motion: they go to a table of derivatives with a JSON sidecar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facemt_analysis import __version__, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.io._atomic import atomic_file, writing
from facemt_analysis.io._recording import one_recording_of

__all__ = ["write_bids"]

_LABEL = re.compile(r"[0-9a-zA-Z]+")
_ORIENTATION = (("Pitch", "x"), ("Yaw", "y"), ("Roll", "z"))
_FRAMES = {
    "head": {
        "Description": (
            "Angles of the head relative to the camera: x pitch, + up; y yaw, + to the subject's "
            "right; z roll, + tilt to the subject's right."
        ),
        "RotationRule": "n/a",
        "RotationOrder": "n/a",
        "SpatialAxes": "n/a",
    },
    "camera": {
        "Description": "The camera that filmed the face, in units of the program that measured.",
        "RotationRule": "n/a",
        "RotationOrder": "n/a",
        "SpatialAxes": "n/a",
    },
    "image": {
        "Description": "The upright frame: x to the right, y down, from the left upper corner.",
        "RotationRule": "n/a",
        "RotationOrder": "n/a",
        "SpatialAxes": "n/a",
    },
}


def write_bids(
    fex: pd.DataFrame,
    root: str | PathLike[str],
    *,
    subject: str,
    task: str,
    session: str | None = None,
    run: int | None = None,
    tracksys: str = "face",
    landmarks: bool = False,
    derivatives: bool = True,
) -> list[Path]:
    """Write one recording into a BIDS dataset.

    Parameters
    ----------
    fex
        Rows of one recording, with ``time`` and the group ``poses`` or ``landmarks``.
    root
        Folder of the dataset; made if its parent exists. A ``dataset_description.json`` that is
        there stays.
    subject, task, session, run
        Entities of the file names: ``sub-<subject>_ses-<session>_task-<task>_…``.
    tracksys
        Name of the tracking system in BIDS' sense.
    landmarks
        Whether the 68 points become channels too, in px.
    derivatives
        Whether action units, emotions and the other features (all but boxes, points and frame
        sizes) are written below ``derivatives/facemt_analysis``.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    FexError
        If an entity is no BIDS label, the table has several recordings, rows without time, or
        nothing to write, or a file cannot be written.
    """
    table = one_recording_of(fex, "A motion.tsv")
    name = _name(subject, session, task, run)
    channels = list(_channels(table, landmarks))
    if not channels:
        raise FexError(
            "BIDS Motion holds poses and landmarks, but the table has "
            f"{', '.join(schema.groups_in(table.columns)) or 'no feature group'}."
        )
    root = Path(root)
    sub = Path(f"sub-{subject}") / (f"ses-{session}" if session else "")
    info = fex.info if isinstance(fex, Fex) else None
    tool = (info.tool if info else None) or f"facemt_analysis {__version__}"
    motion, data = _motion(table, channels)
    stem = f"{name['before']}_tracksys-{_check('tracksys', tracksys)}{name['run']}"
    about = {
        "TaskName": task,
        "TrackingSystemName": tracksys,
        "SoftwareVersions": tool,
        "MissingValues": "n/a",
        **_rates(data["latency"].to_numpy(np.float64)),
        **_counts(motion),
    }
    folder = root / sub / "motion"
    with writing(folder):
        root.mkdir(exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
    levels = {k: _FRAMES[k] for k in _FRAMES if (motion["reference_frame"] == k).any()}
    written = [
        _describe(root, "raw"),
        _tsv(folder / f"{stem}_motion.tsv", data, header=False),
        _json(folder / f"{stem}_motion.json", about),
        _tsv(folder / f"{stem}_channels.tsv", motion),
        _json(folder / f"{stem}_channels.json", {"reference_frame": {"Levels": levels}}),
    ]
    if derivatives:
        written += _derivatives(table, root, sub, f"{name['before']}{name['run']}", tool)
    return [path for path in written if path is not None]


def _check(entity: str, label: str) -> str:
    if not _LABEL.fullmatch(label):
        raise FexError(
            f"`{entity}` must be a BIDS label of letters and digits only, but got {label!r}."
        )
    return label


def _name(subject: str, session: str | None, task: str, run: int | None) -> dict[str, str]:
    if run is not None and run < 1:
        raise FexError(f"`run` must be 1 or more, but got {run}.")
    between = f"_ses-{_check('session', session)}" if session else ""
    before = f"sub-{_check('subject', subject)}{between}_task-{_check('task', task)}"
    return {"before": before, "run": "" if run is None else f"_run-{run}"}


def _channels(table: pd.DataFrame, landmarks: bool) -> Iterator[tuple[str, str, str, str, str]]:
    """Column, component, type, units and reference frame of what can be a channel."""
    for column, component in _ORIENTATION:
        if column in table:
            yield column, component, "ORNT", "rad", "head"
    for column in "XYZ":
        if column in table:
            yield column, column.lower(), "POS", "arbitrary", "camera"
    points = schema.columns_in("landmarks", table.columns) if landmarks else []
    yield from ((column, column[0], "POS", "px", "image") for column in points)


def _motion(
    table: pd.DataFrame, channels: list[tuple[str, str, str, str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Channels and their values, one row per frame: every track is a tracked point."""
    times = np.unique(table["time"].to_numpy(np.float64))
    latency = {"name": "latency", "component": "n/a", "type": "LATENCY", "tracked_point": "n/a",
               "units": "s", "reference_frame": "n/a"}  # fmt: skip
    about, values = [latency], {"latency": times - times[0]}
    track = table["track"] if "track" in table else pd.Series(0, index=table.index)
    for number in sorted(int(t) for t in track.unique() if t >= 0):
        rows = table[track == number].drop_duplicates("time").set_index("time").reindex(times)
        for column, component, kind, unit, frame in channels:
            name = f"face{number}_{column}"
            point = f"face{number}" if frame != "image" else f"face{number}_{column[2:]}"
            about.append(
                {
                    "name": name,
                    "component": component,
                    "type": kind,
                    "tracked_point": point,
                    "units": unit,
                    "reference_frame": frame,
                }
            )
            values[name] = rows[column].to_numpy(np.float64)
    if len(about) == 1:
        raise FexError("The recording has no row with a face, so there is nothing to write.")
    return pd.DataFrame(about), pd.DataFrame(values)


def _rates(latency: Any) -> dict[str, Any]:
    steps = np.diff(latency)
    if not len(steps):
        return {"SamplingFrequency": 0}
    return {
        "SamplingFrequency": round(float(1 / np.median(steps)), 6),
        "SamplingFrequencyEffective": round(float(len(steps) / latency[-1]), 6),
        "RecordingDuration": round(float(latency[-1]), 6),
    }


def _counts(motion: pd.DataFrame) -> dict[str, int]:
    kinds = motion["type"].value_counts()
    points = motion.loc[motion["tracked_point"] != "n/a", "tracked_point"]
    return {
        "MotionChannelCount": len(motion),
        "TrackedPointsCount": len(points.unique()),
        **{f"{kind}ChannelCount": int(kinds[kind]) for kind in sorted(kinds.index)},
    }


def _derivatives(
    table: pd.DataFrame, root: Path, sub: Path, name: str, tool: str
) -> list[Path | None]:
    not_here = ("faceboxes", "landmarks", "meshes")
    groups = [g for g in schema.groups_in(table.columns) if schema.GROUPS[g].feature]
    groups = [g for g in groups if g not in not_here]
    keys = [c for c in ("time", "frame", "track") if c in table]
    columns = [c for g in groups for c in schema.columns_in(g, table.columns)]
    top = root / "derivatives" / "facemt_analysis"
    folder = top / sub / "motion"
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {"Description": "Measures of faces, one row per face per frame."}
    for column in [*keys, *columns]:
        group = schema.GROUPS[schema.group_of(column) or "keys"]
        unit = schema.ACTION_UNITS.get(column.removesuffix("_r"))
        about[column] = {
            "LongName": unit.name if unit else column,
            "Description": group.meaning,
            "Units": "s" if column == "time" else group.unit,
        }
    stem = f"{name}_desc-face_timeseries"
    return [
        _describe(top, "derivative", tool),
        _tsv(folder / f"{stem}.tsv", table[[*keys, *columns]]),
        _json(folder / f"{stem}.json", about),
    ]


def _describe(root: Path, kind: str, tool: str | None = None) -> Path | None:
    path = root / "dataset_description.json"
    if path.exists():
        return None
    content: dict[str, Any] = {"Name": root.name, "BIDSVersion": "1.10.0", "DatasetType": kind}
    made = {"Name": "facemt_analysis", "Version": __version__}
    if tool is not None:
        made["Description"] = f"measured by {tool}"
    content["GeneratedBy"] = [made]
    return _json(path, content)


def _tsv(path: Path, table: pd.DataFrame, *, header: bool = True) -> Path:
    # seconds as BIDS writes latencies; nine digits hold a float32
    clocks = [c for c in table if c in ("time", "latency")]
    table = table.assign(**{c: table[c].map("{:.6f}".format) for c in clocks})
    with atomic_file(path) as temporary:
        table.to_csv(
            temporary, sep="\t", index=False, header=header, na_rep="n/a", float_format="%.9g",
            lineterminator="\n",
        )  # fmt: skip
    return path


def _json(path: Path, content: dict[str, Any]) -> Path:
    with atomic_file(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", "utf-8")
    return path
