"""Heads on pooled features: mesh, head pose, blendshapes, emotion and affect."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

__all__ = ["AffectHead", "BlendshapeHead", "MeshHead", "MeshPlusFeatures", "PoseHead", "mlp"]


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of the given widths with GELU between them.

    >>> [type(layer).__name__ for layer in mlp(8, 4, 2)]
    ['Linear', 'GELU', 'Linear']
    """
    layers: list[nn.Module] = []
    for into, out in itertools.pairwise(widths):
        layers += [nn.Linear(into, out), nn.GELU()]
    return nn.Sequential(*layers[:-1])


class MeshHead(nn.Module):
    """Pooled features (n, C) → mesh (n, n_mesh, 3)."""

    def __init__(self, channels: int, n_mesh: int) -> None:
        super().__init__()
        self.mlp = mlp(channels, 1024, 1024, n_mesh * 3)

    def forward(self, pooled: Tensor) -> Tensor:
        """Map (n, C) to (n, n_mesh, 3)."""
        return self.mlp(pooled).unflatten(-1, (-1, 3))  # type: ignore[no-any-return]


class PoseHead(nn.Module):
    """Pooled features (n, C) → rotation vector and translation (n, 6)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = mlp(channels, 256, 256, 6)

    def forward(self, pooled: Tensor) -> Tensor:
        """Map (n, C) to (n, 6)."""
        return self.mlp(pooled)  # type: ignore[no-any-return]


class MeshPlusFeatures(nn.Module):
    """Pooled features beside the mesh's x and y, each layer-normalised.

    Parameters
    ----------
    channels
        Width of the pooled features.
    n_mesh
        Number of mesh vertices.
    mesh_dim
        Width to which the mesh is projected.
    mesh_scale
        What x and y are divided by first: 1 for a mesh in [0, 1], the input's side for one in
        pixels, so that the projection sees the same range either way.
    """

    def __init__(self, channels: int, n_mesh: int, mesh_dim: int, mesh_scale: float) -> None:
        super().__init__()
        self.mesh_scale = mesh_scale
        self.proj_lmk = nn.Linear(n_mesh * 2, mesh_dim)
        self.norm_bb = nn.LayerNorm(channels)
        self.norm_lmk = nn.LayerNorm(mesh_dim)

    def forward(self, pooled: Tensor, mesh: Tensor) -> Tensor:
        """Map (n, C) and (n, n_mesh, 3) to (n, C + mesh_dim)."""
        shape = self.proj_lmk(mesh[..., :2].flatten(1) / self.mesh_scale)
        return torch.cat([self.norm_bb(pooled), self.norm_lmk(shape)], dim=-1)


class BlendshapeHead(MeshPlusFeatures):
    """Blendshape coefficients in [0, 1] from features and, unless switched off, the mesh.

    Its tensors carry no further prefix, hence the inheritance.
    """

    _HIDDEN = 512
    _MESH_DIM = 256

    def __init__(
        self, channels: int, n_mesh: int, n_blendshape: int, mesh_scale: float, use_mesh: bool
    ) -> None:
        super().__init__(channels, n_mesh, self._MESH_DIM, mesh_scale)
        self.use_mesh = use_mesh
        width = channels
        if use_mesh:
            width += self._MESH_DIM
        else:
            del self.proj_lmk, self.norm_bb, self.norm_lmk
        self.mlp = mlp(width, self._HIDDEN, n_blendshape)

    def forward(self, pooled: Tensor, mesh: Tensor) -> Tensor:
        """Map (n, C) and (n, n_mesh, 3) to (n, n_blendshape)."""
        features = super().forward(pooled, mesh) if self.use_mesh else pooled
        return torch.sigmoid(self.mlp(features))


class AffectHead(nn.Module):
    """Emotion logits, and valence and arousal in [-1, 1].

    Parameters
    ----------
    features
        Width of the input, AU scores included where they are appended.
    n_emotion
        Number of emotion classes.
    dropout
        Share of the input dropped while training.
    """

    def __init__(self, features: int, n_emotion: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.cls_head = nn.Linear(features, n_emotion)
        self.va_head = nn.Linear(features, 2)

    def forward(self, features: Tensor, *, dropout: bool = True) -> tuple[Tensor, Tensor]:
        """Map (n, features) to logits (n, n_emotion) and valence, arousal (n, 2).

        `dropout` false leaves nothing out, in train mode too.
        """
        if dropout:
            features = self.dropout(features)
        return self.cls_head(features), torch.tanh(self.va_head(features))
