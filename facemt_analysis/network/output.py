"""What the network gives: tensors while training, plain arrays afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from facemt_analysis.network.config import ModelConfig
from facemt_analysis.schema import DLIB68_FROM_MESH

__all__ = ["Outputs", "Prediction"]


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

        def array(*shape: int) -> NDArray[np.float32]:
            return np.empty((0, *shape), np.float32)

        return cls(
            au=array(config.n_au),
            emotion=array(config.n_emotion),
            valence=array(),
            arousal=array(),
            gaze=array(2),
            pose=array(6),
            mesh=array(config.n_mesh, 3),
            landmarks68=array(len(DLIB68_FROM_MESH), 2),
            blendshapes=array(config.n_blendshape) if config.n_blendshape else None,
        )

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

        def array(tensor: Tensor) -> NDArray[np.float32]:
            return tensor.detach().float().cpu().numpy()

        mesh = array(outputs.mesh)
        affect = array(outputs.valence_arousal)
        blendshapes = outputs.blendshapes
        return cls(
            au=array(outputs.au),
            emotion=array(outputs.emotion_logits.float().softmax(dim=-1)),
            valence=affect[:, 0].copy(),
            arousal=affect[:, 1].copy(),
            gaze=array(outputs.gaze),
            pose=array(outputs.pose),
            mesh=mesh,
            landmarks68=mesh[:, list(DLIB68_FROM_MESH), :2],
            blendshapes=None if blendshapes is None else array(blendshapes),
        )
