"""From what a user points at to recordings."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import numpy as np

from facemt_analysis.detection.media.animation import AnimationRecording
from facemt_analysis.detection.media.arrays import ArrayRecording
from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.kinds import (
    AUDIO_SUFFIXES,
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    Kind,
    kind_of,
)
from facemt_analysis.detection.media.names import distinct_names, natural_key
from facemt_analysis.detection.media.recording import Recording
from facemt_analysis.detection.media.stills import StillsRecording, check_still
from facemt_analysis.detection.media.unreadable import UnreadableRecording
from facemt_analysis.detection.media.video import VideoRecording
from facemt_analysis.errors import MediaError

__all__ = ["open_recordings"]


def open_recordings(source: object, *, frame_rate: float | None = None) -> list[Recording]:
    """Find the recordings that a source consists of.

    What a file is, is told by its content. Paths:

    ============================  ================================================================
    video                         one recording
    still image                   one recording of one frame without time
    moving GIF, WebP, PNG, AVIF   one recording, timed by the durations of its frames
    TIFF with several pages       one recording without time
    folder                        each video and animation a recording, all still images together
                                  one more, in natural order (img2 before img10); hidden files,
                                  sound and whatever is no medium are passed over, and so are
                                  folders within the folder
    list                          each video and animation a recording, all still images together
                                  one more, in the order given; folders as above; a video that is
                                  named twice is read once
    uint8 array                   (n, H, W, 3) or (H, W, 3) RGB: one recording named `array`
    ============================  ================================================================

    Recordings are named for their files, image folders for the folder, images of a list for the
    folder that holds them all; names that clash get the part of the path that tells them apart
    (`a/talk.mp4`, `b/talk.mp4`).

    Parameters
    ----------
    source
        Path, list of paths or array, as above; recordings are passed through.
    frame_rate
        Frames per second of sources that have no clock of their own; ignored by the others.

    Returns
    -------
    list of Recording
        In the order of the source. A member of a list or folder that cannot be read is there as
        well: it fails when its frames are asked for, so that the others can be done. A bad image
        among images is named in the recording's `problems`.

    Raises
    ------
    MediaError
        When the source as a whole is nothing that can be read: a path that does not exist, a
        damaged file, a folder without media, a pipe or device, an empty list, an array of another
        type or shape.
    """
    if frame_rate is not None and not (math.isfinite(frame_rate) and frame_rate > 0):
        raise MediaError(f"`frame_rate` must be a positive number, but got {frame_rate!r}.")
    if isinstance(source, Recording):
        return [source]
    if isinstance(source, np.ndarray):
        return [ArrayRecording(source, frame_rate)]
    if isinstance(source, (str, os.PathLike)):
        return _open_one(_path(source), frame_rate)
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return _open_list(list(source), frame_rate)
    raise MediaError(
        "source: expected a path, a list of paths or a uint8 array, "
        f"but got {type(source).__name__}."
    )


def _path(item: object) -> Path:
    if not isinstance(item, (str, os.PathLike)):
        hint = "; stack arrays with np.stack" if isinstance(item, np.ndarray) else ""
        raise MediaError(f"source: expected paths, but got {type(item).__name__}{hint}.")
    text = os.fspath(item)
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    if "://" in text:
        raise MediaError(f"{shown(text)}: is a web address; download it and pass the file.")
    return Path(text).expanduser()


def _open_one(path: Path, frame_rate: float | None) -> list[Recording]:
    if _is_folder(path):
        return _renamed(_open_folder(path, frame_rate))
    kind = kind_of(path)
    if _counts_as_still(path, kind):
        check_still(path)
        return [StillsRecording(path.name, [path], path, frame_rate)]
    recording = _moving(path, kind, frame_rate)
    recording.has_clock  # noqa: B018  opens the file, and so refuses a bad one here
    return [recording]


def _open_list(items: Sequence[object], frame_rate: float | None) -> list[Recording]:
    if not items:
        raise MediaError("source: the list is empty; pass at least one path.")
    paths = [_path(item) for item in items]
    if len(paths) == 1:
        return _open_one(paths[0], frame_rate)
    found: list[Recording] = []
    stills: list[Path] = []
    place = 0
    for path in paths:
        if _is_folder(path):
            found += _open_folder_or_fail_later(path, frame_rate)
            continue
        kind = _kind_or_none(path)
        if _counts_as_still(path, kind):
            place = place if stills else len(found)
            stills.append(path)
        else:
            found.append(_moving(path, kind, frame_rate))
    if stills:
        found.insert(place, _stills_of_list(stills, frame_rate))
    return _renamed(found)


def _stills_of_list(stills: Sequence[Path], frame_rate: float | None) -> Recording:
    if len(stills) == 1:
        return StillsRecording(stills[0].name, stills, stills[0], frame_rate)
    folder = Path(os.path.commonpath([_absolute(path).parent for path in stills]))
    return StillsRecording(folder.name or str(folder), stills, folder, frame_rate)


def _open_folder(folder: Path, frame_rate: float | None) -> list[Recording]:
    try:
        entries = sorted(folder.iterdir(), key=lambda p: natural_key(PurePath(p.name)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MediaError(f"{shown(folder)}: the folder cannot be read ({reason}).") from error
    files = [p for p in entries if not p.name.startswith(".") and p.is_file()]
    found: list[Recording] = []
    stills: list[Path] = []
    for path in files:
        kind = _kind_or_none(path)
        if _counts_as_still(path, kind):
            stills.append(path)
        elif _counts_as_moving(path, kind):
            found.append(_moving(path, kind, frame_rate))
    if stills:
        name = _absolute(folder).name or str(folder)
        found.insert(0, StillsRecording(name, stills, folder, frame_rate))
    if not found:
        inner = sum(p.is_dir() for p in entries)
        what = "folder" if inner == 1 else "folders"
        hint = f"; it has {inner} {what} inside: pass those" if inner else ""
        raise MediaError(f"{shown(folder)}: there is no video or image in this folder{hint}.")
    return found


def _open_folder_or_fail_later(folder: Path, frame_rate: float | None) -> list[Recording]:
    try:
        return _open_folder(folder, frame_rate)
    except MediaError as error:
        return [UnreadableRecording(_absolute(folder).name, folder, str(error))]


def _kind_or_none(path: Path) -> Kind | None:
    """Kind of a file, None when it cannot be opened; that is told when it is read."""
    try:
        return kind_of(path)
    except MediaError:
        return None


def _counts_as_still(path: Path, kind: Kind | None) -> bool:
    if kind in (Kind.IMAGE, Kind.HEIC):
        return True
    return kind in (Kind.UNKNOWN, None) and path.suffix.lower() in IMAGE_SUFFIXES


def _counts_as_moving(path: Path, kind: Kind | None) -> bool:
    suffix = path.suffix.lower()
    if kind is Kind.ANIMATION:
        return True
    return suffix not in AUDIO_SUFFIXES and (kind is Kind.VIDEO or suffix in VIDEO_SUFFIXES)


def _moving(path: Path, kind: Kind | None, frame_rate: float | None) -> Recording:
    if kind is Kind.ANIMATION:
        return AnimationRecording(path.name, path, frame_rate)
    return VideoRecording(path.name, path, frame_rate)


def _renamed(recordings: Sequence[Recording]) -> list[Recording]:
    """Take out recordings named twice, and tell those of the same name apart."""
    once: dict[str, Recording] = {}
    for recording in recordings:
        place = os.path.realpath(recording.path or "")
        once.setdefault(f"{place}\0{type(recording).__name__}", recording)
    kept = list(once.values())
    names = distinct_names([_absolute(r.path or Path(r.name)) for r in kept])
    for recording, name in zip(kept, names, strict=True):
        recording.name = name
    return kept


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises for impossible names


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links
