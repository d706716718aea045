"""How far a face is from its own rest: displacement of the mesh, by vertex and by region."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_number, check_option
from facemt_analysis.errors import FexError, MissingGroupError
from facemt_analysis.measures.grouping import Grouping, group_rows, tidy
from facemt_analysis.measures.mesh_alignment import align_mesh, check_face, mesh_vertices
from facemt_analysis.measures.mesh_model import (
    EYE_CORNERS,
    IRISES,
    mesh_regions,
    mesh_template,
)
from facemt_analysis.measures.rotations import finite_rows

__all__ = ["mesh_displacement", "mesh_summary", "region_displacement"]

Floats = npt.NDArray[np.floating]

REFERENCES = ("median", "neutral", "template")


def mesh_displacement(
    frame: pd.DataFrame,
    reference: str | npt.ArrayLike = "median",
    *,
    person: str | Sequence[str] | None = None,
    unit: str = "iod",
    ipd: float = 63.0,
    neutral_share: float = 0.1,
    on: str | Sequence[int] = "rigid",
) -> Floats:
    """Measure the displacement of every vertex from a face at rest, head pose removed.

    Parameters
    ----------
    frame
        Table with the mesh.
    reference
        ``"median"``: the person's median face; ``"neutral"``: the mean of the person's frames with
        the highest ``Neutral``; ``"template"``: the average face of :func:`mesh_template`, so that
        what the person looks like counts as displacement; or a mesh (478, 3) in any pose.
    person
        Columns that say who it is (``"subject"``); None: each track of each recording is somebody.
    unit
        ``"iod"``: distance of the outer eye corners in the reference; ``"mm"``: by an
        interpupillary distance of `ipd`.
    ipd
        Interpupillary distance that mm rest upon; the adult mean is 63 mm (Dodgson, 2004).
    neutral_share
        Share of the frames that make the neutral face, at least one frame.
    on
        Vertices to align on, as for :func:`align_mesh`.

    Returns
    -------
    ndarray
        (n, 478, 3) in the order of the rows: x to the subject's left, y up, z out of the face;
        lengths are ``numpy.linalg.norm(…, axis=2)``. NaN where there is no face, and for a person
        without a reference. Irises (vertices 468 to 477) move with gaze.

    Raises
    ------
    FexError
        If mesh columns are missing, or ``Neutral`` for ``"neutral"``.
    OptionError
        If an option cannot be.

    Notes
    -----
    Faces are aligned to the template, the reference of each person is taken from them, and the
    faces are aligned again to that. With ``on="rigid"`` expressions do not turn the face. Size is
    removed too: a person who comes nearer does not move the face.

    References
    ----------
    Dodgson, N. A. (2004). Variation and extrema of human interpupillary distance. Proc. SPIE 5291.
        https://doi.org/10.1117/12.529999
    """
    check_option("unit", unit, ("iod", "mm"))
    ipd = check_number("ipd", ipd, 0.0, open_low=True, unit="mm")
    neutral_share = check_number("neutral_share", neutral_share, 0.0, 1.0, open_low=True)
    meshes = mesh_vertices(frame)
    out = np.full(meshes.shape, np.nan, dtype=meshes.dtype)
    rows = group_rows(frame, person)
    for positions, rest in _references(frame, rows, meshes, reference, neutral_share, on):
        moved = align_mesh(meshes[positions], rest, on=on).vertices - rest
        out[positions] = moved * (1 / _unit(rest) if unit == "iod" else ipd / _pupils(rest))
    return out


def region_displacement(
    frame: pd.DataFrame,
    reference: str | npt.ArrayLike = "median",
    *,
    person: str | Sequence[str] | None = None,
    unit: str = "iod",
    ipd: float = 63.0,
    neutral_share: float = 0.1,
    on: str | Sequence[int] = "rigid",
) -> pd.DataFrame:
    """Measure the mean displacement of each region of the face, in every row.

    Parameters
    ----------
    frame, reference, person, unit, ipd, neutral_share, on
        As for :func:`mesh_displacement`.

    Returns
    -------
    DataFrame
        With the index of `frame`: ``forehead brow eye nose cheek mouth jaw face``, in the unit
        asked for; see :func:`mesh_regions`.

    Raises
    ------
    FexError, OptionError
        As :func:`mesh_displacement`.
    """
    moved = mesh_displacement(
        frame,
        reference,
        person=person,
        unit=unit,
        ipd=ipd,
        neutral_share=neutral_share,
        on=on,
    )
    return pd.DataFrame(by_region(np.linalg.norm(moved, axis=2)), index=frame.index)


def mesh_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    reference: str | npt.ArrayLike = "median",
    person: str | Sequence[str] | None = None,
    unit: str = "iod",
    ipd: float = 63.0,
    neutral_share: float = 0.1,
    on: str | Sequence[int] = "rigid",
) -> pd.DataFrame:
    """Summarise displacement: how far the regions of a face are from rest, on the whole.

    Parameters
    ----------
    frame
        Table with the mesh.
    by
        Columns to group by; None: each track of each recording.
    reference, person, unit, ipd, neutral_share, on
        As for :func:`mesh_displacement`.

    Returns
    -------
    DataFrame
        One row per group and region: its keys, ``feature`` (the region), ``mean``, ``sd`` (ddof 0),
        ``q95``, ``max`` over time of the mean displacement of the region, ``n_frames``,
        ``n_valid``, ``seconds``.

    Raises
    ------
    FexError, OptionError
        As :func:`mesh_displacement`.
    """
    table = region_displacement(
        frame,
        reference,
        person=person,
        unit=unit,
        ipd=ipd,
        neutral_share=neutral_share,
        on=on,
    )
    rows = group_rows(frame, by)
    values = table.to_numpy(np.float64)[rows.parts.order]
    columns = [
        {
            "mean": rows.mean(v),
            "sd": rows.sd(v),
            "q95": rows.quantiles(v, [0.95])[:, 0],
            "max": rows.maximum(v),
            "n_frames": rows.n_frames,
            "n_valid": rows.count(~np.isnan(v)),
            "seconds": rows.seconds(~np.isnan(v)),
        }
        for v in values.T
    ]
    return tidy(rows.table(), table.columns.tolist(), columns)


def by_region(values: Floats) -> dict[str, Floats]:
    """Mean of values (n, 478) over each region."""
    return {name: values[:, index].mean(axis=1) for name, index in mesh_regions().items()}


def _references(
    frame: pd.DataFrame,
    rows: Grouping,
    meshes: Floats,
    reference: str | npt.ArrayLike,
    neutral_share: float,
    on: str | Sequence[int],
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]]:
    """Rows of each person, and their face at rest in the axes and the unit of the template."""
    people = [rows.parts.order[a:b] for a, b in zip(rows.bounds[:-1], rows.bounds[1:], strict=True)]
    if not isinstance(reference, str):
        given = align_mesh(check_face("reference", reference)[None], on=on).vertices[0]
        return [(positions, given.astype(np.float64)) for positions in people]
    check_option("reference", reference, REFERENCES)
    if reference == "template":
        return [(positions, mesh_template().vertices) for positions in people]
    neutral = _neutral(frame) if reference == "neutral" else None
    found = []
    for positions in people:
        own = positions[finite_rows(meshes[positions])]
        if neutral is not None:
            own = _calmest(own, neutral[own], neutral_share)
        if len(own):
            faces = align_mesh(meshes[own], on=on).vertices.astype(np.float64)
            rest = np.median(faces, axis=0) if neutral is None else faces.mean(axis=0)
            found.append((positions, rest))
    return found


def _neutral(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    if "Neutral" not in frame.columns:
        raise MissingGroupError(
            "`reference='neutral'` needs the column 'Neutral' of the group 'emotions', but the "
            f"table has the groups {', '.join(schema.groups_in(frame.columns))}; use 'median' or "
            "give a mesh."
        )
    return np.asarray(frame["Neutral"].to_numpy(np.float64, na_value=np.nan))


def _calmest(
    rows: npt.NDArray[np.intp], neutral: npt.NDArray[np.float64], share: float
) -> npt.NDArray[np.intp]:
    known = np.flatnonzero(~np.isnan(neutral))
    count = max(1, round(share * len(known)))
    return rows[known[np.argsort(-neutral[known], kind="stable")[:count]]]


def _unit(face: npt.NDArray[np.float64]) -> float:
    """Distance of the outer eye corners."""
    return float(np.linalg.norm(face[EYE_CORNERS[0]] - face[EYE_CORNERS[1]]))


def _pupils(face: npt.NDArray[np.float64]) -> float:
    distance = float(np.linalg.norm(face[IRISES[0]] - face[IRISES[1]]))
    if not distance > 0:
        raise FexError("The irises of the reference are at one place; mm cannot be told.")
    return distance
