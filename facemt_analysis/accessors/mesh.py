"""``fex.mesh``: the shape of the face, how far it is from rest, how symmetric."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["MeshAccessor"]

Floats = npt.NDArray[np.floating]


class MeshAccessor(Accessor):
    """Face mesh of a Fex: 478 points, px, all three axes at one scale."""

    group = "meshes"

    def vertices(self) -> Floats:
        """Give (n, 478, 3) px; see :func:`facemt_analysis.measures.mesh_vertices`."""
        from facemt_analysis.measures import mesh_vertices

        return mesh_vertices(self._fex)

    def aligned(
        self,
        reference: npt.ArrayLike | None = None,
        *,
        on: str | Sequence[int] = "rigid",
        scale: bool = True,
    ) -> Floats:
        """Give (n, 478, 3), pose removed; see :func:`facemt_analysis.measures.align_mesh`.

        In the frame of the reference: x to the subject's left, y up, z out of the face; unit: the
        distance of the outer eye corners of the average face.
        """
        from facemt_analysis.measures import align_mesh

        return align_mesh(self.vertices(), reference, on=on, scale=scale).vertices

    def displacement(
        self,
        reference: str | npt.ArrayLike = "median",
        *,
        person: str | Sequence[str] | None = None,
        unit: str = "iod",
        ipd: float = 63.0,
        neutral_share: float = 0.1,
        on: str | Sequence[int] = "rigid",
    ) -> Floats:
        """Give (n, 478, 3) from rest; see :func:`facemt_analysis.measures.mesh_displacement`."""
        from facemt_analysis.measures import mesh_displacement

        return mesh_displacement(
            self._fex, reference, person=person, unit=unit, ipd=ipd, neutral_share=neutral_share,
            on=on,
        )  # fmt: skip

    def regions(
        self,
        reference: str | npt.ArrayLike = "median",
        *,
        person: str | Sequence[str] | None = None,
        unit: str = "iod",
        ipd: float = 63.0,
        neutral_share: float = 0.1,
        on: str | Sequence[int] = "rigid",
    ) -> pd.DataFrame:
        """Measure each region per row; see :func:`facemt_analysis.measures.region_displacement`."""
        from facemt_analysis.measures import region_displacement

        return region_displacement(
            self._fex, reference, person=person, unit=unit, ipd=ipd, neutral_share=neutral_share,
            on=on,
        )  # fmt: skip

    def summary(
        self,
        by: str | Sequence[str] | None = None,
        *,
        reference: str | npt.ArrayLike = "median",
        person: str | Sequence[str] | None = None,
        unit: str = "iod",
        ipd: float = 63.0,
        neutral_share: float = 0.1,
        on: str | Sequence[int] = "rigid",
    ) -> pd.DataFrame:
        """Summarise displacement; see :func:`facemt_analysis.measures.mesh_summary`."""
        from facemt_analysis.measures import mesh_summary

        return mesh_summary(
            self._fex, by, reference=reference, person=person, unit=unit, ipd=ipd,
            neutral_share=neutral_share, on=on,
        )  # fmt: skip

    def asymmetry(self) -> pd.DataFrame:
        """Measure asymmetry per row; see :func:`facemt_analysis.measures.mesh_asymmetry`."""
        from facemt_analysis.measures import mesh_asymmetry

        return mesh_asymmetry(self._fex)

    def movement_asymmetry(
        self,
        reference: str | npt.ArrayLike = "median",
        *,
        person: str | Sequence[str] | None = None,
        gate: float = 0.02,
    ) -> pd.DataFrame:
        """Tell which side moves more; see :func:`facemt_analysis.measures.movement_asymmetry`."""
        from facemt_analysis.measures import movement_asymmetry

        return movement_asymmetry(self._fex, reference, person=person, gate=gate)

    def plot(
        self,
        row: int = 0,
        *,
        aligned: bool = False,
        values: npt.ArrayLike | str | None = None,
        label: str = "",
        ghost: bool = False,
    ) -> Figure:
        """Draw one row to turn (plotly); see :func:`facemt_analysis.interactive.plot_mesh`."""
        from facemt_analysis.interactive import plot_mesh

        return plot_mesh(self._fex, row, aligned=aligned, values=values, label=label, ghost=ghost)

    def animate(
        self,
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
        """Let the face move (plotly); see :func:`facemt_analysis.interactive.animate_mesh`."""
        from facemt_analysis.interactive import animate_mesh

        return animate_mesh(
            self._fex, recording=recording, track=track, aligned=aligned, every=every, start=start,
            stop=stop, values=values, label=label, ghost=ghost,
        )  # fmt: skip

    def movie(
        self,
        path: str | PathLike[str],
        *,
        fps: float = 25.0,
        speed: float = 1.0,
        recording: str | None = None,
        track: int | None = None,
        values: npt.ArrayLike | None = None,
        limits: tuple[float, float] | None = None,
        ghost: npt.ArrayLike | None = None,
        turn: float = -20.0,
        nod: float = 4.0,
        size: int = 480,
    ) -> Path:
        """Film the moving face (MP4, GIF); see :func:`facemt_analysis.interactive.mesh_movie`."""
        from facemt_analysis.interactive import mesh_movie

        return mesh_movie(
            self._fex, path, fps=fps, speed=speed, recording=recording, track=track, values=values,
            limits=limits, ghost=ghost, turn=turn, nod=nod, size=size,
        )  # fmt: skip
