"""How gaze is spread over directions: a density over angles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_number, check_whole
from facemt_analysis.errors import OptionError
from facemt_analysis.measures.gaze_directions import gaze_angles, gaze_vectors
from facemt_analysis.measures.grouping import Grouping, complete, group_rows

__all__ = ["GazeDensity", "gaze_heatmap"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GazeDensity:
    """Density of gaze over yaw and pitch.

    Parameters
    ----------
    groups
        What the g groups are, one row each, with ``n_frames``, ``n_valid``, ``seconds`` (with a
        gaze) and ``inside``, the share of these within the extent.
    density
        (g, rows, columns) share of the time per deg², row 0 at the lowest pitch, column 0 at the
        least yaw. Density times area of the bins adds up to ``inside``.
    yaw_edges, pitch_edges
        Borders of the bins, deg; + = to the subject's right, up.
    reference
        ``"head"`` or ``"camera"``.
    """

    groups: pd.DataFrame
    density: Floats
    yaw_edges: Floats
    pitch_edges: Floats
    reference: str

    @property
    def table(self) -> pd.DataFrame:
        """One row per group and bin: its keys, ``yaw``, ``pitch`` (middle, deg), ``density``."""
        yaw = (self.yaw_edges[1:] + self.yaw_edges[:-1]) / 2
        pitch = (self.pitch_edges[1:] + self.pitch_edges[:-1]) / 2
        counts = ("n_frames", "n_valid", "seconds", "inside")
        keys = self.groups.drop(columns=list(counts))
        out = keys.iloc[np.repeat(np.arange(len(keys)), len(yaw) * len(pitch))]
        return out.reset_index(drop=True).assign(
            yaw=np.tile(yaw, len(keys) * len(pitch)),
            pitch=np.tile(np.repeat(pitch, len(yaw)), len(keys)),
            density=self.density.ravel(),
        )

    def __repr__(self) -> str:
        g, rows, columns = self.density.shape
        return (
            f"GazeDensity of {g} groups over {columns} × {rows} bins, "
            f"yaw {self.yaw_edges[0]:g}…{self.yaw_edges[-1]:g}°, "
            f"pitch {self.pitch_edges[0]:g}…{self.pitch_edges[-1]:g}° ({self.reference} frame)"
        )


def gaze_heatmap(
    frame: pd.DataFrame,
    *,
    bins: int | tuple[int, int] = 40,
    extent: tuple[float, float, float, float] = (-40.0, 40.0, -40.0, 40.0),
    by: str | Sequence[str] | None = None,
    smooth: float = 0.0,
    solid_angle: bool = False,
    reference: str = "head",
    recorded: str = "head",
    convention: str = "rodrigues",
) -> GazeDensity:
    """Density of gaze in the space of angles, each frame weighing the time it stands for.

    Parameters
    ----------
    frame
        Table with gaze, as for :func:`gaze_vectors`.
    bins
        Number of bins for both angles, or (yaw, pitch).
    extent
        Yaw from, to, pitch from, to; deg.
    by
        Columns to group by; None: each track of each recording.
    smooth
        SD of a Gaussian kernel, deg; 0: a plain histogram.
    solid_angle
        Divide by the true area of a bin on the sphere, which shrinks with cos(pitch), instead of by
        width times height.
    reference, recorded, convention
        As for :func:`gaze_vectors`.

    Returns
    -------
    GazeDensity
        Shares of the time per deg², with the bins and the groups. NaN for a group without gaze.

    Raises
    ------
    FexError
        If a column is not in the table.
    OptionError
        If an option is out of its range.

    Notes
    -----
    Rows without gaze have no share. With `smooth`, the bins are a kernel density estimate, exact
    but for the rounding to bins, on a margin wide enough that what lies just outside counts as in
    an estimate without borders; the angles are treated as a plane.

    Examples
    --------
    >>> table = pd.DataFrame({"gaze_pitch": [0.0, 0.1, 0.1], "gaze_yaw": [0.1, 0.1, 0.9]})
    >>> density = gaze_heatmap(table, bins=8)
    >>> density.groups["inside"].round(3).tolist(), density.density.shape
    ([0.667], (1, 8, 8))
    """
    n_yaw, n_pitch = (check_whole("bins", b, 1) for b in _pair(bins))
    left, right, low, high = _extent(extent)
    smooth = check_number("smooth", smooth, 0.0, unit="deg")
    vectors = gaze_vectors(frame, reference, recorded=recorded, convention=convention)
    rows = group_rows(frame, by)
    angles = gaze_angles(vectors)[rows.parts.order]
    valid = complete(angles)
    width, height = (right - left) / n_yaw, (high - low) / n_pitch
    pad_yaw, pad_pitch = (int(np.ceil(4 * smooth / size)) for size in (width, height))
    counts = _histogram(
        rows,
        [
            np.floor((angles[:, 1] - left) / width) + pad_yaw,
            np.floor((angles[:, 0] - low) / height) + pad_pitch,
        ],
        (n_yaw + 2 * pad_yaw, n_pitch + 2 * pad_pitch),
    )
    if smooth:
        from scipy.ndimage import gaussian_filter

        size = (0.0, smooth / height, smooth / width)
        counts = gaussian_filter(counts, size, mode="constant")
    counts = counts[:, pad_pitch : pad_pitch + n_pitch, pad_yaw : pad_yaw + n_yaw]
    weight = rows.total(np.where(valid, rows.weight, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = counts / np.where(weight > 0, weight, np.nan)[:, None, None]
    yaw_edges, pitch_edges = (
        np.linspace(left, right, n_yaw + 1),
        np.linspace(low, high, n_pitch + 1),
    )
    tall = np.diff(pitch_edges)
    if solid_angle:
        tall = np.degrees(np.diff(np.sin(np.radians(pitch_edges))))
    groups = rows.table(
        n_frames=rows.n_frames,
        n_valid=rows.count(valid),
        seconds=rows.seconds(valid),
        inside=share.sum(axis=(1, 2)),
    )
    return GazeDensity(groups, share / (width * tall[:, None]), yaw_edges, pitch_edges, reference)


def _histogram(rows: Grouping, places: Sequence[Floats], bins: tuple[int, int]) -> Floats:
    """Time in each bin, (g, pitch, yaw)."""
    yaw, pitch = places
    with np.errstate(invalid="ignore"):
        inside = (yaw >= 0) & (yaw < bins[0]) & (pitch >= 0) & (pitch < bins[1])
    shape = (len(rows), bins[1], bins[0])
    index = np.ravel_multi_index(
        (
            rows.parts.row_group[inside],
            pitch[inside].astype(np.intp),
            yaw[inside].astype(np.intp),
        ),
        shape,
    )
    counts = np.bincount(index, weights=rows.weight[inside], minlength=int(np.prod(shape)))
    return np.asarray(counts.reshape(shape))


def _pair(bins: object) -> tuple[object, object]:
    if not isinstance(bins, Sequence):
        return bins, bins
    if len(bins) != 2:
        raise OptionError(f"`bins` must be a number, or two (yaw, pitch), but got {bins!r:.60}.")
    return bins[0], bins[1]


def _extent(extent: object) -> tuple[float, float, float, float]:
    if not isinstance(extent, Sequence) or len(extent) != 4:
        raise OptionError(
            f"`extent` must be yaw from, to, pitch from, to (deg), but got {extent!r:.60}."
        )
    left = check_number("extent[0]", extent[0], -180.0, 180.0, unit="deg")
    right = check_number("extent[1]", extent[1], left, 180.0, open_low=True, unit="deg")
    low = check_number("extent[2]", extent[2], -90.0, 90.0, unit="deg")
    return left, right, low, check_number("extent[3]", extent[3], low, 90.0, open_low=True,
                                          unit="deg")  # fmt: skip
