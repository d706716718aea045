"""BIDS events: events.tsv with a JSON sidecar that says what the columns are."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from facemt_analysis.errors import FexError
from facemt_analysis.io._atomic import atomic_file
from facemt_analysis.io._text import as_float, read_plain_table
from facemt_analysis.io.events.table import make_events, one_recording

__all__ = ["read_bids_events", "write_bids_events"]

_DESCRIPTIONS = {
    "onset": {"Description": "Beginning of the event.", "Units": "s"},
    "duration": {"Description": "Time from the beginning to the end of the event.", "Units": "s"},
    "trial_type": {"Description": "What happens, in the words of the annotation."},
    "feature": {"Description": "What the event is of: an action unit, an emotion, a tier."},
    "track": {"Description": "Number of the face, the same through the recording."},
    "apex": {"Description": "Time of the largest value.", "Units": "s"},
    "peak": {"Description": "Largest value during the event, in units of the feature."},
    "area": {"Description": "Integral of the feature over the event.", "Units": "feature * s"},
    "rise_speed": {"Description": "Greatest increase before the apex.", "Units": "feature / s"},
    "decay_speed": {"Description": "Greatest decrease after the apex.", "Units": "feature / s"},
    "mean_rise_speed": {"Description": "Increase from onset to apex.", "Units": "feature / s"},
    "mean_decay_speed": {"Description": "Decrease from apex to offset.", "Units": "feature / s"},
    "n_frames": {"Description": "Frames with a value during the event."},
    "truncated": {"Description": "Whether it touches a gap or an end of the recording."},
    "onset_frame": {"Description": "Index in the video of the first frame."},
    "apex_frame": {"Description": "Index in the video of the frame with the largest value."},
    "offset_frame": {"Description": "Index in the video of the first frame after the event."},
}


def read_bids_events(path: Path) -> pd.DataFrame:
    """Read the table; ``trial_type`` is the label, and the feature where there is no such column.

    ``input`` is the file's name without ``_events.tsv``.
    """
    table = read_plain_table(path, sep="\t", na_values=["n/a"], dtype={"trial_type": "str"})
    missing = [c for c in ("onset", "duration") if c not in table]
    if missing:
        raise FexError(f"{path}: events of BIDS need the column {missing[0]!r}.")
    # BIDS allows an unknown duration
    duration = as_float(table["duration"]).mask(table["duration"].isna(), 0.0)
    table = table.assign(duration=duration)
    table = table.drop(columns=[c for c in ("input", "offset", "label") if c in table])
    if "trial_type" in table:
        table = table.rename(columns={"trial_type": "label"})
    name = path.name.removesuffix(path.suffix).removesuffix("_events")
    return make_events(table, name)


def write_bids_events(events: pd.DataFrame, path: Path) -> None:
    """Write events.tsv and its sidecar, each at once; all columns but ``input`` and ``offset``.

    ``label`` becomes ``trial_type``; missing values are ``n/a``.
    """
    table = one_recording(events, "An events.tsv")
    table = table.drop(columns=["input", "offset"]).rename(columns={"label": "trial_type"})
    first = ["onset", "duration", "trial_type"]
    table = table[[*first, *(c for c in table.columns if c not in first)]]
    table = table.sort_values("onset", kind="stable")
    about = {c: _DESCRIPTIONS.get(str(c), {"Description": "Further column."}) for c in table}
    with atomic_file(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    with atomic_file(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")
