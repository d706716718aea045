"""ResNet-34 up to its last map, with the tensor names of torchvision's.

Written here because torchvision's brings torch's compiler along when it is imported: 170 MB and two
seconds in every process that only wants to find faces.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Block", "ResNet34"]

_STRIP = 2 * 2**20  # bytes of the first, large map that are there at once


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        # the shortcut has a convolution where the shape changes
        self.downsample = (
            None
            if stride == 1 and inputs == outputs
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (b, inputs, h, w) to (b, outputs, h / stride, w / stride)."""
        past = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += past
        return self.relu(y)  # type: ignore[no-any-return]


def _layer(inputs: int, outputs: int, depth: int, stride: int) -> nn.Sequential:
    first = Block(inputs, outputs, stride)
    return nn.Sequential(first, *(Block(outputs, outputs, 1) for _ in range(depth - 1)))


class ResNet34(nn.Module):
    """Gives the maps of strides 8, 16 and 32.

    Examples
    --------
    >>> import torch
    >>> [tuple(level.shape) for level in ResNet34().eval()(torch.zeros(1, 3, 64, 96))]
    [(1, 128, 8, 12), (1, 256, 4, 6), (1, 512, 2, 3)]
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = _layer(64, 64, 3, 1)
        self.layer2 = _layer(64, 128, 4, 2)
        self.layer3 = _layer(128, 256, 6, 2)
        self.layer4 = _layer(256, 512, 3, 2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (b, 3, H, W) to three maps, fine to coarse."""
        x = self._stem(images)
        for block in self.layer1:  # one by one, so that nobody holds the large map they begin with
            x = block(x)
        fine = self.layer2(x)
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)

    def _stem(self, images: Tensor) -> Tensor:
        """Map (b, 3, H, W) to (b, 64, H / 4, W / 4).

        The map between, of half the size, is the largest of all, and with the pooling's indices
        takes as much again: on a CPU, without gradients, it is made strip by strip.
        """
        if images.device.type != "cpu" or torch.is_grad_enabled():
            return self.maxpool(self.relu(self.bn1(self.conv1(images))))  # type: ignore[no-any-return]
        height, width = ((side + 1) // 2 for side in images.shape[2:])  # of that map
        n_rows = (height + 1) // 2
        row = len(images) * width * self.conv1.out_channels * images.element_size()
        at_once = max(_STRIP // (2 * row), 1)
        strips = [
            self._strip(images, first, min(first + at_once, n_rows), height)
            for first in range(0, n_rows, at_once)
        ]
        return torch.cat(strips, dim=2)

    def _strip(self, images: Tensor, first: int, end: int, height: int) -> Tensor:
        """Rows `first` to `end` behind the pooling; `height` is that of the map before it."""
        low, high = max(2 * first - 2, 0), min(2 * end, height)  # a row more than is looked at
        above, below = 2 * low - 3, 2 * high + 2
        x = images[:, :, max(above, 0) : below]
        beyond = max(-above, 0), max(below - images.shape[2], 0)
        if any(beyond):
            x = functional.pad(x, (0, 0, *beyond))
        conv = self.conv1
        x = functional.conv2d(x, conv.weight, conv.bias, stride=2, padding=(0, 3))
        pooled: Tensor = self.maxpool(self.relu(self.bn1(x)))
        return pooled[:, :, 1:] if first else pooled
