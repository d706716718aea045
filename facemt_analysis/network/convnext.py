"""Sizes of the ConvNeXt-V2 family (Woo et al., 2023, section 4 and appendix), as timm names them.

Kept here so that reading a header needs no torch, and running a network no timm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CONVNEXT_V2", "ConvNeXtSize"]


@dataclass(frozen=True)
class ConvNeXtSize:
    """Size of one backbone of four stages.

    Parameters
    ----------
    width
        Channels of the first stage; each further stage has twice as many.
    depths
        Blocks of each stage.
    convolutions
        Whether timm stores the layers within a block as 1×1 convolutions instead of matrices.
    """

    width: int
    depths: tuple[int, int, int, int]
    convolutions: bool

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of each stage.

        >>> CONVNEXT_V2["convnextv2_atto"].widths
        (40, 80, 160, 320)
        """
        return (self.width, 2 * self.width, 4 * self.width, 8 * self.width)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, as in a published file less the prefix ``backbone.``.

        >>> CONVNEXT_V2["convnextv2_tiny"].tensors()["stages_0.blocks.0.mlp.fc1.weight"]
        (384, 96)
        """
        first = self.width
        found: dict[str, tuple[int, ...]] = {
            "stem_0.weight": (first, 3, 4, 4),
            "stem_0.bias": (first,),
            "stem_1.weight": (first,),
            "stem_1.bias": (first,),
        }
        before = first
        ones = (1, 1) if self.convolutions else ()
        for stage, (width, depth) in enumerate(zip(self.widths, self.depths, strict=True)):
            name = f"stages_{stage}"
            if stage:
                found |= {
                    f"{name}.downsample.0.weight": (before,),
                    f"{name}.downsample.0.bias": (before,),
                    f"{name}.downsample.1.weight": (width, before, 2, 2),
                    f"{name}.downsample.1.bias": (width,),
                }
            for number in range(depth):
                block = f"{name}.blocks.{number}"
                found |= {
                    f"{block}.conv_dw.weight": (width, 1, 7, 7),
                    f"{block}.conv_dw.bias": (width,),
                    f"{block}.norm.weight": (width,),
                    f"{block}.norm.bias": (width,),
                    f"{block}.mlp.fc1.weight": (4 * width, width, *ones),
                    f"{block}.mlp.fc1.bias": (4 * width,),
                    f"{block}.mlp.grn.weight": (4 * width,),
                    f"{block}.mlp.grn.bias": (4 * width,),
                    f"{block}.mlp.fc2.weight": (width, 4 * width, *ones),
                    f"{block}.mlp.fc2.bias": (width,),
                }
            before = width
        return found


_SMALL, _MIDDLE, _DEEP = (2, 2, 6, 2), (3, 3, 9, 3), (3, 3, 27, 3)

CONVNEXT_V2: Mapping[str, ConvNeXtSize] = {
    "convnextv2_atto": ConvNeXtSize(40, _SMALL, True),
    "convnextv2_femto": ConvNeXtSize(48, _SMALL, True),
    "convnextv2_pico": ConvNeXtSize(64, _SMALL, True),
    "convnextv2_nano": ConvNeXtSize(80, (2, 2, 8, 2), True),
    "convnextv2_tiny": ConvNeXtSize(96, _MIDDLE, False),
    "convnextv2_small": ConvNeXtSize(96, _DEEP, False),
    "convnextv2_base": ConvNeXtSize(128, _DEEP, False),
    "convnextv2_large": ConvNeXtSize(192, _DEEP, False),
    "convnextv2_huge": ConvNeXtSize(352, _DEEP, False),
}
