"""The plural properties of a Fex: columns of one feature group as a plain DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import MissingGroupError

if TYPE_CHECKING:
    from facemt_analysis.fex.table import Fex

__all__ = ["FeatureGroups"]


class FeatureGroups:
    """Mix-in of :class:`Fex`: groups are found by the names of the columns whenever asked for."""

    def require(self, group: str, columns: Iterable[str] = ()) -> list[str]:
        """Name the columns of a group, or say that it is absent and what would produce it.

        Parameters
        ----------
        group
            Plural name of the group.
        columns
            Columns of it that have to be there.

        Returns
        -------
        list of str
            In canonical order, at least one.

        Raises
        ------
        MissingGroupError
            If the table has no column of the group, or one of `columns` is not there.
        """
        fex = cast("Fex", self)
        present = schema.columns_in(group, fex.columns.tolist())
        missing = [c for c in columns if c not in present]
        if not present or missing:
            raise MissingGroupError(_missing_text(group, missing, fex.groups))
        return present

    def _pick(self, group: str, need: Iterable[str] = ()) -> pd.DataFrame:
        """Columns of a group as a plain DataFrame in canonical order."""
        return pd.DataFrame(cast("Fex", self))[self.require(group, need)]

    @property
    def keys(self) -> pd.DataFrame:
        """Which face of which frame: ``input``, ``frame``, ``time`` (s), ``track``."""
        return self._pick("keys")

    @property
    def faceboxes(self) -> pd.DataFrame:
        """The face detector's boxes in px of the upright frame, and their score 0–1."""
        return self._pick("faceboxes")

    @property
    def landmarks(self) -> pd.DataFrame:
        """The 68 dlib points in px: ``x_0…x_67``, ``y_0…y_67``."""
        return self._pick("landmarks")

    @property
    def poses(self) -> pd.DataFrame:
        """Head pose in rad (+ = up, tilt and turn to the subject's right) and ``X Y Z``."""
        return self._pick("poses")

    @property
    def aus(self) -> pd.DataFrame:
        """Action unit scores 0–1 (occurrence, not intensity)."""
        return self._pick("aus")

    @property
    def intensities(self) -> pd.DataFrame:
        """Action unit intensities 0–5 of tools that estimate them."""
        return self._pick("intensities")

    @property
    def emotions(self) -> pd.DataFrame:
        """Probabilities of the basic emotions and neutral."""
        return self._pick("emotions")

    @property
    def va(self) -> pd.DataFrame:
        """Valence and arousal, −1…1."""
        return self._pick("va")

    @property
    def gazes(self) -> pd.DataFrame:
        """Gaze relative to the head in rad (+ = up, right)."""
        return self._pick("gazes")

    @property
    def meshes(self) -> pd.DataFrame:
        """The 478 mesh points in px, axis by axis: ``mesh_x_…``, ``mesh_y_…``, ``mesh_z_…``."""
        return self._pick("meshes")

    @property
    def blendshapes(self) -> pd.DataFrame:
        """MediaPipe's 52 expression coefficients, 0–1."""
        return self._pick("blendshapes")

    @property
    def framesizes(self) -> pd.DataFrame:
        """Height and width of the upright frame in px."""
        return self._pick("framesizes")


def _missing_text(group: str, missing: Sequence[str], present: Sequence[str]) -> str:
    what = f"no column {missing[0]!r}" if missing else f"no {group!r}"
    there = ", ".join(present) if present else "none of the known groups"
    return (
        f"This Fex has {what}; it has {there}. "
        f"These columns come from {schema.GROUPS[group].source}."
    )
