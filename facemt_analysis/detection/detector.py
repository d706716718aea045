"""The Detector: media in, Fex out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from tqdm.auto import tqdm

from facemt_analysis import __version__
from facemt_analysis.detection import following
from facemt_analysis.detection.chips import ChipGeometry
from facemt_analysis.detection.choices import (
    choose_batch_size,
    choose_device,
    choose_face_detector,
    choose_precision,
    choose_threads,
)
from facemt_analysis.detection.crew import Crew
from facemt_analysis.detection.faces.base import Framing
from facemt_analysis.detection.measuring import Faces, Finder, Measurer, measure_unit
from facemt_analysis.detection.media import Frame, Recording, open_recordings
from facemt_analysis.detection.numbering import TrackNumbers
from facemt_analysis.detection.reading import Reader, cropping
from facemt_analysis.detection.settling import Settler
from facemt_analysis.detection.table import FaceTable, check_groups, with_boxes, without_boxes
from facemt_analysis.detection.units import Place, Unit, units
from facemt_analysis.errors import OptionError
from facemt_analysis.fex import Fex, FexInfo, fex_from_blocks
from facemt_analysis.fex.info import utc_now
from facemt_analysis.network import (
    Conventions,
    Engine,
    FaceMultitask,
    Prediction,
    conventions_for,
    load_checkpoint,
    make_engine,
    resolve_weights,
)
from facemt_analysis.network.engines import resolve_engine
from facemt_analysis.network.engines.together import SharedEngine

__all__ = ["Detector", "MediaWarning"]

_SOFTWARE = ("numpy", "pandas", "torch", "timm", "av", "opencv-python-headless", "pillow")
Boxes = npt.NDArray[np.float32]


class MediaWarning(UserWarning):
    """A recording was read, but not all of it."""


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
        Faces that go through the network together, None: 16 on a CPU, 64 elsewhere; results do
        not depend on it.
    follow
        In films the face detector looks at every N-th frame, and faces are followed in between
        (see `detection.following`); True: 0.4 s apart, every tenth frame of 25 a second (every
        eighth without a clock); False or 1: at every frame.
    threads
        Cores used on a CPU, None: as many as torch would; on another device the threads that feed
        it, None: up to four. Results do not depend on it.
    engine
        What computes the network and RetinaFace: ``"torch"``, ``"onnx"`` (CPU only, an optional
        package) or ``"auto"``, ``"onnx"`` where it can be had; results are equal to rounding.
    precision
        In what the network's feature maps are computed: ``"float32"``, ``"bfloat16"`` (faster on
        processors that have instructions for it; results differ in the third digit) or
        ``"auto"``: float32 on a CPU, bfloat16 on CUDA.

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
        batch_size: int | None = None,
        follow: int | bool = True,
        threads: int | None = None,
        engine: str = "torch",
        precision: str = "auto",
    ) -> None:
        if not 0.0 <= face_threshold <= 1.0:
            raise OptionError(f"`face_threshold` must be in 0 to 1, but got {face_threshold}.")
        self.follow = follow is True or _positive("follow", follow or 1)
        self.face_threshold = face_threshold
        self.device = choose_device(device)
        self.batch_size = choose_batch_size(batch_size, self.device)
        self.threads = choose_threads(threads, self.device)
        self.weights = resolve_weights(weights)
        self.model: FaceMultitask = load_checkpoint(self.weights.path, device=self.device)
        config = self.model.config
        self.chip = chip or ChipGeometry.for_config(config.mesh_normalized, config.image_size)
        self._crop = cropping(self.chip, self.device)
        self.conventions = conventions or conventions_for(
            self.model.metadata, f"{self.weights.name}.safetensors"
        )
        size = sum(value.nbytes for value in self.model.state_dict().values())
        chosen = resolve_engine(engine, self.device, n_bytes=size)
        self.precision = choose_precision(precision, self.device, chosen)
        self.model.maps_dtype = getattr(torch, self.precision)
        # each call of ONNX Runtime comes from a thread that keeps to one core
        engine_alone = make_engine(self.model, chosen, threads=1 if chosen == "onnx" else None)
        # on a CPU each thread runs the network on its own; a device does larger batches faster
        self.engine: Engine = (
            engine_alone if self.device.type == "cpu" else SharedEngine(engine_alone)
        )
        self.face_detector = choose_face_detector(
            face_detector, self.weights.name, self.device, chosen
        )
        self._find = self._new_finder()

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
        chosen = check_groups(groups)
        tracks = TrackNumbers(continuous=recording.continuous)
        for rows, _ in self.pieces(
            recording, every=every, fps=fps, start=start, stop=stop, groups=chosen,
            batch_size=batch_size, progress=progress,
        ):  # fmt: skip
            yield without_boxes(tracks.number(rows), chosen)

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
        measure = Measurer(self._reader(framing or self.face_detector.framing, size), table)
        faces = measure(
            images, np.concatenate([given[:, :4], scores], axis=1), np.arange(len(images))
        )
        index = pd.RangeIndex(len(images))
        return pd.DataFrame(fex_from_blocks(faces.blocks, pd.DataFrame(index=index)))

    def pieces(
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
        within: tuple[float | None, float | None] | None = None,
        after: Place | None = None,
    ) -> Iterator[tuple[Fex, Place]]:
        """Measure one recording piece by piece, leaving the tracks to be numbered.

        Parameters are those of `detect`, and:

        Parameters
        ----------
        recording
            From `open_recordings`.
        within
            Seconds from and to: a stretch of `start` to `stop` that is measured on its own.
        after
            Go on behind this place, as an earlier call gave it; what follows is the same to the
            last bit.

        Yields
        ------
        Fex
            The rows of the next few frames, boxes included, `track` 0 for a face and -1 for none;
            faces of a frame from left to right.
        Place
            Where the piece ends.
        """
        size = self.batch_size if batch_size is None else _positive("batch_size", batch_size)
        chosen = check_groups(groups)
        table = FaceTable(with_boxes(chosen), self.model.config, self.conventions)
        sampling: dict[str, Any] = {"every": every, "fps": fps, "start": start, "stop": stop}
        info = self._info({**sampling, "groups": chosen, "face_threshold": self.face_threshold})
        if within is not None:
            sampling |= {"start": within[0], "stop": within[1]}
        find = self._finder()
        measure = Measurer(self._reader(self.face_detector.framing, size), table)
        follow = self._look_distance(recording, every, fps)
        frames = tqdm(
            recording.frames(**sampling, after=None if after is None else after.frame),
            total=recording.count(**sampling),
            desc=recording.name,
            unit=" frames",
            disable=not progress,
        )
        if self.engine.name == "torch":
            self.model.warm()
        with frames, Crew(self.threads) as crew:
            look: Future[Boxes] | None = None
            if after is not None and after.boxes is not None:
                look = Future()
                look.set_result(np.asarray(after.boxes, np.float32).reshape(-1, 5))
            when = after.time if after is not None else float("nan")

            def jobs() -> Iterator[_Job]:
                nonlocal look, when
                for unit in units(frames, follow, after):
                    last = unit.frames[-1]
                    # where faces are followed, the next unit needs this look, too
                    closing = crew.submit(partial(_only, find, last)) if follow > 1 else None
                    yield _Job(unit, None if unit.opens or look is None else (look, when), closing)
                    look, when = closing, last.time

            def run(job: _Job) -> tuple[_Job, Faces]:
                before = None if job.before is None else (job.before[0].result(), job.before[1])
                closing = None if job.closing is None else job.closing.result()
                return job, measure_unit(job.unit, before, closing, find, measure)

            for job, faces in crew.ordered(run, jobs(), weight=lambda job: job.unit.bytes):
                rows = _rows(recording.name, job.unit.frames, faces, table, info)
                place = job.place()
                del job, faces  # the pictures go before the next are made
                yield rows, place
                del rows

    def _look_distance(self, recording: Recording, every: int, fps: float | None) -> int:
        if not recording.continuous:
            return 1
        if self.follow is True:
            return following.look_distance(recording.rate(every=every, fps=fps))
        return int(self.follow)

    def _finder(self) -> Finder:
        """Give the one finder of all recordings that are measured at a time."""
        find = self._find
        if find.detector is not self.face_detector or find.threshold != self.face_threshold:
            find = self._find = self._new_finder()
        return find

    def _new_finder(self) -> Finder:
        detector, settle = self.face_detector, None
        if getattr(detector, "rough", False):
            settle = Settler(self._reader(detector.framing, self.batch_size))
        return Finder(detector, self.face_threshold, settle)

    def _reader(self, framing: Framing, batch_size: int) -> Reader:
        # chips of more faces than are taken at a time would only wait
        size = min(batch_size, self.model.chips_at_once)
        return Reader(self._predict, self._crop, self.chip, framing, size)

    def _predict(self, chips: torch.Tensor) -> Prediction:
        return self.engine.predict(chips, preprocess=self.chip.resize)

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
            face_detector_options={
                "framing": asdict(self.face_detector.framing),
                "follow": self.follow,
            },
            options={**options, "engine": self.engine.name, "precision": self.precision},
            versions={name: metadata.version(name) for name in _SOFTWARE},
            created=utc_now(),
        )


@dataclass(frozen=True)
class _Job:
    """A unit and the looks at its ends, which may still be under way."""

    unit: Unit
    before: tuple[Future[Boxes], float] | None
    closing: Future[Boxes] | None

    def place(self) -> Place:
        last = self.unit.frames[-1]
        seen = None
        if self.closing is not None:
            seen = tuple(tuple(map(float, row)) for row in self.closing.result())
        return Place(last.index, last.time, self.unit.first + len(self.unit.frames) - 1, seen)


def _only(find: Finder, frame: Frame) -> Boxes:
    return find([frame])[0]


def _rows(name: str, frames: Sequence[Frame], faces: Faces, table: FaceTable, info: FexInfo) -> Fex:
    """Rows of some frames: one per face, and one for each frame without any."""
    counts = np.bincount(faces.frame_of, minlength=len(frames))
    frame_of_row = np.repeat(np.arange(len(frames)), np.maximum(counts, 1))
    has_face = counts[frame_of_row] > 0
    keys: dict[str, object] = {
        "input": name,
        "frame": np.array([f.index for f in frames], np.int64)[frame_of_row],
        "time": np.array([f.time for f in frames], np.float64)[frame_of_row],
        "track": np.where(has_face, 0, -1).astype(np.int64),
    }
    if any(f.name is not None for f in frames):
        keys["image"] = [frames[int(i)].name for i in frame_of_row]
    sizes = np.array([f.image.shape[:2] for f in frames], np.int64)[frame_of_row]
    index = pd.RangeIndex(len(frame_of_row))
    return table.rows([faces.blocks], has_face, pd.DataFrame(keys, index=index), sizes, info)


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise OptionError(f"`{name}` must be at least 1, but got {value}.")
    return value
