"""The multi-task network: a ConvNeXt-V2 and the heads on it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemt_analysis.network.action_units import NodeBranches, PrototypeScores, RelationGraph
from facemt_analysis.network.backbone import StoredBackbone, timm_backbone
from facemt_analysis.network.config import ModelConfig, Preprocess
from facemt_analysis.network.convnext import CONVNEXT_V2
from facemt_analysis.network.fused import FusedMaps, Maps
from facemt_analysis.network.gaze import EyeEncoder, GazeHead
from facemt_analysis.network.heads import (
    AffectHead,
    BlendshapeHead,
    MeshHead,
    MeshPlusFeatures,
    PoseHead,
)
from facemt_analysis.network.output import Outputs, Prediction, pack, packing
from facemt_analysis.network.preprocess import check_chips, check_extremes, extremes, prepare

__all__ = ["FaceMultitask"]

_PREPARING = threading.Lock()  # of several threads one prepares, and the others wait for it
# Bounds memory; results do not depend on it. On a CPU four large inputs already fill the cache:
# the full-size network is not slower than with 16, and needs 60 MB less in each of two threads.
_CHIPS_AT_ONCE, _LARGE_CHIPS_AT_ONCE, _CHIPS_AT_ONCE_ON_CUDA = 16, 4, 128
_LARGE = 160  # px


class FaceMultitask(nn.Module):
    """The `face_multitask_v2` network; its state dict has the published tensor names.

    Parameters
    ----------
    config
        What to build. The weights start at random, ready to be trained; read a file with
        :func:`~facemt_analysis.network.load_checkpoint`.

    Raises
    ------
    ConfigError
        A configuration of before v2.4, naming the field.

    Examples
    --------
    >>> import torch
    >>> from facemt_analysis.network import FaceMultitask, ModelConfig
    >>> config = ModelConfig.v25(backbone="convnextv2_atto", image_size=64, afg_channels=16)
    >>> network = FaceMultitask(config).eval()
    >>> prediction = network.predict(torch.rand(2, 3, 256, 256))
    >>> prediction.au.shape, prediction.mesh.shape
    ((2, 20), (2, 478, 3))
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        config.require_supported()
        self.config = config
        self.metadata: Mapping[str, str] = {}
        self.sha256: str | None = None
        self.maps_dtype: torch.dtype | None = None
        self._fused: tuple[tuple[object, ...], FusedMaps] | None = None
        # On the meta device weights are to come from a file, most likely to predict only.
        on_meta = torch.get_default_device().type == "meta"
        self.backbone = StoredBackbone(config) if on_meta else timm_backbone(config)
        *_, finer, wide = CONVNEXT_V2[config.architecture].widths
        width = config.afg_channels
        mesh_scale = 1.0 if config.mesh_normalized else float(config.image_size)
        self.proj: nn.Module = (
            nn.Identity() if wide == width else nn.Conv2d(wide, width, kernel_size=1, bias=False)
        )
        self.afg = NodeBranches(width, config.n_au)
        self.fgg = RelationGraph(width, config.knn_k)
        self.sc = PrototypeScores(width, config.n_au)
        self.lmk = MeshHead(width, config.n_mesh)
        self.pose = PoseHead(width)
        self.blendshape = (
            BlendshapeHead(
                width, config.n_mesh, config.n_blendshape, mesh_scale, config.bs_use_mesh
            )
            if config.n_blendshape
            else None
        )
        self.unified = MeshPlusFeatures(wide, config.n_mesh, config.unified_lmk_dim, mesh_scale)
        features = wide + config.unified_lmk_dim
        with_au = config.n_au if config.emotion_use_au_prob else 0
        self.emotion = AffectHead(features + with_au, config.n_emotion, config.emotion_head_dropout)
        self.gaze_eye_enc = EyeEncoder(finer, config) if config.gaze_eye_roi else None
        self.gaze = GazeHead(features, config)
        # Log-variances of the tasks for uncertainty weighting (Kendall et al., 2018); only
        # training reads them.
        self.log_var_au = nn.Parameter(torch.zeros(config.n_au))
        for task in ("mesh", "pose", "blendshape", "emotion", "va", "gaze"):
            if task != "blendshape" or config.n_blendshape:
                self.register_parameter(f"log_var_{task}", nn.Parameter(torch.zeros(())))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.log_var_au.device

    def forward(self, x: Tensor) -> Outputs:
        """Run the network on normalised inputs (n, 3, image_size, image_size).

        Differentiable; honours train and eval mode. Chips are turned into inputs by
        :meth:`prepare`.
        """
        self._complete_backbone()
        maps = self.backbone(x)
        projected = self.proj(maps[-1])
        return self.heads(
            coarse=maps[-1].mean(dim=(2, 3)),
            pooled=projected.mean(dim=(2, 3)),
            nodes=self.afg(projected),
            fine=maps[0] if self.gaze_eye_enc is not None else None,
        )

    def heads(
        self,
        *,
        coarse: Tensor,
        pooled: Tensor,
        nodes: Tensor,
        fine: Tensor | None,
        dropout: bool = True,
    ) -> Outputs:
        """Run everything behind the feature maps.

        Parameters
        ----------
        coarse
            (n, C) mean of the stride-32 map.
        pooled
            (n, afg_channels) mean of its projection.
        nodes
            (n, n_au, afg_channels) the AU nodes.
        fine
            The stride-16 map, for networks with eye features.
        dropout
            False leaves nothing out, in train mode too.
        """
        config = self.config
        mesh, pose = self.lmk(pooled), self.pose(pooled)
        blendshapes = None if self.blendshape is None else self.blendshape(pooled, mesh)
        related = self.fgg(nodes)
        au = self.sc(related)
        features = self.unified(coarse, mesh)
        affect_features = features
        if config.emotion_use_au_prob:
            scores = au.detach() if config.emotion_au_prob_detach else au
            affect_features = torch.cat([features, scores], dim=-1)
        logits, affect = self.emotion(affect_features, dropout=dropout)
        eyes = None
        if self.gaze_eye_enc is not None and fine is not None:
            # The mesh only says where to look: gaze errors must not move the landmarks.
            where = mesh[..., :2].detach()
            eyes = self.gaze_eye_enc(
                fine, where * config.image_size if config.mesh_normalized else where
            )
        gaze = self.gaze(features, eyes, pose)
        return Outputs(
            au=au,
            mesh=mesh,
            pose=pose,
            blendshapes=blendshapes,
            emotion_logits=logits,
            valence_arousal=affect,
            gaze=gaze.angles,
            gaze_sides=gaze.sides,
            gaze_logits=gaze.logits,
            nodes=nodes,
            related_nodes=related,
            features=features,
        )

    def prepare(self, chips: Tensor, *, preprocess: Preprocess | None = None) -> Tensor:
        """Turn chips (n, 3, side, side) in [0, 1] into inputs of :meth:`forward`.

        Parameters
        ----------
        chips
            Face chips, RGB.
        preprocess
            ``"resize"`` or ``"crop"``; None takes what the configuration calls for.
        """
        return prepare(chips, self.config.image_size, preprocess or self.config.preprocess)

    @torch.inference_mode()
    def predict(
        self, chips: Tensor | NDArray[np.floating], *, preprocess: Preprocess | None = None
    ) -> Prediction:
        """Predict from face chips, in the network's raw conventions.

        Parameters
        ----------
        chips
            (n, 3, 256, 256) RGB, floating point in [0, 1]; other square sizes are resampled. n may
            be 0. A chip with NaN gives NaN for its own face only.
        preprocess
            ``"resize"`` or ``"crop"``; None takes what the configuration calls for.

        Returns
        -------
        Prediction
            float32 arrays. Dropout is off and batch norm uses its running statistics, whatever
            mode the network is in. The maps are computed in `maps_dtype`; None: in float32 on a
            CPU and in bfloat16 on CUDA.

        Raises
        ------
        ValueError
            Chips of another shape, type or range.
        """
        return self.predict_with(self._fused_maps(), chips, preprocess=preprocess)

    @torch.inference_mode()
    def predict_with(
        self,
        maps_of: Callable[[Tensor], Maps],
        chips: Tensor | NDArray[np.floating],
        *,
        preprocess: Preprocess | None = None,
    ) -> Prediction:
        """Predict like :meth:`predict`, with feature maps that another engine computes.

        Parameters
        ----------
        maps_of
            Turns normalised inputs (n, 3, image_size, image_size) into what the heads read.
        chips, preprocess
            See :meth:`predict`.
        """
        return self.predict_by(lambda x: self.rows(maps_of(x)), chips, preprocess=preprocess)

    @torch.inference_mode()
    def predict_by(
        self,
        rows_of: Callable[[Tensor], Tensor],
        chips: Tensor | NDArray[np.floating],
        *,
        preprocess: Preprocess | None = None,
    ) -> Prediction:
        """Predict like :meth:`predict`, with a function that computes all of the network.

        Parameters
        ----------
        rows_of
            Turns normalised inputs (n, 3, image_size, image_size) into rows, see :meth:`rows`.
        chips, preprocess
            See :meth:`predict`. Nothing waits for the device before all of it is under way.
        """
        tensor = check_chips(chips)
        if not len(tensor):
            return Prediction.empty(self.config)
        unchecked = tensor.device.type != "cpu"
        parts = []
        for part in torch.split(tensor, self.chips_at_once):
            rows = rows_of(self.prepare(part.to(self.device), preprocess=preprocess))
            parts.append(torch.cat([rows, extremes(part).to(rows)], 1) if unchecked else rows)
        found = torch.cat(parts).cpu().numpy()
        if unchecked:
            check_extremes(found[:, -2:])
        return Prediction.from_packed(found, packing(self.config))

    @property
    def chips_at_once(self) -> int:
        """Faces that :meth:`predict` takes at a time, however many it is given."""
        if self.device.type == "cuda":
            return _CHIPS_AT_ONCE_ON_CUDA
        return _LARGE_CHIPS_AT_ONCE if self.config.image_size > _LARGE else _CHIPS_AT_ONCE

    def rows(self, maps: Maps) -> Tensor:
        """Run everything behind the feature maps of n faces; give (n, k), see `output.packing`."""
        dtype = self.log_var_au.dtype
        return pack(
            self.heads(
                coarse=maps.coarse.to(dtype),
                pooled=maps.pooled.to(dtype),
                nodes=maps.nodes.to(dtype),
                fine=None if maps.fine is None else maps.fine.to(dtype),
                dropout=False,
            )
        )

    def train(self, mode: bool = True) -> Self:
        """Switch between train and eval mode; drops what :meth:`predict` prepared."""
        if mode:
            self._complete_backbone()
        if mode or self.training:
            self._fused = None
        return super().train(mode)

    def _complete_backbone(self) -> None:
        """Put timm's module in the place of weights alone; the parameters stay the same."""
        self._require_weights()
        if isinstance(self.backbone, StoredBackbone):
            self.backbone = self.backbone.completed(self.config)

    def warm(self) -> None:
        """Make what :meth:`predict` prepares at its first call, before several threads do."""
        self._fused_maps()

    def keep_for_prediction(self) -> None:
        """Give up, for good, the weights that :meth:`predict` holds in another form.

        What is left predicts as before. It can no longer be trained, run as a module, saved, copied
        or moved, nor change `maps_dtype`; another one is read from the file for that.
        """
        fused = self._fused_maps()
        with _PREPARING:
            for part in (self.backbone, self.proj, self.afg):
                part.to("meta")
            dtype = fused.stem[0].dtype
            self._fused = ((*self.weights_state(), dtype), fused)

    def _require_weights(self) -> None:
        if next(self.backbone.parameters()).is_meta and not self.log_var_au.is_meta:
            raise RuntimeError(
                "This network was kept for prediction only (keep_for_prediction), but this needs "
                "all of its weights: read it from its file again with load_checkpoint."
            )

    def _fused_maps(self) -> FusedMaps:
        """Give the fast form of the current weights; it is made anew when they have changed."""
        with _PREPARING:
            usual = torch.bfloat16 if self.device.type == "cuda" else torch.float32
            dtype = self.maps_dtype or usual
            key = (*self.weights_state(), dtype)
            held = self._fused
            if held is None or held[0] != key:
                self._require_weights()
                held = self._fused = None  # free the old one first
                fused = FusedMaps(
                    self.state_dict(),
                    n_au=self.config.n_au,
                    keep_fine=self.config.gaze_eye_roi,
                    dtype=dtype,
                )
                held = self._fused = (key, fused)
            return held[1]

    def weights_state(self) -> tuple[object, ...]:
        """Give what changes with the weights, to tell when something made of them is out of date.

        Changes are seen by device, address and version of each tensor, so by all but edits through
        ``.data``; in :meth:`predict` those show after the next change of mode.
        """
        tensors = itertools.chain(self.parameters(), self.buffers())
        # Tensors made in inference mode have no version, and cannot be edited outside of it.
        state = tuple((t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors)
        return self.device, state

    def __getstate__(self) -> dict[str, Any]:
        """Leave the fast form out of copies and pickles."""
        return self.__dict__ | {"_fused": None}
