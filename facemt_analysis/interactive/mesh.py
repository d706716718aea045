"""Faces to turn in the browser: the mesh in three dimensions, still and moving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_whole
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.interactive.look import LAYOUT
from facemt_analysis.interactive.texture import rows_between, same_face, texture_of
from facemt_analysis.measures.mesh_alignment import align_mesh, mesh_vertices
from facemt_analysis.measures.mesh_model import N_SKIN, mesh_template
from facemt_analysis.plotting.faces import one_face
from facemt_analysis.plotting.style import PALETTE

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Mesh3d, Scatter3d

__all__ = ["animate_mesh", "feature_points", "mesh_figure", "plot_mesh"]

Floats = npt.NDArray[np.floating]

_FLIP = np.array([1.0, -1.0, -1.0])
"""From picture axes (y down, z away) to those of a figure (y up, z to the viewer)."""

_SKIN = "#d9b8a3"
_INK = "#4a3b34"
# dlib-68: first, last, closed; and the rims of the irises
_LINES = ((17, 21, False), (22, 26, False), (36, 41, True), (42, 47, True), (48, 59, True),
          (60, 67, True))  # fmt: skip
_RIMS = ((469, 470, 471, 472), (474, 475, 476, 477))
_DLIB = schema.DLIB68_FROM_MESH
FEATURE_LINES: tuple[tuple[int, ...], ...] = (
    *((*_DLIB[a : b + 1], *([_DLIB[a]] if closed else [])) for a, b, closed in _LINES),
    *((*rim, rim[0]) for rim in _RIMS),
)
"""Vertices along brows, eyes, lips and the rims of the irises."""
_MOST_FRAMES = 200


def mesh_figure(
    vertices: npt.ArrayLike,
    *,
    values: npt.ArrayLike | None = None,
    label: str = "",
    limits: tuple[float, float] | None = None,
    colorscale: str = "Viridis",
    times: Sequence[float] | None = None,
    ghost: npt.ArrayLike | None = None,
) -> Figure:
    """Make a figure of one mesh, or an animation of several.

    Parameters
    ----------
    vertices
        (478, 3) or, to animate, (n, 478, 3); y up, z to the viewer, all axes at one scale.
    values
        (478,) or (n, 478) to colour by; default: the colour of skin.
    label
        What the values are; the title of the colour bar.
    limits
        Values of the ends of the colours; default: least and greatest.
    colorscale
        Name plotly knows.
    times
        (n,) seconds of the frames, shown on the slider; default: their numbers.
    ghost
        (478, 3) a second face, such as the neutral one, to be seen through.

    Returns
    -------
    plotly.graph_objects.Figure
        The skin, and lines of brows, eyes, irises and lips; then the ghost.

    Raises
    ------
    FexError
        If the shapes do not fit together, or no mesh is without NaN.

    Examples
    --------
    >>> figure = mesh_figure(mesh_template().vertices)
    >>> len(figure.data[0].x), len(figure.data[0].i)
    (478, 898)
    """
    from plotly import graph_objects as go

    meshes = np.asarray(vertices, dtype=np.float64)
    still = meshes.ndim == 2
    meshes = meshes[None] if still else meshes
    if meshes.ndim != 3 or meshes.shape[1:] != mesh_template().vertices.shape:
        raise FexError(f"`vertices` must be (478, 3) or (n, 478, 3), but got {meshes.shape}.")
    colours = None if values is None else np.asarray(values, dtype=np.float64)
    colours = colours[None] if still and colours is not None else colours
    if colours is not None and colours.shape != meshes.shape[:2]:
        raise FexError(f"`values` must be {meshes.shape[:2]}, but got {colours.shape}.")
    seen = np.flatnonzero(np.isfinite(meshes).all(axis=(1, 2)))
    if not len(seen):
        raise FexError("There is no face to draw: every mesh holds NaN.")
    if colours is not None and limits is None:
        limits = (float(np.nanmin(colours[seen])), float(np.nanmax(colours[seen])))

    def traces(k: int) -> list[Mesh3d | Scatter3d]:
        tint = None if colours is None else colours[k]
        return [_surface(meshes[k], tint, label, limits, colorscale), _features(meshes[k])]

    figure = go.Figure(data=traces(int(seen[0])), layout=_layout(meshes[seen]))
    if ghost is not None:
        figure.add_trace(_ghost(np.asarray(ghost, dtype=np.float64)))
    if not still:
        names = [f"{k}" if times is None else f"{times[k]:.2f}" for k in range(len(meshes))]
        figure.frames = [go.Frame(data=traces(int(k)), name=names[k]) for k in seen]
        figure.update_layout(**_controls([names[k] for k in seen], times))
    return figure


def plot_mesh(
    frame: pd.DataFrame,
    row: int = 0,
    *,
    aligned: bool = False,
    values: npt.ArrayLike | str | None = None,
    label: str = "",
    ghost: bool = False,
) -> Figure:
    """Draw the mesh of one row to turn in the browser.

    Parameters
    ----------
    frame
        Table with the mesh.
    row
        Position of the row.
    aligned
        Without the pose of the head.
    values, label
        (478,) to colour by, and what it is; or ``"displacement"`` from the person's median face; or
        an action unit: its score where it acts (see :func:`texture_of`).
    ghost
        Show the median face of the same person as well; only for `aligned` faces.

    Raises
    ------
    FexError
        If mesh columns are missing, or there is no face in that row.
    OptionError
        If there is no such row, or an option cannot be.
    """
    if not -len(frame) <= row < len(frame):
        raise OptionError(f"`row` must be one of {len(frame)} rows, but got {row}.")
    place = row % len(frame)
    meshes = mesh_vertices(frame.iloc[place : place + 1])
    if np.isnan(meshes).any():
        raise FexError(f"There is no face in row {row}.")
    shown = align_mesh(meshes).vertices if aligned else meshes * _FLIP
    same = same_face(frame, place)
    if isinstance(values, str):
        tints, label = texture_of(frame.iloc[same], values, at=[same.index(place)])
        values = tints[0]
    rest = _rest(frame.iloc[same], aligned) if ghost else None
    return mesh_figure(shown[0], values=values, label=label, ghost=rest)


def animate_mesh(
    frame: pd.DataFrame,
    *,
    recording: str | None = None,
    track: int | None = None,
    aligned: bool = True,
    every: int | None = None,
    start: float | None = None,
    stop: float | None = None,
    values: npt.ArrayLike | str | None = None,
    label: str = "",
    ghost: bool = False,
) -> Figure:
    """Let the mesh of one face move, with a slider for the time.

    Parameters
    ----------
    frame
        Table with the mesh.
    recording, track
        Which face, if there are several.
    aligned
        Without the pose of the head.
    every
        Show every so many frames; default: as few as needed for no more than 200.
    start, stop
        From and up to this second, both included.
    values, label
        (rows of the face, 478) to colour by, and what it is; or ``"displacement"``, or an action
        unit, as for :func:`plot_mesh`.
    ghost
        Show the median face as well; only for `aligned` faces.

    Raises
    ------
    FexError
        If mesh columns are missing, several faces are there and none was chosen, or there is no
        frame between `start` and `stop`.
    OptionError
        If `every` is below 1, or another option cannot be.
    """
    face = one_face(frame, recording=recording, track=track)
    timed = "time" in face.columns and bool(face["time"].notna().all())
    inside = rows_between(face, start, stop)
    step = -(-len(inside) // _MOST_FRAMES) if every is None else check_whole("every", every, 1)
    chosen = inside[:: max(step, 1)]
    meshes = mesh_vertices(face.iloc[chosen])
    shown = align_mesh(meshes).vertices if aligned else meshes * _FLIP
    tints: Floats | None = None
    if isinstance(values, str):
        tints, label = texture_of(face, values, at=chosen)
    elif values is not None:
        tints = np.asarray(values)[chosen]
    return mesh_figure(
        shown,
        values=tints,
        label=label,
        times=face["time"].iloc[chosen].tolist() if timed else None,
        ghost=_rest(face, aligned) if ghost else None,
    )


def _rest(face: pd.DataFrame, aligned: bool) -> Floats:
    if not aligned:
        raise OptionError("`ghost` needs aligned=True: a face at rest has no pose of its own.")
    meshes = align_mesh(mesh_vertices(face)).vertices
    return np.asarray(np.nanmedian(meshes, axis=0))


def _surface(
    mesh: Floats,
    tint: Floats | None,
    label: str,
    limits: tuple[float, float] | None,
    colorscale: str,
) -> Mesh3d:
    from plotly import graph_objects as go

    x, y, z = mesh.astype(np.float32).T
    i, j, k = mesh_template().triangles.T
    look: dict[str, Any] = {"color": _SKIN}
    if tint is not None and limits is not None:
        look = {
            "intensity": tint.astype(np.float32), "cmin": limits[0], "cmax": limits[1],
            "colorscale": colorscale, "colorbar": {"title": label, "len": 0.6},
        }  # fmt: skip
    return go.Mesh3d(
        x=x, y=y, z=z, i=i, j=j, k=k, flatshading=False, hoverinfo="skip", **look,
        lighting={"ambient": 0.55, "diffuse": 0.7, "specular": 0.15, "roughness": 0.7},
        lightposition={"x": 0, "y": 300, "z": 1000},
    )  # fmt: skip


def _ghost(mesh: Floats) -> Mesh3d:
    """Make a face to be seen through."""
    from plotly import graph_objects as go

    if mesh.shape != mesh_template().vertices.shape:
        raise FexError(f"`ghost` must be (478, 3), but got {mesh.shape}.")
    x, y, z = mesh.astype(np.float32).T
    i, j, k = mesh_template().triangles.T
    return go.Mesh3d(x=x, y=y, z=z, i=i, j=j, k=k, color=PALETTE[0], opacity=0.22,
                     hoverinfo="skip", name="ghost")  # fmt: skip


def feature_points(mesh: npt.ArrayLike) -> Floats:
    """Give the lines of brows, eyes, irises and lips, a little in front of the skin.

    Parameters
    ----------
    mesh
        (478, 3) y up, z to the viewer.

    Returns
    -------
    ndarray
        (k, 3); a row of NaN between two lines.
    """
    points = np.asarray(mesh, dtype=np.float64)
    pieces = [np.vstack([points[list(line)], np.full((1, 3), np.nan)]) for line in FEATURE_LINES]
    front = (0.0, 0.0, 0.03 * np.ptp(points[:N_SKIN, 0]))
    return np.asarray(np.concatenate(pieces)[:-1] + front)


def _features(mesh: Floats) -> Scatter3d:
    from plotly import graph_objects as go

    x, y, z = feature_points(mesh).astype(np.float32).T
    return go.Scatter3d(
        x=x, y=y, z=z, mode="lines", line={"color": _INK, "width": 3}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip


def _layout(meshes: Floats) -> dict[str, Any]:
    """Fix the axes around all frames, so that nothing jumps; seen from the front."""
    low, high = meshes[:, :N_SKIN].min(axis=(0, 1)), meshes[:, :N_SKIN].max(axis=(0, 1))
    sides = {
        f"{axis}axis": {"visible": False, "range": [float(a), float(b)]}
        for axis, a, b in zip("xyz", low, high, strict=True)
    }
    size = (high - low) / (high - low).max()
    return {
        "scene": {
            **sides,
            "aspectmode": "manual",
            "aspectratio": dict(zip("xyz", size.tolist(), strict=True)),
            "camera": {"up": {"x": 0, "y": 1, "z": 0}, "eye": {"x": 0, "y": 0, "z": 1.8}},
        },
        "margin": {"l": 0, "r": 0, "t": 10, "b": 0},
        "font": LAYOUT["font"],
    }


def _controls(names: Sequence[str], times: Sequence[float] | None) -> dict[str, Any]:
    now = {"mode": "immediate", "transition": {"duration": 0}}
    play = {"frame": {"duration": 60, "redraw": True}, "fromcurrent": True, **now}
    stop = {"frame": {"duration": 0, "redraw": False}, **now}
    steps = [
        {"label": name, "method": "animate",
         "args": [[name], {"frame": {"duration": 0, "redraw": True}, **now}]}
        for name in names
    ]  # fmt: skip
    return {
        "updatemenus": [
            {"type": "buttons", "direction": "left", "x": 0, "y": 0, "xanchor": "left",
             "yanchor": "top", "showactive": False, "pad": {"t": 40},
             "buttons": [{"label": "▶", "method": "animate", "args": [None, play]},
                         {"label": "❚❚", "method": "animate", "args": [[None], stop]}]}
        ],
        "sliders": [
            {"steps": steps, "x": 0.12, "len": 0.88, "pad": {"t": 20},
             "currentvalue": {"prefix": "Frame " if times is None else "Time ",
                              "suffix": "" if times is None else " s"}}
        ],
    }  # fmt: skip
