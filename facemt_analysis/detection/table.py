"""From what the network says about some faces to the rows of a Fex."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.fex import Fex, FexInfo, axis_major, choose_groups, fex_from_blocks
from facemt_analysis.network import Conventions, ModelConfig, Prediction, oriented

__all__ = ["FaceTable", "check_groups", "with_boxes", "without_boxes"]

Floats = npt.NDArray[np.float32]


def check_groups(groups: Iterable[str] | str | None) -> tuple[str, ...]:
    """Validate a choice of feature groups; None means all.

    Raises
    ------
    FexError
        When a name is not one of `schema.FEATURE_GROUPS`.

    Examples
    --------
    >>> check_groups(["va", "aus"])
    ('aus', 'va')
    """
    return choose_groups(groups, default=schema.FEATURE_GROUPS)


def with_boxes(groups: Sequence[str]) -> tuple[str, ...]:
    """Add the boxes, by which faces are numbered, to a choice of groups."""
    return check_groups({*groups, "faceboxes"})


def without_boxes(rows: Fex, groups: Sequence[str]) -> Fex:
    """Leave out the boxes where they were not asked for."""
    if "faceboxes" in groups:
        return rows
    return rows.drop(columns=list(schema.GROUPS["faceboxes"].columns))


@dataclass(frozen=True)
class FaceTable:
    """Lays out predictions as rows, all with the same columns.

    Parameters
    ----------
    groups
        Feature groups to give.
    config
        Configuration of the network, which decides the columns of some groups.
    conventions
        How raw pose and gaze become Fex columns.
    """

    groups: Sequence[str]
    config: ModelConfig
    conventions: Conventions

    def widths(self) -> dict[str, int]:
        """Columns per group that this network fills."""
        special = {
            "aus": self.config.n_au,
            "emotions": self.config.n_emotion,
            "blendshapes": self.config.n_blendshape,
        }
        widths = {g: special.get(g, len(schema.GROUPS[g].columns)) for g in self.groups}
        return {g: n for g, n in widths.items() if n}

    def blocks(self, prediction: Prediction, mesh: Floats, boxes: Floats) -> dict[str, Floats]:
        """Lay one prediction out as one array per group.

        Parameters
        ----------
        prediction
            Raw outputs for n faces.
        mesh
            (n, 478, 3) px of the frame.
        boxes
            (n, 5) `x1 y1 x2 y2 score`, px of the frame.

        Returns
        -------
        dict
            Group → (n, columns) float32.
        """
        turned = oriented(prediction, self.conventions)
        dlib = mesh[:, list(schema.DLIB68_FROM_MESH), :2]
        found = {
            "faceboxes": np.column_stack([boxes[:, :2], boxes[:, 2:4] - boxes[:, :2], boxes[:, 4]]),
            "landmarks": axis_major(dlib),
            "poses": turned.pose,
            "aus": prediction.au,
            "emotions": prediction.emotion,
            "va": np.column_stack([prediction.valence, prediction.arousal]),
            "gazes": turned.gaze,
            "meshes": axis_major(mesh),
            "blendshapes": prediction.blendshapes,
        }
        return {g: np.asarray(found[g], np.float32) for g in self.widths()}

    def rows(
        self,
        parts: Sequence[Mapping[str, Floats]],
        has_face: npt.NDArray[np.bool_],
        keys: pd.DataFrame,
        frame_sizes: npt.NDArray[np.int64],
        info: FexInfo,
    ) -> Fex:
        """Join keys and features; rows without a face get NaN features and a `FaceScore` of 0.

        Parameters
        ----------
        parts
            Blocks of consecutive faces, as `blocks` gives them.
        has_face
            (rows,) whether a row holds a face; as many as there are faces in `parts`.
        keys
            One row per face, or per frame without one.
        frame_sizes
            (rows, 2) height and width, px.
        info
            Metadata of the table.
        """
        blocks: dict[str, npt.NDArray[np.float32]] = {}
        for group, width in self.widths().items():
            block = np.full((len(keys), width), np.nan, np.float32)
            if parts:
                block[has_face] = np.concatenate([part[group] for part in parts])
            blocks[group] = block
        if "faceboxes" in blocks:
            score = schema.GROUPS["faceboxes"].columns.index("FaceScore")
            blocks["faceboxes"][~has_face, score] = 0.0
        blocks["framesizes"] = frame_sizes.astype(np.float32)
        return fex_from_blocks(blocks, keys, info)
