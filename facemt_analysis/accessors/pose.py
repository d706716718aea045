"""``fex.pose``: how the head is held and how it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PoseAccessor"]


class PoseAccessor(Accessor):
    """Head pose of a Fex.

    The three angles are components of a rotation vector, or Euler angles where
    ``fex.info.conventions`` says so (tables of OpenFace; entry ``rotation``).
    """

    group = "poses"

    def rotations(self) -> npt.NDArray[np.float64]:
        """Give matrices (n, 3, 3); see :func:`facemt_analysis.measures.rotation_matrices`."""
        from facemt_analysis.measures import rotation_matrices

        return rotation_matrices(self._fex, convention=self._convention())

    def velocity(self) -> pd.DataFrame:
        """Give deg/s in each row; see :func:`facemt_analysis.measures.head_velocity`."""
        from facemt_analysis.measures import head_velocity

        return head_velocity(self._fex, convention=self._convention())

    def motion(
        self,
        by: str | Sequence[str] | None = None,
        *,
        still: float = 5.0,
        band: tuple[float, float] = (1.0, 4.0),
        window: float = 2.0,
    ) -> pd.DataFrame:
        """Summarise motion of each group; see :func:`facemt_analysis.measures.pose_motion`."""
        from facemt_analysis.measures import pose_motion

        return pose_motion(
            self._fex, by, still=still, band=band, window=window, convention=self._convention()
        )

    def plot(
        self,
        *,
        recording: str | None = None,
        track: int | None = None,
        degrees: bool = True,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the angles over time; see :func:`facemt_analysis.plotting.plot_pose`."""
        from facemt_analysis.plotting import plot_pose

        return plot_pose(self._fex, recording=recording, track=track, degrees=degrees, ax=ax)

    def _convention(self) -> str:
        from facemt_analysis.measures import rotation_convention

        return rotation_convention(self._fex.info.conventions)
