"""Parts of RetinaFace behind its backbone: feature pyramid, context modules, heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ContextModule", "FeaturePyramid", "Head", "conv_norm", "fold_batch_norms"]


def conv_norm(inputs: int, outputs: int, kernel: int = 3, *, relu: bool = False) -> nn.Sequential:
    """Convolution that keeps the size, batch norm and, if asked for, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class FeaturePyramid(nn.Module):
    """Top-down feature pyramid over three levels (Lin et al., 2017)."""

    def __init__(self, inputs: Sequence[int], width: int) -> None:
        super().__init__()
        self.output1 = conv_norm(inputs[0], width, 1, relu=True)
        self.output2 = conv_norm(inputs[1], width, 1, relu=True)
        self.output3 = conv_norm(inputs[2], width, 1, relu=True)
        self.merge1 = conv_norm(width, width, relu=True)
        self.merge2 = conv_norm(width, width, relu=True)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, ...]:
        """Give three maps of equal width, fine to coarse."""
        top = self.output3(coarse)
        between = self.merge2(self.output2(middle) + _enlarged(top, middle))
        return self.merge1(self.output1(fine) + _enlarged(between, fine)), between, top


def _enlarged(small: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(small, size=like.shape[2:], mode="nearest")


class ContextModule(nn.Module):
    """Three receptive fields side by side (SSH; Najibi et al., 2017).

    The attribute names, upper and lower case included, are those of the published file.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv3X3 = conv_norm(width, width // 2)
        self.conv5X5_1 = conv_norm(width, width // 4, relu=True)
        self.conv5X5_2 = conv_norm(width // 4, width // 4)
        self.conv7X7_2 = conv_norm(width // 4, width // 4, relu=True)
        self.conv7x7_3 = conv_norm(width // 4, width // 4)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape (b, width, h, w)."""
        shared = self.conv5X5_1(features)
        fields = [
            self.conv3X3(features),
            self.conv5X5_2(shared),
            self.conv7x7_3(self.conv7X7_2(shared)),
        ]
        return torch.cat(fields, dim=1).relu()


class Head(nn.Module):
    """One 1×1 convolution per level of the pyramid; all anchors one after the other."""

    def __init__(self, width: int, anchors: int, values: int) -> None:
        super().__init__()
        self.values = values
        self._convs = nn.ModuleList(nn.Conv2d(width, anchors * values, 1) for _ in range(3))

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Give (b, anchors, values)."""
        maps = [conv(level) for conv, level in zip(self._convs, levels, strict=True)]
        flat = [m.permute(0, 2, 3, 1).reshape(m.shape[0], -1, self.values) for m in maps]
        return torch.cat(flat, dim=1)


def fold_batch_norms(module: nn.Module) -> None:
    """Fold each batch norm into the convolution that is defined just before it, for inference.

    Changes the module, which must be in eval mode and whose convolutions must feed nothing but
    their batch norms, as in a ResNet.
    """
    previous_name, previous = "", None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(previous, nn.Conv2d):
            setattr(module, previous_name, nn.utils.fuse_conv_bn_eval(previous, child))
            setattr(module, name, nn.Identity())
        else:
            fold_batch_norms(child)
        previous_name, previous = name, child
