"""Faces that do what a series of action units or blendshapes says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_number, check_option
from facemt_analysis.errors import FexError
from facemt_analysis.measures.mesh_model import mesh_template

__all__ = ["drive_mesh"]

Floats = npt.NDArray[np.float64]

_SOURCES = ("aus", "intensities", "blendshapes")
_MOST_INTENSE = 5.0  # of FACS intensities, A to E


def drive_mesh(
    frame: pd.DataFrame,
    *,
    source: str | None = None,
    gain: float = 1.0,
    shape: npt.ArrayLike | None = None,
) -> Floats:
    """Move a face mesh as action units, or blendshapes, say.

    Parameters
    ----------
    frame
        One row per mesh.
    source
        ``"aus"`` (scores 0 to 1 are taken for amounts), ``"intensities"`` (0 to 5; divided by 5) or
        ``"blendshapes"``; default: the first of these that is there.
    gain
        Exaggerate (above 1) or damp.
    shape
        (478, 3) face at rest, x to the subject's left, y up, z out of the face, outer eye corners 1
        apart; default: :func:`facemt_analysis.measures.mesh_template`.

    Returns
    -------
    ndarray
        (n, 478, 3) in the axes and units of `shape`; NaN where a value is missing.

    Raises
    ------
    FexError
        If the table has none of these columns.

    Notes
    -----
    An illustration, not a measurement. What each action unit does to the mesh is our own reading of
    the FACS manual (Ekman et al., 2002), written as pulls along the skin, a turning jaw, and lids
    and lips that close exactly (:func:`facemt_analysis.simulate.au_displacement`;
    ``docs/au_basis.md``): nobody's muscles were measured. Blendshapes are turned into action units
    first (:func:`facemt_analysis.simulate.aus_from_blendshapes`). Action units that a table lacks
    are at rest; gaze does not turn the eyes.

    References
    ----------
    Ekman, P., Friesen, W. V., & Hager, J. C. (2002). Facial Action Coding System: The Manual.
        Research Nexus.

    Examples
    --------
    >>> faces = drive_mesh(pd.DataFrame({"AU12": [0.0, 1.0]}))
    >>> bool(faces[1, 61, 1] > faces[0, 61, 1])  # the corner of the mouth goes up
    True
    """
    from facemt_analysis.simulate import AUS, au_displacement

    gain = check_number("gain", gain, 0.0)
    there = [g for g in _SOURCES if schema.columns_in(g, frame.columns.tolist())]
    if source is not None:
        check_option("source", source, _SOURCES)
    if not there or (source is not None and source not in there):
        raise FexError(
            f"Driving a mesh needs columns of {source or 'aus, intensities or blendshapes'}; "
            f"the table has {', '.join(there) or 'none of these'}."
        )
    amounts = gain * _amounts(frame, source or there[0], list(AUS))
    rest = mesh_template().vertices if shape is None else np.asarray(shape, dtype=np.float64)
    out = np.full((len(frame), *rest.shape), np.nan)
    for i in np.flatnonzero(np.isfinite(amounts).all(axis=1)):
        out[i] = rest + au_displacement(amounts[i], shape=rest)
    return out


def _amounts(frame: pd.DataFrame, source: str, names: list[str]) -> Floats:
    """Give (n, action units) 0 to 1 in the order of `names`."""
    columns = schema.columns_in(source, frame.columns.tolist())
    values = frame[list(columns)].to_numpy(np.float64, na_value=np.nan)
    if source == "blendshapes":
        from facemt_analysis.simulate import aus_from_blendshapes

        if len(columns) < len(schema.BLENDSHAPES):
            raise FexError(
                f"Driving by blendshapes needs all {len(schema.BLENDSHAPES)}, but there are "
                f"{len(columns)}."
            )
        seen = np.isfinite(values).all(axis=1)
        out = np.full((len(values), len(names)), np.nan)
        out[seen] = [aus_from_blendshapes(row) for row in values[seen]]
        return out
    out = np.zeros((len(values), len(names)))
    for i, column in enumerate(columns):
        name = column.removesuffix("_r")
        if name in names:
            out[:, names.index(name)] = values[:, i]
    return out / _MOST_INTENSE if source == "intensities" else out
