"""A film of two real faces that pass one in front of the other, with their places known."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.detection import open_recordings

__all__ = ["crossing_film", "switches"]

_SIZE = (360, 640)
_FACE = 120  # width of a face's box, px
# file, box of the face, first frame: one by the right, one by the left
_ACTORS = (
    ("single_face.mp4", (193, 88, 397, 292), 0),
    ("WolfgangLanger_Pexels.mp4", (324, 25, 586, 288), 240),
)


def crossing_film(
    path: Path, media: Path, *, seconds: float, rise: float, front: int
) -> npt.NDArray[np.float64]:
    """Write the film.

    Parameters
    ----------
    path
        Where to.
    media
        Folder with the actors' films.
    seconds
        Time the way across the picture takes, at 25 frames a second.
    rise
        How much lower the second face goes, px.
    front
        Which of the two is in front.

    Returns
    -------
    ndarray
        (frames, 2, 2) x, y of the centre of each face's box.
    """
    n = round(25 * seconds)
    height, width = _SIZE
    faces = [_cut_out(media, *actor, min(n, 70)) for actor in _ACTORS]
    share = np.linspace(0, 1, n)
    way = _FACE + (width - 2 * _FACE) * share
    middle = np.full(n, height / 2)
    centres = np.stack(
        [np.stack([way, middle - rise / 2], 1), np.stack([way[::-1], middle + rise / 2], 1)], 1
    )
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    wall = np.stack(
        [90 + 40 * across / width, 100 + 30 * down / height, 110 + 20 * np.sin(across / 50)], -1
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.options = {"crf": "18"}
        for i in range(n):
            picture = wall.copy()
            for actor in (1 - front, front):
                film = faces[actor]
                turn = i % (2 * len(film) - 2)  # forwards and backwards, without a jump
                _paste(picture, film[min(turn, 2 * len(film) - 2 - turn)], centres[i, actor])
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return centres


def switches(fex: pd.DataFrame, centres: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Give the number of changes of a face's track, and that of faces told apart.

    Frames in which a box lies between the two faces say nothing and are left out.
    """
    seen = pd.DataFrame(fex[fex["track"] >= 0])
    corner = seen[["FaceRectX", "FaceRectY"]].to_numpy(float)
    middle = corner + seen[["FaceRectWidth", "FaceRectHeight"]].to_numpy(float) / 2
    away = np.linalg.norm(middle[:, None] - centres[seen["frame"]], axis=2)
    clear = np.abs(away[:, 0] - away[:, 1]) > _FACE / 3
    who, track = away.argmin(1)[clear], seen["track"].to_numpy()[clear]
    changes = sum(int((np.diff(track[who == actor]) != 0).sum()) for actor in (0, 1))
    return changes, len(track)


def _cut_out(
    media: Path, file: str, box: tuple[int, int, int, int], first: int, n: int
) -> list[npt.NDArray[np.float64]]:
    """Pictures (h, w, 3) around the face, its box `_FACE` wide."""
    x1, y1, x2, y2 = box
    pad = round(0.3 * (x2 - x1))
    rows, columns = slice(max(y1 - pad, 0), y2 + pad), slice(max(x1 - pad, 0), x2 + pad)
    factor = _FACE / (x2 - x1)
    frames = open_recordings(media / file)[0].frames()
    return [
        cv2.resize(
            frame.image[rows, columns], None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
        ).astype(float)
        for frame in itertools.islice(frames, first, first + n)
    ]


def _paste(
    picture: npt.NDArray[np.float64], face: npt.NDArray[np.float64], centre: npt.NDArray[np.float64]
) -> None:
    """Lay an oval of the face onto the picture."""
    h, w = face.shape[:2]
    x, y = np.round(centre - (w / 2, h / 2)).astype(int)
    down, across = np.mgrid[:h, :w]
    away = np.hypot((across - w / 2) / (0.40 * w), (down - h / 2) / (0.47 * h))
    oval = np.clip((1.06 - away) / 0.08, 0, 1)[..., None]
    inside = np.s_[max(-y, 0) : picture.shape[0] - y, max(-x, 0) : picture.shape[1] - x]
    face, oval = face[inside], oval[inside]
    y, x = max(y, 0), max(x, 0)
    under = picture[y : y + face.shape[0], x : x + face.shape[1]]
    under[:] = oval * face + (1 - oval) * under
