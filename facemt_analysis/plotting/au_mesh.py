"""Action units where they act: scores on a face seen from the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from facemt_analysis import schema
from facemt_analysis.checks import check_number, near_names, pick_columns
from facemt_analysis.errors import FexError
from facemt_analysis.measures.mesh_model import N_SKIN, mesh_template
from facemt_analysis.plotting.style import INK, TRUTH, add_colorbar, new_axes

__all__ = ["au_vertex_weights", "plot_au_mesh"]

Floats = npt.NDArray[np.float64]

# dlib-68: first, last, closed
_LINES = ((17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False), (36, 41, True),
          (42, 47, True), (48, 59, True), (60, 67, True))  # fmt: skip
_RIMS = ((469, 470, 471, 472), (474, 475, 476, 477))


@lru_cache(maxsize=1)
def au_vertex_weights() -> Mapping[str, Floats]:
    """Say how far each vertex of the mesh moves with an action unit: name → (468,), 0 to 1.

    Notes
    -----
    Lengths of the displacements of :func:`facemt_analysis.simulate.au_basis` (written from the
    FACS manual; see ``docs/au_basis.md``), divided by the longest of each action unit.

    Examples
    --------
    >>> weights = au_vertex_weights()
    >>> len(weights), float(weights["AU12"].max()), bool(weights["AU12"][61] > weights["AU12"][10])
    (20, 1.0, True)
    """
    from facemt_analysis.simulate import AUS, au_basis

    lengths = np.linalg.norm(au_basis()[:, :N_SKIN], axis=-1)
    lengths /= lengths.max(axis=1, keepdims=True)
    lengths.setflags(write=False)
    return dict(zip(AUS, lengths, strict=True))


def plot_au_mesh(
    scores: Mapping[str, float] | pd.Series | pd.DataFrame,
    *,
    names: float | None = 0.3,
    limits: tuple[float, float] = (0.0, 1.0),
    cmap: str = "YlOrRd",
    label: str = "AU score where it acts (0–1)",
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw action units as colours on the places of a face that they move.

    Parameters
    ----------
    scores
        Action unit → score; a row of a Fex, or a table of one (the mean of its rows is drawn).
        Differences between conditions can be drawn, too: give `limits` such as (−0.3, 0.3) and a
        diverging `cmap`.
    names
        Name action units whose score is at least so far from 0; None: none of them.
    limits
        Scores of the ends of the colours.
    cmap
        Matplotlib colour map.
    label
        What the colours are.
    colorbar
        Explain the colours.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        An average face as others see it: the subject's left is on the right. The colour of a
        triangle is the mean of its vertices; that of a vertex the score × weight (see
        :func:`au_vertex_weights`) that is furthest from 0. NaN scores are left out.

    Raises
    ------
    FexError
        If there is no action unit, or one the basis does not know.

    Notes
    -----
    A picture of where the muscles act that the scores stand for, not of a measured movement; for
    that see :func:`facemt_analysis.measures.mesh_displacement`.

    Examples
    --------
    >>> ax = plot_au_mesh({"AU12": 0.8, "AU01": 0.1})
    >>> float(ax.collections[0].get_array().max().round(2)), [t.get_text() for t in ax.texts]
    (0.78, ['AU12 0.80'])
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    known = au_vertex_weights()
    given = _scores(scores)
    unknown = [au for au in given if au not in known]
    if unknown:
        raise FexError(f"`scores`: {unknown[0]!r} has no region.{near_names(unknown[0], known)}")
    used = {au: score for au, score in given.items() if np.isfinite(score)}
    shares = np.array([score * known[au] for au, score in used.items()]).reshape(-1, N_SKIN)
    vertices = np.zeros(N_SKIN)
    if len(shares):
        furthest = np.abs(shares).argmax(axis=0)
        vertices = shares[furthest, np.arange(N_SKIN)]
    template = mesh_template()
    shape = template.vertices
    order = np.argsort(shape[template.triangles, 2].mean(axis=1))  # far to near
    triangles = template.triangles[order]
    axes = new_axes(ax, size=(3.4, 2.3))
    faces = PolyCollection(
        list(shape[triangles][..., :2]), array=vertices[triangles].mean(axis=1), cmap=cmap,
        edgecolors="face", linewidths=0.2,
    )  # fmt: skip
    faces.set_clim(*limits)
    axes.add_collection(faces)
    axes.add_collection(LineCollection(_outlines(shape), colors=INK, linewidths=0.7))
    if names is not None:
        least = check_number("names", names, 0.0)
        _name(axes, {au: s for au, s in used.items() if abs(s) >= least}, shape)
    axes.set(xlim=(-1.5, 1.5) if names is not None else (-0.9, 0.9), ylim=(-1.08, 0.95),
             aspect="equal")  # fmt: skip
    axes.set_axis_off()
    if colorbar:
        add_colorbar(faces, axes, label)
    return axes


def _scores(scores: Mapping[str, float] | pd.Series | pd.DataFrame) -> dict[str, float]:
    if isinstance(scores, pd.DataFrame):
        columns = pick_columns(scores, group="aus", name="scores")
        scores = scores[columns].astype(np.float64).mean()
    names = schema.columns_in("aus", scores.keys())
    if isinstance(scores, pd.Series) and names:  # a row of a Fex holds other things, too
        return {name: float(scores[name]) for name in names}
    given = {str(k): float(v) for k, v in scores.items()}
    if not given:
        raise FexError("`scores` must have at least one action unit, but got none.")
    return given


def _outlines(shape: Floats) -> list[Floats]:
    """Lines of brows, nose, eyes, irises and lips."""
    dlib = list(schema.DLIB68_FROM_MESH)
    lines = [[*dlib[a : b + 1], *([dlib[a]] if closed else [])] for a, b, closed in _LINES]
    turn = np.linspace(0, 2 * np.pi, 25)
    round_ = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    irises = []
    for rim in _RIMS:
        middle = shape[list(rim), :2].mean(axis=0)
        irises.append(middle + round_ * np.linalg.norm(shape[rim[0], :2] - middle))
    return [*(shape[line, :2] for line in lines), *irises]


def _name(axes: Axes, scores: Mapping[str, float], shape: Floats) -> None:
    """Write names beside the face, left and right in turn, each with a line to its place."""
    known = au_vertex_weights()
    places = {}
    for au in scores:  # the place of the largest movement, on the side of the name
        places[au] = shape[:N_SKIN][int(known[au].argmax())].copy()
    ordered = sorted(places, key=lambda au: -places[au][1])
    for side, own in ((1.0, ordered[::2]), (-1.0, ordered[1::2])):
        for au, y in zip(own, _apart([places[a][1] for a in own]), strict=True):
            x = abs(places[au][0])
            axes.plot([side * x, side * 0.88], [places[au][1], y], color=TRUTH, linewidth=0.6)
            axes.plot(side * x, places[au][1], ".", color=INK, markersize=2.5)
            axes.text(side * 0.91, y, f"{au} {scores[au]:.2f}", va="center", size="small",
                      ha="left" if side > 0 else "right")  # fmt: skip


def _apart(heights: Sequence[float], least: float = 0.14) -> list[float]:
    """Move falling heights so that they are at least so far apart."""
    moved: list[float] = []
    for height in heights:
        moved.append(min(height, moved[-1] - least) if moved else height)
    shift = max(0.0, -1.0 - moved[-1]) if moved else 0.0
    return [m + shift for m in moved]
