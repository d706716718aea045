"""The configuration of a `face_multitask` network, as it stands in a checkpoint's header."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from facemt_analysis.errors import CheckpointError
from facemt_analysis.network.convnext import CONVNEXT_V2
from facemt_analysis.schema import N_MESH

__all__ = ["ConfigError", "ModelConfig", "Preprocess"]

Preprocess = Literal["resize", "crop"]
"""How a chip becomes the network's input: the whole chip resized, or its centre cropped."""

# Closed ranges. The upper ends are far beyond any published file and exist so that a broken or
# hostile header cannot ask for absurd memory.
_RANGES: Mapping[str, tuple[float, float]] = {
    "image_size": (32, 1024),
    "knn_k": (0, 23),
    "afg_channels": (1, 4096),
    "mefl_channels": (1, 4096),
    "gcn_layers": (0, 64),
    "unified_lmk_dim": (1, 4096),
    "gaze_eye_dim": (1, 4096),
    "gaze_eye_roi_size": (1, 32),
    "gaze_hidden": (0, 4096),
    "gaze_bins": (0, 4096),
    "gaze_bin_lo_deg": (-360.0, 360.0),
    "gaze_bin_hi_deg": (-360.0, 360.0),
}
_CHOICES: Mapping[str, tuple[int, ...]] = {
    "n_au": (20, 24),
    "n_mesh": (N_MESH,),
    "n_emotion": (7, 8),
    "n_blendshape": (0, 52),
}
_FRACTIONS = ("drop_path_rate", "emotion_head_dropout")


class ConfigError(CheckpointError, ValueError):
    """A configuration the network cannot be built from; the message names the field."""


@dataclass(frozen=True)
class ModelConfig:
    """What a `face_multitask` network is made of.

    The defaults are those of the file format: what a field means in a file that does not have it.
    They describe the oldest files, which this package does not run; :meth:`v25` gives the values
    of the published v2.5 network instead.

    Parameters
    ----------
    backbone
        timm name of a ConvNeXt-V2, with or without a pretraining tag (the tag is not used:
        weights come from the checkpoint alone).
    image_size
        Side of the network's input, pixels; a multiple of 32.
    n_au, n_emotion, n_blendshape
        Number of outputs: 20 or 24, 7 or 8, 0 (no such head) or 52.
    n_mesh
        Mesh vertices; 478.
    mesh_normalized
        True: mesh x, y run from 0 to 1 over the chip. False: they are pixels of the input.
    bs_use_mesh
        Whether the blendshape head sees the mesh besides the pooled features.
    knn_k
        Neighbours of an action unit's node in the relation graph.
    afg_channels
        Width of the features the heads read, and of the AU nodes.
    unified_lmk_dim
        Width of the mesh part of the features that emotion and gaze read.
    drop_path_rate, emotion_head_dropout
        Stochastic depth of the backbone and dropout of the emotion head while training.
    use_head_v3, drop_mefl
        Both must be true for a network to be built (files of v2.4 and later).
    emotion_use_au_prob, emotion_au_prob_detach
        Whether the emotion head sees the AU scores, and whether its gradient stops there.
    gaze_eye_roi, gaze_eye_dim, gaze_eye_roi_size, gaze_eye_box_frac
        Features pooled around each eye: on or off, their width, the pooling grid's side, and the
        side of the box as a share of the input's side.
    gaze_pose_6d, gaze_pose_detach, gaze_head_frame
        Whether the gaze head sees the head's rotation, whether gradients stop there, and whether
        the head predicts gaze relative to the head, which that rotation then turns.
    gaze_hidden
        Width of a hidden layer in each side's gaze branch; 0 for none.
    gaze_bins, gaze_bin_lo_deg, gaze_bin_hi_deg
        Number and range (degrees) of the bins whose expectation is the gaze; 0 for regression.
    mefl_channels
        Width of the AU nodes behind the edge head that `drop_mefl` removes. Without that head
        there is one width only, so the value always becomes that of `afg_channels`.
    gcn_layers, pretrained, use_head_v2, use_dual_eye_gcn, mefl_identity_init, mefl_use_layer_scale
        Training-only or legacy; carried, without effect on the network.

    Raises
    ------
    ConfigError
        A field of the wrong type or out of range, by name.

    Examples
    --------
    >>> config = ModelConfig.v25(backbone="convnextv2_atto", afg_channels=64)
    >>> config.n_au, config.preprocess, config.architecture
    (20, 'resize', 'convnextv2_atto')
    >>> ModelConfig.from_dict(config.to_dict()) == config
    True

    References
    ----------
    Field names, defaults and published values: model card of `py-feat/face_multitask_v2`.
    """

    backbone: str = "convnextv2_tiny.fcmae_ft_in22k_in1k"
    image_size: int = 224
    n_au: int = 24
    n_mesh: int = N_MESH
    n_emotion: int = 8
    n_blendshape: int = 0
    mesh_normalized: bool = False
    bs_use_mesh: bool = True
    knn_k: int = 4
    afg_channels: int = 512
    mefl_channels: int = 512
    gcn_layers: int = 2
    drop_path_rate: float = 0.1
    pretrained: bool = False
    emotion_head_dropout: float = 0.25
    use_dual_eye_gcn: bool = True
    mefl_identity_init: bool = False
    mefl_use_layer_scale: bool = True
    use_head_v2: bool = False
    use_head_v3: bool = False
    unified_lmk_dim: int = 256
    drop_mefl: bool = False
    emotion_use_au_prob: bool = False
    emotion_au_prob_detach: bool = True
    gaze_eye_roi: bool = False
    gaze_eye_dim: int = 256
    gaze_eye_roi_size: int = 4
    gaze_eye_box_frac: float = 0.18
    gaze_pose_6d: bool = False
    gaze_pose_detach: bool = True
    gaze_head_frame: bool = False
    gaze_hidden: int = 0
    gaze_bins: int = 0
    gaze_bin_lo_deg: float = -180.0
    gaze_bin_hi_deg: float = 180.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _typed(field.name, field.type, self))
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"`{name}` must lie in [{low}, {high}], but is {value}.")
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                allowed = " or ".join(map(str, choices))
                raise ConfigError(f"`{name}` must be {allowed}, but is {value}.")
        for name in _FRACTIONS:
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ConfigError(f"`{name}` must lie in [0, 1), but is {value}.")
        if not 0 < self.gaze_eye_box_frac <= 1:
            raise ConfigError(
                f"`gaze_eye_box_frac` must lie in (0, 1], but is {self.gaze_eye_box_frac}."
            )
        if self.image_size % 32:
            raise ConfigError(f"`image_size` must be a multiple of 32, but is {self.image_size}.")
        if self.knn_k >= self.n_au:
            raise ConfigError(
                f"`knn_k` must be less than `n_au` ({self.n_au}), but is {self.knn_k}."
            )
        if self.gaze_bin_lo_deg >= self.gaze_bin_hi_deg:
            raise ConfigError(
                f"`gaze_bin_lo_deg` must be less than `gaze_bin_hi_deg` ({self.gaze_bin_hi_deg}), "
                f"but is {self.gaze_bin_lo_deg}."
            )
        if self.gaze_bins and self.gaze_head_frame:
            raise ConfigError(
                "`gaze_bins` and `gaze_head_frame` exclude each other: bins are per-axis angles, "
                "the head frame needs a 3-vector. Set `gaze_bins` to 0 or `gaze_head_frame` to "
                "false."
            )
        _check_backbone(self.backbone)
        if self.drop_mefl:
            object.__setattr__(self, "mefl_channels", self.afg_channels)

    @property
    def architecture(self) -> str:
        """The backbone's name without a pretraining tag."""
        return self.backbone.split(".", 1)[0]

    @property
    def preprocess(self) -> Preprocess:
        """How a chip becomes the input of weights with this configuration.

        A mesh in [0, 1] over the chip needs the whole chip in view; a mesh in input pixels was
        trained on centre crops.
        """
        return "resize" if self.mesh_normalized else "crop"

    @classmethod
    def v25(cls, **changes: Any) -> ModelConfig:
        """Give the published v2.5 configuration, with some fields changed.

        >>> ModelConfig.v25().n_blendshape
        52
        """
        published: dict[str, Any] = {
            "n_au": 20,
            "n_emotion": 7,
            "n_blendshape": 52,
            "mesh_normalized": True,
            "use_head_v3": True,
            "drop_mefl": True,
            "emotion_use_au_prob": True,
        }
        return cls(**(published | changes))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Read a configuration; unknown keys are ignored, missing ones take their defaults.

        Raises
        ------
        ConfigError
            `values` is no mapping, or a field has the wrong type or range.

        >>> ModelConfig.from_dict({"n_au": 20, "a_later_option": 1}).n_au
        20
        """
        if not isinstance(values, Mapping):
            raise ConfigError(
                "The configuration must be a mapping of field names to values, but is a "
                f"{type(values).__name__}."
            )
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_dict(self) -> dict[str, Any]:
        """Give all fields as plain values that JSON can hold."""
        return dataclasses.asdict(self)

    def require_supported(self) -> None:
        """Raise unless a network can be built: `use_head_v3` and `drop_mefl` must be true.

        Raises
        ------
        ConfigError
            Naming the field, for files older than v2.4.
        """
        for name in ("use_head_v3", "drop_mefl"):
            if not getattr(self, name):
                raise ConfigError(
                    f"`{name}` is false: only networks of v2.4 and later, with `use_head_v3` and "
                    "`drop_mefl` true, can be run. Use a newer file, or ModelConfig.v25(...) for "
                    "a network of your own."
                )


def _typed(name: str, annotation: object, config: ModelConfig) -> Any:
    """Check one field's type; whole floats pass for integers and integers for floats."""
    value = getattr(config, name)
    wanted = str(annotation)
    if wanted == "bool" and isinstance(value, bool):
        return value
    if wanted == "str" and isinstance(value, str):
        return value
    if wanted in ("int", "float") and not isinstance(value, bool):
        if isinstance(value, int):
            return value if wanted == "int" else float(value)
        if isinstance(value, float) and math.isfinite(value):
            if wanted == "float":
                return value
            if value.is_integer():
                return int(value)
    kind = "finite float" if wanted == "float" else wanted
    raise ConfigError(f"`{name}` must be of type {kind}, but is {value!r:.80}.")


def _check_backbone(backbone: str) -> None:
    """Refuse what is not a ConvNeXt-V2, before anything is built or looked up."""
    architecture = backbone.split(".", 1)[0]
    if architecture not in CONVNEXT_V2:
        near = difflib.get_close_matches(architecture, CONVNEXT_V2, n=2, cutoff=0.6)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ConfigError(
            f"`backbone` must be one of timm's ConvNeXt-V2 ({', '.join(CONVNEXT_V2)}), but is "
            f"{backbone!r:.80}.{hint}"
        )
