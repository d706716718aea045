"""The feature maps and AU nodes as an ONNX graph."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from facemt_analysis.network.engines.graph import Graph
from facemt_analysis.network.fused import Block, FusedMaps, Maps

__all__ = ["maps_graph", "named_maps"]

_EPS = 1e-6  # of ConvNeXt's norms


def maps_graph(fused: FusedMaps, side: int) -> bytes:
    """Write what `fused` computes as an ONNX model.

    Parameters
    ----------
    fused
        Float32 weights on a CPU.
    side
        Of the network's input, pixels.

    Returns
    -------
    bytes
        Takes (n, 3, side, side); gives the fields of :class:`~facemt_analysis.network.fused.Maps`
        in order, `fine` where it is kept. Maps are (n, C, h, w) inside: that was as fast as
        channels last in ONNX Runtime or faster.
    """
    graph = Graph(["n", 3, side, side])
    x = graph.convolution("x", *fused.stem, stride=4)
    maps = []
    for stage in fused.stages:
        x = _layer_norm(graph, x, stage.norm)
        if stage.downsample is not None:
            x = graph.convolution(x, *stage.downsample, stride=2)
        for block in stage.blocks:
            x = graph.op("Add", x, _residual(graph, x, block))
        maps.append(x)
    coarse = graph.op("ReduceMean", x, np.array([2, 3]), keepdims=0)
    if fused.project is None:
        pooled = graph.op("Identity", coarse)
    else:
        pooled = graph.op("MatMul", coarse, fused.project)
        if fused.branches.shape[1] != len(fused.project):  # the branches do not contain it
            x = graph.convolution(x, fused.project.t()[..., None, None], None)
    x = graph.convolution(x, fused.branches[..., None, None], fused.branch_bias)
    nodes = graph.op("ReduceMean", graph.op("Relu", x), np.array([2, 3]), keepdims=0)
    nodes = graph.op("Reshape", nodes, np.array([0, fused.n_au, -1]))
    outputs = {coarse: 2, pooled: 2, nodes: 3}
    return graph.model(outputs | {maps[2]: 4} if fused.keep_fine else outputs)


def named_maps(outputs: list[Tensor]) -> Maps:
    """Name what the model gave, and carry NaN to the nodes, which ReLU may have turned to 0."""
    coarse, pooled, nodes, *fine = outputs
    nodes[coarse.isnan().any(dim=1)] = float("nan")
    return Maps(coarse, pooled, nodes, fine[0] if fine else None)


def _residual(graph: Graph, x: str, block: Block) -> str:
    """Add what a block adds to its input (n, C, h, w)."""
    y = graph.convolution(
        x, block.depthwise, block.depthwise_bias, padding=3, groups=len(block.depthwise)
    )
    y = _layer_norm(graph, y, block.norm)
    y = graph.op("Gelu", graph.convolution(y, block.expand[..., None, None], block.expand_bias))
    # The global response norm: length of each channel, relative to the mean of all channels.
    length = graph.op("ReduceL2", y, np.array([2, 3]))
    mean = graph.op(
        "Add", graph.op("ReduceMean", length, np.array([1])), np.array([_EPS], np.float32)
    )
    relative = graph.op("Div", length, mean)
    scale = graph.op("Mul", relative, block.response[:, None, None])
    y = graph.op("Mul", y, graph.op("Add", scale, np.array([1], np.float32)))
    return graph.convolution(y, block.contract[..., None, None], block.contract_bias)


def _layer_norm(graph: Graph, x: str, norm: tuple[Tensor, Tensor]) -> str:
    """Normalise maps (n, C, h, w) over their channels."""
    x = graph.op("Transpose", x, perm=[0, 2, 3, 1])
    x = graph.op("LayerNormalization", x, *norm, axis=-1, epsilon=_EPS)
    return graph.op("Transpose", x, perm=[0, 3, 1, 2])
