"""What the network gives: tensors while training, plain arrays afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facemt_analysis.network.config import ModelConfig
from facemt_analysis.schema import DLIB68_FROM_MESH

__all__ = ["Outputs", "Prediction", "pack", "packing"]

Packing = Mapping[str, tuple[int, ...]]
"""Names and shapes of what lies side by side in a row."""


class Outputs(NamedTuple):
    """Differentiable outputs for n inputs, in the network's raw conventions.

    Parameters
    ----------
    au
        (n, n_au) scores in [0, 1], cosine similarities.
    mesh
        (n, 478, 3); x and y in [0, 1] over the chip or in input pixels, as the configuration says.
    pose
        (n, 6) rotation vector (radians) and translation.
    blendshapes
        (n, 52) in [0, 1], or None.
    emotion_logits
        (n, n_emotion), before the softmax.
    valence_arousal
        (n, 2) in [-1, 1].
    gaze
        (n, 2) yaw and pitch, radians.
    gaze_sides
        (n, 2, m) what the left and right branch gave (see :class:`GazeOutput`).
    gaze_logits
        (n, 2, bins) of a network with bins, else None.
    nodes
        (n, n_au, C) AU nodes before the relation graph.
    related_nodes
        (n, n_au, C) AU nodes behind it, which the prototypes are compared with.
    features
        (n, C + mesh width) what emotion and gaze read.
    """

    au: Tensor
    mesh: Tensor
    pose: Tensor
    blendshapes: Tensor | None
    emotion_logits: Tensor
    valence_arousal: Tensor
    gaze: Tensor
    gaze_sides: Tensor
    gaze_logits: Tensor | None
    nodes: Tensor
    related_nodes: Tensor
    features: Tensor


@dataclass(frozen=True, eq=False)
class Prediction:
    """Outputs for n chips as float32 arrays, in the network's raw conventions.

    Raw means: order and signs as the weights have them, which differ between files
    (:func:`~facemt_analysis.network.oriented` brings them to those of a Fex).

    Parameters
    ----------
    au
        (n, n_au) scores in [0, 1].
    emotion
        (n, n_emotion) softmax.
    valence, arousal
        (n,) in [-1, 1].
    gaze
        (n, 2) yaw and pitch, radians.
    pose
        (n, 6) three angles (radians) and a translation.
    mesh
        (n, 478, 3); x and y in [0, 1] over the chip (`mesh_normalized`) or in input pixels.
    landmarks68
        (n, 68, 2) x and y of the mesh vertices that stand for the dlib landmarks.
    blendshapes
        (n, 52) in [0, 1], or None for weights without that head.
    """

    au: NDArray[np.float32]
    emotion: NDArray[np.float32]
    valence: NDArray[np.float32]
    arousal: NDArray[np.float32]
    gaze: NDArray[np.float32]
    pose: NDArray[np.float32]
    mesh: NDArray[np.float32]
    landmarks68: NDArray[np.float32]
    blendshapes: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.au)

    @classmethod
    def empty(cls, config: ModelConfig) -> Prediction:
        """Give the prediction for no chip at all: arrays of length 0."""
        packed = packing(config)
        width = sum(int(np.prod(shape)) for shape in packed.values())
        return cls.from_packed(np.empty((0, width), np.float32), packed)

    @classmethod
    def concatenate(cls, parts: Sequence[Prediction]) -> Prediction:
        """Join predictions of the same network, in order; there must be at least one."""

        def joined(name: str) -> NDArray[np.float32] | None:
            arrays = [getattr(part, name) for part in parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        return cls(**{field.name: joined(field.name) for field in fields(cls)})  # type: ignore[arg-type]

    @classmethod
    def from_outputs(cls, outputs: Outputs) -> Prediction:
        """Copy what users read out of the network's tensors."""
        shapes = {name: tuple(part.shape[1:]) for name, part in _read(outputs).items()}
        return cls.from_packed(pack(outputs).cpu().numpy(), shapes)

    @classmethod
    def from_packed(cls, rows: NDArray[np.float32], packed: Packing) -> Prediction:
        """Take rows apart that `pack` made; columns beyond those of `packed` are left out."""
        parts: dict[str, NDArray[np.float32]] = {}
        first = 0
        for name, shape in packed.items():
            last = first + int(np.prod(shape))
            parts[name] = rows[:, first:last].copy().reshape(len(rows), *shape)
            first = last
        return cls(
            au=parts["au"],
            emotion=parts["emotion"],
            valence=parts["affect"][:, 0].copy(),
            arousal=parts["affect"][:, 1].copy(),
            gaze=parts["gaze"],
            pose=parts["pose"],
            mesh=parts["mesh"],
            landmarks68=parts["mesh"][:, list(DLIB68_FROM_MESH), :2],
            blendshapes=parts.get("blendshapes"),
        )

    def part(self, rows: slice) -> Prediction:
        """Give some of the faces."""

        def some(name: str) -> NDArray[np.float32] | None:
            values: NDArray[np.float32] | None = getattr(self, name)
            return None if values is None else values[rows]

        return type(self)(**{field.name: some(field.name) for field in fields(self)})  # type: ignore[arg-type]


def pack(outputs: Outputs) -> Tensor:
    """Put what users read side by side, one float32 row per face: one tensor to be copied."""
    return torch.cat([part.flatten(1) for part in _read(outputs).values()], dim=1)


def packing(config: ModelConfig) -> Packing:
    """Say what lies in the rows of a network of this configuration."""
    shapes: dict[str, tuple[int, ...]] = {
        "au": (config.n_au,),
        "emotion": (config.n_emotion,),
        "affect": (2,),
        "gaze": (2,),
        "pose": (6,),
        "mesh": (config.n_mesh, 3),
    }
    return shapes | {"blendshapes": (config.n_blendshape,)} if config.n_blendshape else shapes


def _read(outputs: Outputs) -> dict[str, Tensor]:
    """Give what users read, in the order of `packing`."""
    parts = {
        "au": outputs.au,
        "emotion": outputs.emotion_logits.float().softmax(dim=-1),
        "affect": outputs.valence_arousal,
        "gaze": outputs.gaze,
        "pose": outputs.pose,
        "mesh": outputs.mesh,
    }
    if outputs.blendshapes is not None:
        parts["blendshapes"] = outputs.blendshapes
    return {name: part.detach().float() for name, part in parts.items()}
