"""OpenCV's Haar cascade: the face detector that needs no download and no torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from facemt_analysis.detection.faces.base import Boxes, Framing, Image, check_frames
from facemt_analysis.errors import FacemtError

__all__ = ["HaarCascade"]

Floats = npt.NDArray[np.float64]

_CASCADE = "haarcascade_frontalface_alt2.xml"
_WINDOW = 20  # px, the smallest face the cascade can see
_STEP = 1.1  # from one size of face that is looked for to the next
_NEIGHBOURS = 3  # raw hits that make a face
# The cascade's margin at which half of the candidates are faces, and the spread of the odds.
_MARGIN, _SPREAD = 55.14, 0.19
_CERTAIN = 0.5
_OVERLAP = 0.5


class HaarCascade:
    """Faces seen from the front, found by a boosted cascade (Viola & Jones, 2004).

    Parameters
    ----------
    max_side
        Frames with a longer side are shrunk to it before the search; boxes are always given in
        pixels of the frame. None searches at full size.
    min_face
        Smallest face that is looked for, as a share of the frame's shorter side (and never below
        20 pixels after shrinking).
    tilt
        Where no face is found with a score of 0.5 or more, the frame is searched again turned by
        plus and minus this many degrees. 0 leaves that out.

    Notes
    -----
    Measured on 539 portraits (one face each) and on videos with MediaPipe's mesh as the reference:

    * The cascade ``alt2`` on plain gray finds the face of all 539 portraits with 24 false
      candidates; ``default`` has 95 for the same. Equalising the histogram loses faces in video
      (156 of 158 to 147) and takes longer, so it is not done. The profile cascade finds nothing
      that the others miss, so it is not run.
    * With a score of 0.5 or more: 538 portraits and 5 false boxes; in the video of a moving head
      149 of 158 faces without and 158 with the turned search; no false box in 48 frames without
      a face.
    * The score is ``1 / (1 + exp((55.14 - m) / 0.19))`` of the margin m of the last stage: the
      share of faces among candidates of that margin, by logistic regression on 773 faces and 24
      other candidates. 99 percent of the faces reach 0.5, and a fifth of the others.
    * The cascade's square has 1.008 mesh heights (sd of the log 0.055); its centre lies 0.092
      mesh heights (sd 0.018) above and 0.000 (sd 0.041) beside that of the mesh. `framing` makes
      of it the canonical framing (see `Framing`). Chips then vary, over the portraits, by sd 5.4
      percent in side (5 to 95 percent: -8 to +10) and by 2.9 and 1.2 percent of their side
      in x and y (-5 to +5, -2 to +2), x mostly with the turn of the head. That is why it calls
      itself `rough`: a `Detector` moves its boxes to the mesh that the network sees in them.

    Examples
    --------
    >>> HaarCascade().detect([np.zeros((120, 160, 3), np.uint8)])[0].shape
    (0, 5)
    """

    name = "haar"
    thread_safe = True  # each thread has a cascade of its own
    rough = True
    framing = Framing(scale_x=0.830, scale_y=1.153, shift_y=0.015)

    def __init__(
        self, *, max_side: int | None = 480, min_face: float = 0.08, tilt: float = 25.0
    ) -> None:
        if max_side is not None and max_side < _WINDOW:
            raise ValueError(f"`max_side` must be at least {_WINDOW} or None, but got {max_side}.")
        if not 0.0 <= min_face <= 1.0:
            raise ValueError(f"`min_face` must be a share from 0 to 1, but got {min_face}.")
        if not 0.0 <= tilt < 90.0:
            raise ValueError(f"`tilt` must be in degrees from 0 to 90, but got {tilt}.")
        self.max_side = max_side
        self.min_face = min_face
        self.tilt = tilt
        self._own = threading.local()

    def __repr__(self) -> str:
        return f"HaarCascade(max_side={self.max_side}, min_face={self.min_face}, tilt={self.tilt})"

    def __getstate__(self) -> dict[str, object]:
        """Leave out the cascades, which cannot be pickled and are loaded again when needed."""
        return {key: value for key, value in self.__dict__.items() if key != "_own"}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Begin without a cascade."""
        self.__dict__ |= state
        self._own = threading.local()

    def detect(self, frames: Sequence[Image]) -> list[Boxes]:
        """Find the faces of each frame; see `FaceDetector.detect`."""
        return [self._detect(frame) for frame in check_frames(frames)]

    def _detect(self, frame: Image) -> Boxes:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        height, width = gray.shape
        shrink = 1.0 if self.max_side is None else min(1.0, self.max_side / max(height, width))
        if shrink < 1.0:
            size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
            gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
        found = self._search(gray)
        if self.tilt and not (found[:, 4] >= _CERTAIN).any():
            turned = [self._search_turned(gray, angle) for angle in (self.tilt, -self.tilt)]
            found = np.concatenate([found, *turned])
        found = _suppressed(found)
        found[:, :4] *= np.array([width / gray.shape[1], height / gray.shape[0]] * 2)
        return found.astype(np.float32)

    def _search(self, gray: npt.NDArray[np.uint8]) -> Floats:
        """Give candidates in an upright gray image: (n, 5)."""
        smallest = max(_WINDOW, round(self.min_face * min(gray.shape)))
        corners, _, margins = self._cascade.detectMultiScale3(
            gray, scaleFactor=_STEP, minNeighbors=_NEIGHBOURS, minSize=(smallest, smallest),
            outputRejectLevels=True,
        )  # fmt: skip
        box = np.asarray(corners, np.float64).reshape(-1, 4)
        margin = np.asarray(margins, np.float64).reshape(-1, 1)
        score = 1.0 / (1.0 + np.exp((_MARGIN - margin) / _SPREAD))
        return np.hstack([box[:, :2], box[:, :2] + box[:, 2:], score])

    def _search_turned(self, gray: npt.NDArray[np.uint8], angle: float) -> Floats:
        """Search the image turned about its centre; boxes come back upright."""
        height, width = gray.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        turned = cv2.warpAffine(gray, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        found = self._search(turned.astype(np.uint8, copy=False))
        half = (found[:, 2:4] - found[:, :2]) / 2
        centre = (found[:, :2] + found[:, 2:4]) / 2
        back = cv2.invertAffineTransform(turn)
        centre = centre @ back[:, :2].T + back[:, 2]
        return np.hstack([centre - half, centre + half, found[:, 4:]])

    @property
    def _cascade(self) -> cv2.CascadeClassifier:
        held: cv2.CascadeClassifier | None = getattr(self._own, "cascade", None)
        if held is None:
            held = self._own.cascade = self._load()
        return held

    @staticmethod
    def _load() -> cv2.CascadeClassifier:
        path = Path(cv2.__file__).parent / "data" / _CASCADE
        cascade = cv2.CascadeClassifier(str(path))
        if cascade.empty():
            raise FacemtError(
                f"OpenCV has no {path}, which its wheels contain; reinstall opencv-python-headless "
                "(4.10 or later, below 5) or choose another face detector."
            )
        return cascade


def _suppressed(found: Floats) -> Floats:
    """Most certain first, without boxes that lie mostly within a more certain one or around it."""
    found = found[np.argsort(-found[:, 4], kind="stable")]
    corner = np.maximum(found[:, None, :2], found[None, :, :2])
    other = np.minimum(found[:, None, 2:4], found[None, :, 2:4])
    shared = (other - corner).clip(min=0.0).prod(axis=2)
    area = (found[:, 2:4] - found[:, :2]).prod(axis=1)
    overlaps = shared > _OVERLAP * np.minimum(area[:, None], area[None, :])
    kept: list[int] = []
    for row in range(len(found)):
        if not overlaps[row, kept].any():
            kept.append(row)
    return found[kept]
