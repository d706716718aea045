"""From boxes in a table to its column `track`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.detection.tracking import Tracker
from facemt_analysis.fex import Fex

__all__ = ["TrackNumbers"]

_BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]


class TrackNumbers:
    """Numbers the faces of one recording, table by table, frames in order.

    The numbers follow from the boxes alone, so that the parts of a recording can be measured
    apart and numbered together.

    Parameters
    ----------
    continuous
        Whether the frames follow each other in time; unrelated still images share no face.
    """

    def __init__(self, *, continuous: bool) -> None:
        self._tracker = Tracker() if continuous else None
        self._next = 0

    def number(self, rows: Fex) -> Fex:
        """Fill `track` and bring the faces of each frame into the order of their tracks.

        Parameters
        ----------
        rows
            Whole frames with face boxes; `track` is -1 where there is no face.
        """
        frame = rows["frame"].to_numpy()
        time = rows["time"].to_numpy(np.float64)
        seen = rows["track"].to_numpy() >= 0
        rect = pd.DataFrame(rows[_BOX]).to_numpy(np.float64)
        boxes = np.column_stack([rect[:, :2], rect[:, :2] + rect[:, 2:]])
        track = np.full(len(rows), -1, np.int64)
        starts = np.flatnonzero(np.diff(frame, prepend=-1))
        for first, last in zip(starts, [*starts[1:], len(rows)], strict=True):
            here = np.flatnonzero(seen[first:last]) + first
            when = time[first] if np.isfinite(time[first]) else float(frame[first])
            track[here] = self._update(boxes[here], when)
        order = np.lexsort((track, frame))
        numbered: Fex = rows.assign(track=track)
        if (order[1:] > order[:-1]).all():
            return numbered
        return numbered.iloc[order].reset_index(drop=True)

    def _update(self, boxes: npt.NDArray[np.float64], when: float) -> npt.NDArray[np.int64]:
        if self._tracker is not None:
            return self._tracker.update(boxes, when)
        numbers = np.arange(self._next, self._next + len(boxes), dtype=np.int64)
        self._next += len(boxes)
        return numbers
