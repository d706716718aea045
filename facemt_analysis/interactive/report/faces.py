"""The mesh of a recording, small enough for a page, to turn and to play."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError
from facemt_analysis.interactive.drive import drive_mesh
from facemt_analysis.interactive.mesh import FEATURE_LINES
from facemt_analysis.interactive.report.recordings import Seen
from facemt_analysis.measures.mesh_alignment import align_mesh, mesh_vertices
from facemt_analysis.measures.mesh_model import N_SKIN, mesh_template

__all__ = ["mesh_html", "model_json", "moving_mesh"]

Floats = npt.NDArray[np.float64]

_LINES, _EYES, _MOUTH, _RIMS = slice(0, 6), slice(2, 4), 5, slice(6, 8)

_UNIT = 1 / 8192  # of the distance of the outer eye corners: what one step of a number is
_TOP_SHARE = 0.995  # displacement at the end of the colours: but for outliers the greatest
_LEAST_TOP = 0.02  # noise is not blown up


def model_json() -> str:
    """Write what all meshes share, once per page: triangles, lines of brows, eyes and lips."""
    return json.dumps(
        {
            "vertices": schema.N_MESH,
            "triangles": mesh_template().triangles.tolist(),
            "lines": FEATURE_LINES[_LINES],
            "eyes": [line[:-1] for line in FEATURE_LINES[_EYES]],
            "mouth": FEATURE_LINES[_MOUTH],
            "rims": [line[:-1] for line in FEATURE_LINES[_RIMS]],
        },
        separators=(",", ":"),
    )


def moving_mesh(
    seen: Seen, *, frames: int = 100, moments: Sequence[float] = ()
) -> tuple[Floats, Floats, Floats, bool] | None:
    """Pick frames of a face: evenly over the time, and those of some moments.

    Parameters
    ----------
    seen
        The recording; its rows have a time.
    frames
        How many evenly.
    moments
        Seconds that have to be among them.

    Returns
    -------
    tuple or None
        Times (k,), meshes (k, 478, 3) without head pose, the face at rest (478, 3), and whether
        they were measured; else they are drawn from action units. None where there is neither.
    """
    face = seen.face
    measured = seen.has("meshes")
    if not measured and not seen.has("aus"):
        return None
    if measured:
        try:
            meshes = mesh_vertices(face)
        except FacemtError:  # a part of the columns
            return None
        known = np.flatnonzero(np.isfinite(meshes).all(axis=(1, 2)))
    else:
        aus = schema.columns_in("aus", face.columns.tolist())
        known = np.flatnonzero(face[list(aus)].notna().all(axis=1).to_numpy())
    if not len(known):
        return None
    even = known[np.linspace(0, len(known) - 1, min(frames, len(known))).round().astype(np.intp)]
    times = seen.moments
    wanted = [known[np.abs(times[known] - m).argmin()] for m in moments]
    rows = np.unique([*even, *wanted]).astype(np.intp)
    if measured:
        shown = np.asarray(align_mesh(meshes[rows]).vertices, dtype=np.float64)
        rest = np.median(shown, axis=0)
    else:
        shown = drive_mesh(face.iloc[rows], source="aus")
        rest = mesh_template().vertices
    return times[rows], shown, rest, measured


def mesh_html(times: Floats, meshes: Floats, rest: Floats, *, first: int = 0) -> str:
    """Write the viewer: the page's script draws it.

    Parameters
    ----------
    times, meshes, rest
        As from :func:`moving_mesh`.
    first
        The frame to begin with.
    """
    centre = rest[:N_SKIN].mean(axis=0)
    all_of_them = np.concatenate([rest[None], meshes]) - centre
    limit = np.iinfo(np.int16).max * _UNIT
    steps = np.rint(all_of_them.clip(-limit, limit) / _UNIT).astype("<i2")
    data = base64.b64encode(steps.tobytes()).decode("ascii")
    moved = np.linalg.norm(meshes - rest, axis=2)[:, :N_SKIN]
    top = max(float(np.quantile(moved, _TOP_SHARE)), _LEAST_TOP)
    moments = json.dumps([round(float(t), 4) for t in times], separators=(",", ":"))
    return (
        f'<div class="mesh" data-vertices="{data}" data-times="{html.escape(moments)}" '
        f'data-unit="{_UNIT!r}" data-most="{top:.5g}" data-first="{first}">'
        '<canvas role="img" aria-label="The face in three dimensions"></canvas>'
        '<div class="controls"><p><button type="button">▶ play</button> <output></output></p>'
        f'<input type="range" min="0" max="{len(times) - 1}" value="{first}" aria-label="Moment">'
        '<p><label><input type="checkbox"> show the face at rest</label></p>'
        '<div class="scale"></div><div class="scale-words"><span>at rest</span>'
        f"<span>{100 * top:.1f} % of the eye distance</span></div></div></div>"
    )
