"""RetinaFace with a ResNet-34 (Deng et al., 2020): the face detector of the published weights."""

from __future__ import annotations

import copy
import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from facemt_analysis.detection.faces.anchors import N_ANCHORS, anchors_for, decode_boxes
from facemt_analysis.detection.faces.base import Boxes, Framing, Image, check_frames
from facemt_analysis.detection.faces.resnet import ResNet34
from facemt_analysis.detection.faces.retinaface_graph import retinaface_graph
from facemt_analysis.detection.faces.retinaface_layers import (
    ContextModule,
    FeaturePyramid,
    Head,
    fold_batch_norms,
)
from facemt_analysis.detection.faces.retinaface_weights import read_weights
from facemt_analysis.errors import OptionError
from facemt_analysis.network.engines import resolve_engine
from facemt_analysis.network.engines.session import Session, n_threads, torch_threads
from facemt_analysis.network.transfer import send, staging

__all__ = ["RetinaFace"]

_MEAN = (123.0, 117.0, 104.0)  # RGB; subtracted from 0 to 255, without scaling
_WIDTH = 128
_OVERLAP = 0.4
_MOST = 750  # faces of one frame
# Pixels that go through the network at once, so that memory does not grow with the batch.
_PIXELS = {"cpu": 2**18, "cuda": 2**24}
_PIXELS_ELSEWHERE = 2**20


@functools.lru_cache(maxsize=4)
@torch.inference_mode(False)
def _mean(device: torch.device) -> Tensor:
    return torch.tensor(_MEAN, device=device)[:, None, None]


_Network = Callable[[Tensor], Sequence[Tensor]]  # images to offsets of boxes and logits


# several threads may run one detector; one of them prepares it
_PREPARING = threading.Lock()


class RetinaFace(nn.Module):
    """Single-stage face detector: ResNet-34, feature pyramid, context modules, three heads.

    The tensor names are those of the published file. `forward` takes any image size and gives raw
    outputs; `detect` takes frames as they are and gives boxes.

    Parameters
    ----------
    threshold
        Lowest score of a face that `detect` gives.
    max_side
        Frames with a longer side are shrunk to it for `detect`: faster, but small faces (below
        about 16 pixels after shrinking) are missed. None keeps their size, as published.
    engine
        What runs the network in `detect`: ``"torch"``, ``"onnx"`` (ONNX Runtime, on a CPU) or
        ``"auto"``: ``"onnx"`` where it is installed. The attribute `engine` says which it is.
    threads
        Threads of `detect` on a CPU; None: as many as PyTorch is set to.

    Examples
    --------
    >>> model = RetinaFace().eval()
    >>> loc, score, landmarks = model(torch.zeros(1, 3, 64, 96))
    >>> loc.shape, score.shape, landmarks.shape
    (torch.Size([1, 252, 4]), torch.Size([1, 252]), torch.Size([1, 252, 10]))
    """

    name = "retinaface"
    thread_safe = True
    framing = Framing()

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        max_side: int | None = None,
        engine: str = "torch",
        threads: int | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"`threshold` must be in 0 to 1, but got {threshold}.")
        if max_side is not None and max_side < 32:
            raise ValueError(f"`max_side` must be at least 32 or None, but got {max_side}.")
        self.threshold = threshold
        self.max_side = max_side
        self.engine = resolve_engine(engine)
        self.threads = n_threads(threads, self.engine)
        self.body = ResNet34()
        self.fpn = FeaturePyramid((128, 256, 512), _WIDTH)
        self.ssh1 = ContextModule(_WIDTH)
        self.ssh2 = ContextModule(_WIDTH)
        self.ssh3 = ContextModule(_WIDTH)
        self.ClassHead = Head(_WIDTH, N_ANCHORS, 2)
        self.BboxHead = Head(_WIDTH, N_ANCHORS, 4)
        self.LandmarkHead = Head(_WIDTH, N_ANCHORS, 10)
        self._folded = False
        self._prepared: tuple[object, _Network] | None = None

    @classmethod
    def from_pretrained(
        cls,
        weights: str | os.PathLike[str] | None = None,
        *,
        device: str | torch.device = "cpu",
        threshold: float = 0.5,
        max_side: int | None = None,
        engine: str = "torch",
        threads: int | None = None,
    ) -> Self:
        """Build the detector with weights.

        Parameters
        ----------
        weights
            Name or path of a safetensors file; None takes the published ``retinaface_r34``.
        device
            Where it runs.
        threshold, max_side, engine, threads
            See the class.

        Raises
        ------
        WeightsUnavailable
            When named weights are neither cached nor within reach.
        CheckpointError
            When the file cannot be read, or its tensors are not exactly those of this network.
        OptionError
            When there is no such engine, or it is not installed.
        """
        from facemt_analysis.network import resolve_weights

        found = resolve_weights("retinaface_r34" if weights is None else weights)
        engine = resolve_engine(engine, device)
        model = cls(threshold=threshold, max_side=max_side, engine=engine, threads=threads)
        model.load_state_dict(read_weights(found.path, model.state_dict()))
        return model.to(device).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network.

        Parameters
        ----------
        images
            (b, 3, H, W) RGB, 0 to 255 less the mean (123, 117, 104).

        Returns
        -------
        loc : Tensor
            (b, a, 4) offsets of the boxes from their anchors.
        score : Tensor
            (b, a) probability of a face.
        landmarks : Tensor
            (b, a, 10) offsets of five points.
        """
        levels = self._features(images)
        logits = self.ClassHead(levels)
        return self.BboxHead(levels), logits.softmax(dim=-1)[..., 1], self.LandmarkHead(levels)

    def _features(self, images: Tensor) -> list[Tensor]:
        levels = self.fpn(*self.body(images))
        contexts = (self.ssh1, self.ssh2, self.ssh3)
        return [context(level) for context, level in zip(contexts, levels, strict=True)]

    def detect(self, frames: Sequence[Image]) -> list[Boxes]:
        """Find the faces of each frame; see `FaceDetector.detect`.

        Frames of equal size go through the network together where that helps; the result of a
        frame does not depend on the others. The weights are used as they are at the call, always
        in eval mode.
        """
        # ONNX Runtime has its own threads; what is left for PyTorch is small
        with torch_threads(1 if self.engine == "onnx" else self.threads):
            return self._detect_all(check_frames(frames))

    def _detect_all(self, originals: list[Image]) -> list[Boxes]:
        frames = [self._shrunk(frame) for frame in originals]
        by_size: dict[tuple[int, ...], list[int]] = {}
        for position, frame in enumerate(frames):
            by_size.setdefault(frame.shape, []).append(position)
        found: dict[int, Boxes] = {}
        for (height, width, _), positions in by_size.items():
            together = max(1, _PIXELS.get(self._device.type, _PIXELS_ELSEWHERE) // (height * width))
            for first in range(0, len(positions), together):
                part = positions[first : first + together]
                found.update(zip(part, self._detect([frames[i] for i in part]), strict=True))
        for position, (frame, original) in enumerate(zip(frames, originals, strict=True)):
            if frame is not original:
                ratio = np.divide(original.shape[1::-1], frame.shape[1::-1])
                found[position][:, :4] *= np.tile(ratio, 2).astype(np.float32)
        return [found[position] for position in range(len(frames))]

    @torch.inference_mode()
    def _detect(self, frames: Sequence[Image]) -> list[Boxes]:
        """Boxes in frames of one size."""
        network, device = self._for_inference(), self._device
        held = staging((len(frames), *frames[0].shape), torch.uint8, device)
        np.stack(frames, out=held.numpy())
        # (b, H, W, 3) seen as (b, 3, H, W) is what torch calls channels last, its fast layout
        images = send(held, device).permute(0, 3, 1, 2).float()
        loc, logits = network(images.sub_(_mean(device)))
        score = logits.softmax(dim=-1)[..., 1]
        anchors = anchors_for(*images.shape[2:], device)
        # what lies below the threshold cannot suppress what lies above it
        image, place = (score >= self.threshold).nonzero(as_tuple=True)
        sure = score[image, place]
        boxes = decode_boxes(loc[image, place], anchors[place])
        # few are left: they are sorted out on the host, where they come in one copy
        rows = torch.column_stack([image.to(boxes.dtype), boxes, sure]).cpu()
        counts = torch.bincount(rows[:, 0].long(), minlength=len(frames)).tolist()
        return [self._kept(part[:, 1:]) for part in torch.split(rows, counts)]

    def _kept(self, boxes: Tensor) -> Boxes:
        """Leave out boxes (n, 5) that overlap with more certain ones."""
        found: Boxes = boxes.numpy()
        if not len(found):
            return found
        corner, other, score = np.split(found.astype(np.float64), [2, 4], axis=1)
        rectangles = np.concatenate([corner, other - corner], axis=1)
        kept = cv2.dnn.NMSBoxes(rectangles.tolist(), score.ravel().tolist(), 0.0, _OVERLAP)
        return found[np.asarray(kept, np.intp)[:_MOST]]

    def _shrunk(self, frame: Image) -> Image:
        height, width = frame.shape[:2]
        if self.max_side is None or max(height, width) <= self.max_side:
            return frame
        factor = self.max_side / max(height, width)
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)

    @property
    def shares_batches(self) -> int | None:
        """Pixels that frames of several threads are put together to; None: each for itself."""
        kind = self._device.type
        return None if kind == "cpu" else _PIXELS.get(kind, _PIXELS_ELSEWHERE)

    @property
    def _device(self) -> torch.device:
        return next(self.parameters()).device

    def _for_inference(self) -> _Network:
        """Give the network with its batch norms folded in, made anew when a weight has changed."""
        tensors = itertools.chain(self.parameters(), self.buffers())
        state = [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors]
        with _PREPARING:
            if self._prepared is None or self._prepared[0] != state:
                self._prepared = None  # not to be copied along
                folded = self if self._folded else copy.deepcopy(self).fold()
                self._prepared = (state, self._with_engine(folded))
            return self._prepared[1]

    def fold(self) -> Self:
        """Fold the batch norms in for good, for half the memory; outputs are equal to rounding.

        The tensors are no longer those of the published file afterwards.
        """
        fold_batch_norms(self.eval())
        self.to(memory_format=torch.channels_last)
        self._folded, self._prepared = True, None
        return self

    def _with_engine(self, folded: RetinaFace) -> _Network:
        if self.engine == "onnx":
            if self._device.type != "cpu":
                raise OptionError(
                    f"engine='onnx' runs on a CPU, but RetinaFace is on {self._device}: pass "
                    "engine='torch'."
                )
            return Session(retinaface_graph(folded), self.threads)

        def network(images: Tensor) -> tuple[Tensor, Tensor]:
            levels = folded._features(images)
            return folded.BboxHead(levels), folded.ClassHead(levels)

        return network

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was prepared for inference out of copies and pickles."""
        return self.__dict__ | {"_prepared": None}
