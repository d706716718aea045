"""By what the vertices of a face are coloured, and which rows that takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_option
from facemt_analysis.errors import FexError
from facemt_analysis.measures.mesh_model import N_SKIN
from facemt_analysis.measures.mesh_movement import mesh_displacement
from facemt_analysis.plotting.au_mesh import au_vertex_weights

__all__ = ["rows_between", "same_face", "texture_of"]

Floats = npt.NDArray[np.floating]


def texture_of(
    face: pd.DataFrame, what: str, *, at: Sequence[int] | npt.NDArray[np.intp]
) -> tuple[Floats, str]:
    """Give what the vertices of one person's face are coloured by.

    Parameters
    ----------
    face
        Rows of one face with the mesh.
    what
        ``"displacement"``: distance from the person's median face, in distances of the outer eye
        corners; or an action unit of the table: its score times how far each vertex moves with it
        (:func:`facemt_analysis.plotting.au_mesh.au_vertex_weights`).
    at
        Positions of the k rows wanted.

    Returns
    -------
    tuple
        (k, 478) values and their label.

    Raises
    ------
    OptionError
        If it is neither.
    """
    if what == "displacement":
        moved = mesh_displacement(face)[np.asarray(at, dtype=np.intp)]
        return np.linalg.norm(moved, axis=2), "Displacement (eye distances)"
    weights = au_vertex_weights()
    known = [c for c in face.columns if str(c).removesuffix("_r") in weights]
    check_option("values", what, ("displacement", *known))
    where = np.zeros(schema.N_MESH)
    where[:N_SKIN] = weights[what.removesuffix("_r")]
    scores = face[what].to_numpy(np.float64, na_value=np.nan)[np.asarray(at, dtype=np.intp)]
    return scores[:, None] * where, f"{what} × region"


def same_face(frame: pd.DataFrame, place: int) -> list[int]:
    """List the positions of the rows with the same face as one of them."""
    same = np.ones(len(frame), dtype=np.bool_)
    for name in ("input", "track"):
        if name in frame.columns:
            same &= (frame[name] == frame[name].iloc[place]).to_numpy(np.bool_, na_value=False)
    same[place] = True
    return [int(i) for i in np.flatnonzero(same)]


def rows_between(
    face: pd.DataFrame, start: float | None, stop: float | None
) -> npt.NDArray[np.intp]:
    """List the positions of the rows of a stretch of time, s."""
    if start is None and stop is None:
        return np.arange(len(face))
    if "time" not in face.columns:
        raise FexError("`start` and `stop` need the column 'time' (s); the table has none.")
    time = face["time"].to_numpy(np.float64, na_value=np.nan)
    low = -np.inf if start is None else float(start)
    inside = np.flatnonzero((time >= low) & (time <= (np.inf if stop is None else float(stop))))
    if not len(inside):
        raise FexError(f"There is no frame between {start} and {stop} s.")
    return inside
