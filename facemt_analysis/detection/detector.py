"""The Detector: media in, Fex out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from tqdm.auto import tqdm

from facemt_analysis import __version__
from facemt_analysis.detection.chips import ChipGeometry
from facemt_analysis.detection.choices import choose_device, choose_face_detector
from facemt_analysis.detection.faces.base import Framing
from facemt_analysis.detection.media import Frame, Recording, open_recordings
from facemt_analysis.detection.table import FaceTable, check_groups
from facemt_analysis.detection.tracking import Tracker
from facemt_analysis.errors import OptionError
from facemt_analysis.fex import Fex, FexInfo, fex_from_blocks
from facemt_analysis.fex.info import utc_now
from facemt_analysis.network import (
    Conventions,
    FaceMultitask,
    conventions_for,
    load_checkpoint,
    resolve_weights,
)

__all__ = ["Detector", "MediaWarning"]

_SOFTWARE = ("numpy", "pandas", "torch", "timm", "av", "opencv-python-headless", "pillow")
# Decoded frames waiting for the network are kept below this many bytes.
_FRAME_BYTES = 128 * 2**20


class MediaWarning(UserWarning):
    """A recording was read, but not all of it."""


@dataclass(frozen=True)
class _Faces:
    """The faces found in one batch of frames."""

    boxes: npt.NDArray[np.float32]  # (n, 5) x1 y1 x2 y2 score
    frame_of: npt.NDArray[np.intp]  # (n,) position in the batch
    tracks: npt.NDArray[np.int64]  # (n,)


class Detector:
    """Finds faces in recordings and measures what they do.

    Parameters
    ----------
    weights
        Name of published weights (`face_multitask_v2`, …), `open` for the embedded ones, or the
        path of a `.safetensors` checkpoint of the same format.
    face_detector
        `retinaface` (published weights), `haar` (embedded in OpenCV), or a callable that takes one
        (H, W, 3) uint8 RGB frame and returns (n, 5) `x1 y1 x2 y2 score`. None chooses `haar` for
        the open weights and `retinaface` otherwise; for a checkpoint given by its path, `haar`
        stands in, with a warning, where RetinaFace's weights cannot be had.
    device
        `auto` (CUDA where there is one, else the CPU), or any torch device.
    face_threshold
        Faces with a lower score of the face detector are left out.
    chip
        How the crop is cut and resized; None follows the checkpoint (see `ChipGeometry`).
    conventions
        Which raw output is which angle; None follows the checkpoint or its published name.
    batch_size
        Faces that go through the network together; results do not depend on it.

    Raises
    ------
    WeightsUnavailable
        When named weights are neither cached nor within reach.
    CheckpointError
        When the weights file cannot be run.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> detector = fm.Detector(weights="face_multitask_v2")  # doctest: +SKIP
    >>> fex = detector.detect("talk.mp4")                    # doctest: +SKIP
    """

    def __init__(
        self,
        weights: str = "face_multitask_v2",
        *,
        face_detector: object = None,
        device: str | torch.device = "auto",
        face_threshold: float = 0.5,
        chip: ChipGeometry | None = None,
        conventions: Conventions | None = None,
        batch_size: int = 16,
    ) -> None:
        if not 0.0 <= face_threshold <= 1.0:
            raise OptionError(f"`face_threshold` must be in 0 to 1, but got {face_threshold}.")
        self.batch_size = _positive("batch_size", batch_size)
        self.face_threshold = face_threshold
        self.device = choose_device(device)
        self.weights = resolve_weights(weights)
        self.model: FaceMultitask = load_checkpoint(self.weights.path, device=self.device)
        config = self.model.config
        self.chip = chip or ChipGeometry.for_config(config.mesh_normalized, config.image_size)
        self.conventions = conventions or conventions_for(
            self.model.metadata, f"{self.weights.name}.safetensors"
        )
        self.face_detector = choose_face_detector(face_detector, self.weights.name, self.device)

    def __repr__(self) -> str:
        return (
            f"Detector(weights={self.weights.name!r}, face_detector={self.face_detector.name!r}, "
            f"device={str(self.device)!r})"
        )

    def detect(
        self,
        source: object,
        *,
        every: int = 1,
        fps: float | None = None,
        start: float | None = None,
        stop: float | None = None,
        groups: Iterable[str] | None = None,
        batch_size: int | None = None,
        frame_rate: float | None = None,
        progress: bool = True,
    ) -> Fex:
        """Detect all faces of all recordings of a source.

        Parameters
        ----------
        source
            Path of a video, image, animated GIF or folder; a list of paths; or a uint8 array
            (n, H, W, 3) or (H, W, 3), RGB.
        every
            Analyse every N-th frame.
        fps
            Analyse this many frames a second instead (never a frame twice).
        start, stop
            Analyse the seconds from `start` up to, not including, `stop`.
        groups
            Feature groups to keep, e.g. ``["aus", "emotions"]``; None keeps all.
        batch_size
            Overrides the detector's own for this call.
        frame_rate
            Frames per second of a source that has no clock of its own (image folders, lists,
            arrays). Such a source gets no `time` without it, and, if it is a set of images, no
            tracks through its images.
        progress
            Show a progress bar on stderr or in the notebook.

        Returns
        -------
        Fex
            One row per face per frame; a frame without a face has one row with NaN features,
            `FaceScore` 0 and `track` -1.

        Raises
        ------
        MediaError
            When a source cannot be read at all.

        Warns
        -----
        MediaWarning
            When part of a recording could not be read.
        """
        recordings = open_recordings(source, frame_rate=frame_rate)
        parts: list[Fex] = []
        for recording in recordings:
            parts += self.stream(
                recording, every=every, fps=fps, start=start, stop=stop, groups=groups,
                batch_size=batch_size, progress=progress,
            )  # fmt: skip
            for problem in recording.problems:
                warnings.warn(f"{recording.name}: {problem}", MediaWarning, stacklevel=2)
        return pd.concat(parts, ignore_index=True)

    def stream(
        self,
        recording: Recording,
        *,
        every: int = 1,
        fps: float | None = None,
        start: float | None = None,
        stop: float | None = None,
        groups: Iterable[str] | None = None,
        batch_size: int | None = None,
        progress: bool = False,
    ) -> Iterator[Fex]:
        """Detect one recording piece by piece, in bounded memory.

        Parameters are those of `detect`; `recording` comes from `open_recordings`.

        Yields
        ------
        Fex
            The rows of the next few frames, in order; frames are never split.

        Raises
        ------
        MediaError
            When the recording cannot be read, or holds no frame in the range asked for.
        """
        size = self.batch_size if batch_size is None else _positive("batch_size", batch_size)
        chosen = check_groups(groups)
        table = FaceTable(chosen, self.model.config, self.conventions)
        sampling: dict[str, Any] = {"every": every, "fps": fps, "start": start, "stop": stop}
        info = self._info({**sampling, "groups": chosen, "face_threshold": self.face_threshold})
        tracks = _Tracks(recording)
        frames = tqdm(
            recording.frames(**sampling),
            total=recording.count(**sampling),
            desc=recording.name,
            unit=" frames",
            disable=not progress,
        )
        with frames:
            for batch in _batches(frames, size):
                yield self._rows(recording.name, batch, table, tracks, size, info)

    def measure(
        self,
        images: Sequence[npt.NDArray[np.uint8]],
        boxes: npt.ArrayLike,
        *,
        framing: Framing | None = None,
        groups: Iterable[str] | None = None,
        batch_size: int | None = None,
    ) -> pd.DataFrame:
        """Measure faces whose place is known: one per image, without a face detector.

        Parameters
        ----------
        images
            n images, (H, W, 3) uint8 RGB, which may differ in size.
        boxes
            (n, 4) `x1 y1 x2 y2` px of the image, or (n, 5) with a score.
        framing
            How these boxes lie around a face; None: like those of this detector's face detector.
        groups
            Feature groups to keep; None keeps all.
        batch_size
            Overrides the detector's own for this call.

        Returns
        -------
        DataFrame
            n rows of feature columns, float32.

        Raises
        ------
        OptionError
            If there is not one finite box for each image.
        """
        size = self.batch_size if batch_size is None else _positive("batch_size", batch_size)
        given = np.asarray(boxes, np.float32)
        if given.ndim != 2 or len(given) != len(images) or given.shape[1] not in (4, 5):
            raise OptionError(
                f"`boxes` must have shape ({len(images)}, 4) or ({len(images)}, 5), one box per "
                f"image, but got {given.shape}."
            )
        if not np.isfinite(given).all():
            raise OptionError("`boxes` must be finite, but some numbers are not.")
        table = FaceTable(check_groups(groups), self.model.config, self.conventions)
        scores = given[:, 4:] if given.shape[1] == 5 else np.ones((len(given), 1), np.float32)
        faces = _Faces(
            np.concatenate([given[:, :4], scores], axis=1),
            np.arange(len(images), dtype=np.intp),
            np.zeros(len(images), np.int64),
        )
        parts = self._measure(images, faces, table, size, framing or self.face_detector.framing)
        blocks = {g: np.concatenate([p[g] for p in parts]) for g in table.widths()} if parts else {}
        index = pd.RangeIndex(len(images))
        return pd.DataFrame(fex_from_blocks(blocks, pd.DataFrame(index=index)))

    def _rows(
        self,
        name: str,
        batch: Sequence[Frame],
        table: FaceTable,
        tracks: _Tracks,
        batch_size: int,
        info: FexInfo,
    ) -> Fex:
        """All rows of a batch of frames."""
        faces = self._find(batch, tracks)
        # one row per face, and one for each frame without any
        counts = np.bincount(faces.frame_of, minlength=len(batch))
        frame_of_row = np.repeat(np.arange(len(batch)), np.maximum(counts, 1))
        has_face = counts[frame_of_row] > 0
        track = np.full(len(frame_of_row), -1, np.int64)
        track[has_face] = faces.tracks
        keys: dict[str, object] = {
            "input": name,
            "frame": np.array([f.index for f in batch], np.int64)[frame_of_row],
            "time": np.array([f.time for f in batch], np.float64)[frame_of_row],
            "track": track,
        }
        if any(f.name is not None for f in batch):
            keys["image"] = [batch[int(i)].name for i in frame_of_row]
        sizes = np.array([f.image.shape[:2] for f in batch], np.int64)[frame_of_row]
        return table.rows(
            self._measure(
                [f.image for f in batch], faces, table, batch_size, self.face_detector.framing
            ),
            has_face,
            pd.DataFrame(keys, index=pd.RangeIndex(len(track))),
            sizes,
            info,
        )

    def _find(self, batch: Sequence[Frame], tracks: _Tracks) -> _Faces:
        """Boxes and tracks in all frames of a batch; faces of a frame in order of their track."""
        boxes, frame_of, ids = [], [], []
        found = self.face_detector.detect([frame.image for frame in batch])
        for position, (frame, candidates) in enumerate(zip(batch, found, strict=True)):
            kept = candidates[candidates[:, 4] >= self.face_threshold]
            track = tracks.update(kept[:, :4], frame)
            order = np.argsort(track)
            boxes.append(kept[order])
            ids.append(track[order])
            frame_of.append(np.full(len(kept), position, np.intp))
        return _Faces(
            np.concatenate(boxes).astype(np.float32),
            np.concatenate(frame_of),
            np.concatenate(ids).astype(np.int64),
        )

    def _measure(
        self,
        images: Sequence[npt.NDArray[np.uint8]],
        faces: _Faces,
        table: FaceTable,
        batch_size: int,
        framing: Framing,
    ) -> list[dict[str, npt.NDArray[np.float32]]]:
        """Feature blocks of all faces of a batch of images."""
        framed = framing.apply(faces.boxes[:, :4])
        parts = []
        for first in range(0, len(framed), batch_size):
            part = slice(first, first + batch_size)
            chips, placement = self.chip.crop(images, framed[part], faces.frame_of[part])
            prediction = self.model.predict(chips, preprocess=self.chip.resize)
            mesh = self.chip.mesh_to_frame(prediction.mesh, placement)
            parts.append(table.blocks(prediction, mesh, faces.boxes[part]))
        return parts

    def _info(self, options: Mapping[str, object]) -> FexInfo:
        return FexInfo(
            tool=f"facemt_analysis {__version__}",
            weights=self.weights.name,
            weights_sha256=self.weights.sha256,
            weights_licence=self.weights.licence,
            weights_revision=self.weights.revision,
            conventions=json.loads(self.conventions.to_json()),
            chip=asdict(self.chip),
            face_detector=self.face_detector.name,
            face_detector_options={"framing": asdict(self.face_detector.framing)},
            options=options,
            versions={name: metadata.version(name) for name in _SOFTWARE},
            created=utc_now(),
        )


class _Tracks:
    """Numbers the faces of one recording; unrelated still images share no face."""

    def __init__(self, recording: Recording) -> None:
        self._tracker = Tracker() if recording.continuous else None
        self._next = 0

    def update(self, boxes: npt.NDArray[np.float32], frame: Frame) -> npt.NDArray[np.int64]:
        if self._tracker is not None:
            when = frame.time if np.isfinite(frame.time) else float(frame.index)
            return self._tracker.update(boxes, when)
        numbers = np.arange(self._next, self._next + len(boxes), dtype=np.int64)
        self._next += len(boxes)
        return numbers


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Group frames, at most `size` and about `_FRAME_BYTES` at a time."""
    batch: list[Frame] = []
    held = 0
    for frame in frames:
        batch.append(frame)
        held += frame.image.nbytes
        if len(batch) == size or held >= _FRAME_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise OptionError(f"`{name}` must be at least 1, but got {value}.")
    return value
