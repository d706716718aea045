"""Action units: one feature branch per AU, a relation graph between them, prototypes.

The three parts keep their names in the checkpoint: AFG (action unit feature generator), FGG
(facial graph generator) and SC (similarity calculation), after Luo et al. (2022), "Learning
multi-dimensional edge feature-based AU relation graph", IJCAI.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["NodeBranches", "PrototypeScores", "RelationGraph"]


class NodeBranches(nn.Module):
    """AFG: the spatial mean of a 1×1 convolution, batch norm and ReLU, per action unit.

    Parameters
    ----------
    channels
        Width of the input map and of each node.
    n_au
        Number of action units.
    """

    def __init__(self, channels: int, n_au: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, kernel_size=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            )
            for _ in range(n_au)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, C, h, w) to nodes (n, n_au, C)."""
        return torch.stack([head(x).mean(dim=(2, 3)) for head in self.heads], dim=1)


class RelationGraph(nn.Module):
    """FGG: one graph convolution over the nodes most alike.

    Each node's neighbours are the `k + 1` nodes of greatest cosine similarity, itself removed;
    the adjacency's rows are normalised by their number.

    Parameters
    ----------
    channels
        Width of the nodes.
    k
        Number of neighbours besides the node itself.
    """

    def __init__(self, channels: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.W = nn.Linear(channels, channels, bias=False)
        self.W_self = nn.Linear(channels, channels, bias=False)

    def adjacency(self, nodes: Tensor) -> Tensor:
        """Give the row-normalised adjacency (n, n_au, n_au), without self loops."""
        unit = nn.functional.normalize(nodes, dim=-1)
        similarity = unit @ unit.transpose(1, 2)
        nearest = similarity.topk(self.k + 1, dim=-1).indices
        links = torch.zeros_like(similarity).scatter(-1, nearest, 1.0)
        links = links.masked_fill(
            torch.eye(links.shape[-1], dtype=torch.bool, device=links.device), 0.0
        )
        return links / links.sum(dim=-1, keepdim=True).clamp_min(1.0)

    def forward(self, nodes: Tensor) -> Tensor:
        """Map nodes (n, n_au, C) to nodes that have heard their neighbours, same shape."""
        messages = self.W(nodes)
        return nn.functional.relu(
            self.W_self(nodes) + self.adjacency(nodes).to(messages.dtype) @ messages
        )


class PrototypeScores(nn.Module):
    """SC: cosine similarity of each node to its learned prototype, both rectified.

    Parameters
    ----------
    channels
        Width of the nodes.
    n_au
        Number of action units.
    """

    def __init__(self, channels: int, n_au: int) -> None:
        super().__init__()
        # Positive throughout: a negative entry is rectified away and gets no gradient, so it
        # would stay dead for the whole training.
        # (Drawn in place: on the meta device torch.randn would import torch's compiler.)
        self.s = nn.Parameter(
            nn.init.trunc_normal_(torch.empty(n_au, channels), std=0.02, a=0.0, b=0.1)
        )

    def forward(self, nodes: Tensor) -> Tensor:
        """Map nodes (n, n_au, C) to scores (n, n_au) in [0, 1]."""
        direction = nn.functional.normalize(nn.functional.relu(nodes), dim=-1)
        prototype = nn.functional.normalize(nn.functional.relu(self.s), dim=-1)
        return (direction * prototype).sum(dim=-1).clamp(0.0, 1.0)
