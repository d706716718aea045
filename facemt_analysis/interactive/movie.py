"""Moving faces as films: MP4 or GIF."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_number, check_whole
from facemt_analysis.errors import FexError, MediaError, OptionError
from facemt_analysis.interactive.drawn import Camera, draw_mesh
from facemt_analysis.interactive.drive import drive_mesh
from facemt_analysis.interactive.timebase import Timebase
from facemt_analysis.measures.mesh_alignment import align_mesh, mesh_vertices
from facemt_analysis.measures.mesh_model import N_SKIN, mesh_template
from facemt_analysis.plotting.faces import one_face

__all__ = ["mesh_movie"]

Floats = npt.NDArray[np.float64]

_GIF_MOST = 50.0  # frames per second that viewers of GIF still keep to
_GIF_SAMPLE = 8  # pictures that the palette is made of
_CRF = "18"  # quality of H.264: no loss to be seen


def mesh_movie(
    faces: pd.DataFrame | npt.ArrayLike,
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
    """Write a film of a moving face mesh.

    Parameters
    ----------
    faces
        Meshes (n, 478, 3), y up, z to the viewer, one per frame of the film; or a table with the
        mesh of one face, shown without the pose of its head at its own times. A table without a
        mesh is shown by its action units or blendshapes: see :func:`drive_mesh`, which says what
        that is.
    path
        File ending in ``.mp4`` (H.264; needs PyAV) or ``.gif``; it appears complete or not at all.
    fps
        Frames per second of the film; at most 50 for GIF.
    speed
        Of the time in a table: 0.25 is slow motion.
    recording, track
        Which face of a table, if there are several.
    values
        (n, 478), one row per mesh or row of the table's face, to colour by; default: the colour of
        skin.
    limits
        Values of the ends of the colours; default: least and greatest.
    ghost
        (478, 3) drawn as lines over the face, such as the face at rest.
    turn, nod
        Degrees the face is turned to its left and nodded down by (negative: to its right, up).
    size
        Width and height, px, even.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FexError
        If shapes do not fit, no mesh is without NaN, or the table holds nothing to show.
    OptionError
        If an option cannot be, or the file's ending is another one.
    MediaError
        If MP4 is asked for and PyAV is not installed.

    Examples
    --------
    >>> faces = drive_mesh(pd.DataFrame({"AU12": [0.0, 0.5, 1.0]}))
    >>> mesh_movie(faces, "smile.gif").name                                # doctest: +SKIP
    'smile.gif'
    """
    from facemt_analysis.io._atomic import atomic_file

    target = Path(path)
    kind = target.suffix.lower()
    if kind not in (".mp4", ".gif"):
        raise OptionError(f"`path` must end in .mp4 or .gif, but got {target.name!r}.")
    fps = check_number("fps", fps, 1.0, _GIF_MOST if kind == ".gif" else 240.0)
    speed = check_number("speed", speed, 0.0, open_low=True)
    size = check_whole("size", size, 16)
    if size % 2:
        raise OptionError(f"`size` must be even, but got {size}.")
    tints = None if values is None else np.asarray(values, dtype=np.float64)
    if isinstance(faces, pd.DataFrame):
        meshes, shown = _of_table(faces, recording, track, fps, speed)
    else:
        meshes = np.asarray(faces, dtype=np.float64)
        shown = np.arange(len(meshes)) if meshes.ndim == 3 else np.arange(0)
    _check(meshes, tints)
    draw = partial(
        _pictures, meshes, values=tints, limits=limits,
        ghost=None if ghost is None else np.asarray(ghost, np.float64),
        camera=Camera.around(meshes, turn=turn, nod=nod, size=size),
    )  # fmt: skip
    with atomic_file(target) as temporary:
        if kind == ".mp4":
            _write_mp4(temporary, draw(shown), fps)
        else:
            some = shown[np.linspace(0, len(shown) - 1, _GIF_SAMPLE).astype(np.intp)]
            _write_gif(temporary, draw(shown), draw(some), fps)
    return target


def _of_table(
    frame: pd.DataFrame, recording: str | None, track: int | None, fps: float, speed: float
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Meshes of a face, and which of them each frame of the film shows."""
    face = one_face(frame, recording=recording, track=track)
    if face.empty:
        raise FexError("There is no face in the table; there is nothing to show.")
    if "mesh_x_0" in face.columns:
        meshes = np.asarray(align_mesh(mesh_vertices(face)).vertices, dtype=np.float64)
    else:
        meshes = drive_mesh(face)
    if "time" not in face.columns:
        return meshes, np.arange(len(meshes))
    base = Timebase.of(face)
    order = np.argsort(face["time"].to_numpy(np.float64), kind="stable")
    start, stop = float(base.times[0]), float(base.times[-1])
    n = int((stop - start) / speed * fps) + 1
    rows = [order[base.first[base.index_at(start + k * speed / fps)]] for k in range(n)]
    return meshes, np.array(rows, dtype=np.intp)


def _check(meshes: Floats, values: Floats | None) -> None:
    if meshes.ndim != 3 or meshes.shape[1:] != mesh_template().vertices.shape:
        raise FexError(f"`faces` must be (n, 478, 3) or a table, but got {meshes.shape}.")
    if values is not None and values.shape != meshes.shape[:2]:
        raise FexError(f"`values` must be {meshes.shape[:2]}, but got {values.shape}.")
    if not np.isfinite(meshes[:, :N_SKIN]).all(axis=(1, 2)).any():
        raise FexError("There is no face to show: every mesh holds NaN.")


def _pictures(
    meshes: Floats,
    shown: npt.NDArray[np.intp],
    values: Floats | None,
    limits: tuple[float, float] | None,
    ghost: Floats | None,
    camera: Camera,
) -> Iterator[npt.NDArray[np.uint8]]:
    """Draw frame by frame; a mesh that is shown again is not drawn again."""
    if values is not None and limits is None:
        limits = (float(np.nanmin(values)), float(np.nanmax(values)))
    last, picture = -1, camera.blank()
    for i in shown.tolist():
        if i != last:
            last = i
            if np.isfinite(meshes[i]).all():
                parts = None
                if values is not None and limits is not None:
                    parts = (values[i] - limits[0]) / max(limits[1] - limits[0], 1e-12)
                picture = draw_mesh(meshes[i], camera, parts=parts, ghost=ghost)
            else:
                picture = camera.blank()
        yield picture


def _write_mp4(path: Path, pictures: Iterator[npt.NDArray[np.uint8]], fps: float) -> None:
    try:
        import av
    except ImportError as error:
        raise MediaError(
            'MP4 needs PyAV, which is not installed: pip install "facemt-analysis[detect]"; a path '
            "ending in .gif does not."
        ) from error
    with av.open(str(path), "w", format="mp4") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": _CRF}
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode(None))


def _write_gif(
    path: Path,
    pictures: Iterator[npt.NDArray[np.uint8]],
    some: Iterator[npt.NDArray[np.uint8]],
    fps: float,
) -> None:
    """Write with one palette, that of some pictures: no flicker, and an eighth of the bytes."""
    from PIL import Image

    palette = Image.fromarray(np.concatenate(list(some))).quantize(
        256, method=Image.Quantize.FASTOCTREE
    )
    images = (
        Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE)
        for picture in pictures
    )
    first = next(images)
    with path.open("wb") as file:
        first.save(file, format="GIF", save_all=True, append_images=images,
                   duration=1000 / fps, loop=0)  # fmt: skip
