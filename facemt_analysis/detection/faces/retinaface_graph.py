"""RetinaFace as an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from facemt_analysis.detection.faces.retinaface_layers import ContextModule, FeaturePyramid, Head
from facemt_analysis.network.engines.graph import Graph

if TYPE_CHECKING:
    from facemt_analysis.detection.faces.resnet import Block
    from facemt_analysis.detection.faces.retinaface import RetinaFace

__all__ = ["retinaface_graph"]


def retinaface_graph(folded: RetinaFace) -> bytes:
    """Write the network as an ONNX model.

    Parameters
    ----------
    folded
        The network with its batch norms folded in.

    Returns
    -------
    bytes
        Takes (b, 3, H, W) RGB less the mean; gives offsets of boxes (b, a, 4) and logits (b, a, 2).
    """
    graph = Graph(["b", 3, "height", "width"])
    body = folded.body
    x = graph.sequence("x", body.conv1, body.relu)
    x = graph.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    maps = []
    for layer in (body.layer1, body.layer2, body.layer3, body.layer4):
        for block in cast("Iterable[Block]", layer):
            past = x if block.downsample is None else graph.sequence(x, block.downsample)
            x = graph.sequence(x, block.conv1, block.relu, block.conv2)
            x = graph.op("Relu", graph.op("Add", x, past))
        maps.append(x)
    pyramid = _pyramid(graph, folded.fpn, *maps[1:])
    contexts = (folded.ssh1, folded.ssh2, folded.ssh3)
    levels = [_context(graph, c, level) for c, level in zip(contexts, pyramid, strict=True)]
    return graph.model({_head(graph, h, levels): 3 for h in (folded.BboxHead, folded.ClassHead)})


def _pyramid(
    graph: Graph, fpn: FeaturePyramid, fine: str, middle: str, coarse: str
) -> tuple[str, str, str]:
    top = graph.sequence(coarse, fpn.output3)
    between = graph.sequence(middle, fpn.output2)
    between = graph.sequence(graph.op("Add", between, _enlarged(graph, top, between)), fpn.merge2)
    lowest = graph.sequence(fine, fpn.output1)
    lowest = graph.sequence(graph.op("Add", lowest, _enlarged(graph, between, lowest)), fpn.merge1)
    return lowest, between, top


def _enlarged(graph: Graph, small: str, like: str) -> str:
    """Repeat pixels up to the size of a map with as many channels."""
    return graph.op(
        "Resize",
        *(small, "", "", graph.op("Shape", like)),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _context(graph: Graph, context: ContextModule, x: str) -> str:
    shared = graph.sequence(x, context.conv5X5_1)
    fields = [
        graph.sequence(x, context.conv3X3),
        graph.sequence(shared, context.conv5X5_2),
        graph.sequence(shared, context.conv7X7_2, context.conv7x7_3),
    ]
    return graph.op("Relu", graph.op("Concat", *fields, axis=1))


def _head(graph: Graph, head: Head, levels: Sequence[str]) -> str:
    flat = []
    for convolution, level in zip(head._convs, levels, strict=True):
        x = graph.op("Transpose", graph.sequence(level, convolution), perm=[0, 2, 3, 1])
        flat.append(graph.op("Reshape", x, np.array([0, -1, head.values])))
    return graph.op("Concat", *flat, axis=1)
