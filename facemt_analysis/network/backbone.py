"""The backbone: timm's ConvNeXt-V2, or its weights alone until it is needed.

Prediction reads the weights by name (see `fused`). timm brings torchvision and torch's compiler
along, some 200 MB and seconds at every start, so it is imported where a backbone is trained or
run as a module, and nowhere else.
"""

from __future__ import annotations

import torch
from torch import nn

from facemt_analysis.network.config import ModelConfig
from facemt_analysis.network.convnext import CONVNEXT_V2

__all__ = ["StoredBackbone", "timm_backbone"]


class StoredBackbone(nn.Module):
    """The weights of a backbone under their published names, without what runs them.

    Parameters
    ----------
    config
        Whose backbone.

    Examples
    --------
    >>> with torch.device("meta"):
    ...     stored = StoredBackbone(ModelConfig.v25(backbone="convnextv2_atto"))
    >>> stored.stem_0.weight.shape
    torch.Size([40, 3, 4, 4])
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        for name, shape in CONVNEXT_V2[config.architecture].tensors().items():
            *path, last = name.split(".")
            module: nn.Module = self
            for part in path:
                if part not in module._modules:
                    module.add_module(part, nn.Module())
                module = module.get_submodule(part)
            module.register_parameter(last, nn.Parameter(torch.empty(shape)))

    def completed(self, config: ModelConfig) -> nn.Module:
        """Give timm's module with these very parameters, in the mode of this one."""
        own = dict(self.named_parameters())
        trained = {name: value.requires_grad for name, value in own.items()}
        with torch.device("meta"):
            module = timm_backbone(config)
        module.load_state_dict(own, assign=True)
        for name, value in module.named_parameters():
            value.requires_grad_(trained[name])
        return module.train(self.training)


def timm_backbone(config: ModelConfig) -> nn.Module:
    """Build timm's module with random weights.

    Its outputs are the stride-32 map, after the stride-16 map where the gaze needs that.
    """
    import timm  # late: see above

    module: nn.Module = timm.create_model(
        config.architecture,
        pretrained=False,
        features_only=True,
        out_indices=(2, 3) if config.gaze_eye_roi else (3,),
        drop_path_rate=config.drop_path_rate,
    )
    return module
