"""From rendered recordings to the Fex and the tables of the truth that have one row per frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import __version__, schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex, FexInfo, axis_major, choose_groups, fex_from_blocks
from facemt_analysis.simulate import study_faces
from facemt_analysis.simulate.study_engine import Courses, Recording, Settings, chunks, stream
from facemt_analysis.simulate.study_truth import (
    clean_columns,
    clean_rows,
    event_table,
    fixation_table,
    labels_of,
)

__all__ = ["DEFAULT_GROUPS", "Assembly", "check_groups", "check_number", "check_whole", "info_of"]

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

DEFAULT_GROUPS = ("faceboxes", "poses", "aus", "emotions", "va", "gazes", "blendshapes")
"""Column groups a simulated Fex has if nothing is said."""


class Assembly:
    """Collects rendered recordings.

    Parameters
    ----------
    recordings
        All recordings, in the order of the rows.
    labels
        Column → one value per recording; first ``input``.
    asymmetry
        (recordings,) of the person's face, −1…1.
    settings
        Of the study.
    groups
        Column groups of the Fex.
    shared_source
        What shared events are called in the table of events.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        labels: Mapping[str, Sequence[Any]],
        asymmetry: Floats,
        settings: Settings,
        groups: Sequence[str],
        shared_source: str,
    ) -> None:
        self.recordings, self.labels, self.settings = recordings, labels, settings
        self._asymmetry, self._groups, self._source = asymmetry, groups, shared_source
        rows = len(recordings) * settings.n_frames
        self._blocks = {
            g: np.full((rows, len(schema.GROUPS[g].columns)), np.nan, np.float32) for g in groups
        }
        self._times = np.empty(rows)
        self._valid = np.empty(rows, np.bool_)
        self._clean = np.empty((rows, len(clean_columns())), np.float32)
        self._events: list[pd.DataFrame] = []
        self._fixations: list[pd.DataFrame] = []

    def chunks(self) -> list[slice]:
        """List the recordings to render together."""
        return list(chunks(self.recordings, self.settings.n_frames))

    def add(self, part: slice, courses: Courses) -> None:
        """Take the rendered recordings of one chunk."""
        n = self.settings.n_frames
        rows = slice(part.start * n, part.stop * n)
        valid = courses.valid.ravel()
        self._times[rows], self._valid[rows] = courses.times.ravel(), valid
        self._clean[rows] = clean_rows(courses)
        recordings = self.recordings[part]
        labels = {name: values[part] for name, values in self.labels.items()}
        self._events.append(event_table(recordings, courses, labels, self._source))
        self._fixations.append(fixation_table(courses, labels))
        seen: dict[str, Floats | Floats32] = dict(courses.seen)
        seen.update(self._faces(part, courses))
        for group, block in self._blocks.items():
            values = seen[group].reshape(part.stop * n - part.start * n, -1)
            block[rows][valid] = values[valid]
        if "faceboxes" in self._blocks:
            score = schema.GROUPS["faceboxes"].columns.index("FaceScore")
            self._blocks["faceboxes"][rows, score][~valid] = 0.0

    def _faces(self, part: slice, courses: Courses) -> dict[str, Floats | Floats32]:
        """Make what is not a controlled feature, each from random streams of its own."""
        s, out = self.settings, dict[str, Floats | Floats32]()
        recordings = self.recordings[part]

        def normals(what: str, *shape: int) -> Floats:
            return np.stack(
                [
                    stream(s.seed, *r.path, what).standard_normal((s.n_frames, *shape))
                    for r in recordings
                ]
            )

        if "faceboxes" in self._groups:
            out["faceboxes"] = study_faces.faceboxes(
                courses.seen["poses"][..., 3:], courses.valid, normals("boxes", 5), s.fps
            )
        if "blendshapes" in self._groups:
            out["blendshapes"] = study_faces.blendshapes(
                courses.clean["aus"],
                courses.clean["gazes"],
                self._asymmetry[part],
                normals("blendshapes", len(schema.BLENDSHAPES)),
                courses.valid,
                s.fps,
                s.noise,
            )
        if "meshes" in self._groups or "landmarks" in self._groups:
            mesh = self._meshes(part, courses)
            if "meshes" in self._groups:
                out["meshes"] = axis_major(mesh)
            if "landmarks" in self._groups:
                out["landmarks"] = axis_major(mesh[..., list(schema.DLIB68_FROM_MESH), :2])
        return out

    def _meshes(self, part: slice, courses: Courses) -> Floats32:
        s = self.settings
        phasic = np.maximum(courses.clean["aus"] - courses.tonic[:, None], 0)
        out = np.empty((len(phasic), s.n_frames, schema.N_MESH, 3), np.float32)
        for i, recording in enumerate(self.recordings[part]):
            rng = stream(s.seed, *recording.path, "mesh")
            jitter = s.noise * rng.standard_normal(out.shape[1:], np.float32)
            out[i] = study_faces.meshes(phasic[i], courses.seen["poses"][i], jitter)
        return out

    def fex(self, info: FexInfo) -> Fex:
        """Give the table of what was detected."""
        n = self.settings.n_frames
        index = np.repeat(np.arange(len(self.recordings)), n)
        keys = labels_of(self.labels, index)
        keys["frame"] = np.tile(np.arange(n), len(self.recordings))
        keys["time"] = self._times
        keys["track"] = np.where(self._valid, 0, -1)
        blocks: dict[str, npt.NDArray[Any]] = dict(self._blocks)
        blocks["framesizes"] = np.full((len(keys), 2), study_faces.FRAME_SIZE, np.float32)
        return fex_from_blocks(blocks, keys, info)

    def frames(self) -> pd.DataFrame:
        """Give the table of noise-free courses."""
        n = self.settings.n_frames
        index = np.repeat(np.arange(len(self.recordings)), n)
        labels = labels_of(self.labels, index)
        labels.insert(1, "frame", np.tile(np.arange(n), len(self.recordings)))
        labels.insert(2, "time", self._times)
        labels["face"] = self._valid
        return pd.concat([labels, pd.DataFrame(self._clean, columns=clean_columns())], axis=1)

    def events(self) -> pd.DataFrame:
        """Give the table of planted events."""
        return pd.concat(self._events, ignore_index=True)

    def fixations(self) -> pd.DataFrame:
        """Give the table of fixations."""
        return pd.concat(self._fixations, ignore_index=True)


def info_of(function: str, options: Mapping[str, Any]) -> FexInfo:
    """Metadata of a simulated Fex. No time of creation: equal arguments give equal tables."""
    return FexInfo(
        tool=f"facemt_analysis {__version__} (simulated)",
        options={"simulated": True, "function": function, **options},
        versions={"facemt-analysis": __version__, "numpy": np.__version__},
    )


def check_groups(groups: Sequence[str] | None) -> tuple[str, ...]:
    """Validate a choice of column groups; None means all but landmarks and meshes."""
    return choose_groups(groups, default=DEFAULT_GROUPS, name="feature_groups")


def check_number(name: str, value: object, low: float, high: float) -> float:
    """Validate a number in a closed range."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise FexError(f"`{name}` must be a number, but got {value!r:.60}.")
    if not low <= float(value) <= high:
        raise FexError(f"`{name}` must be in {low:g} to {high:g}, but got {value:g}.")
    return float(value)


def check_whole(name: str, value: object, low: int) -> int:
    """Validate a whole number."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise FexError(f"`{name}` must be a whole number, at least {low}, but got {value!r:.60}.")
    return int(value)
