"""Engines: one network, its feature maps computed by PyTorch or by ONNX Runtime."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facemt_analysis.errors import OptionError
from facemt_analysis.network.batches import Batches, Capture, CudaCapture
from facemt_analysis.network.config import Preprocess
from facemt_analysis.network.engines.maps import maps_graph, named_maps
from facemt_analysis.network.engines.session import Session, n_threads, torch_threads
from facemt_analysis.network.fused import FusedMaps, Maps
from facemt_analysis.network.model import FaceMultitask
from facemt_analysis.network.output import Prediction

__all__ = ["Engine", "OnnxEngine", "TorchEngine"]


class Engine(Protocol):
    """Predicts like `FaceMultitask.predict`.

    Attributes
    ----------
    name : str
        ``"torch"`` or ``"onnx"``, to be recorded with the results.
    threads : int or None
        Threads of each call; None: as many as PyTorch is set to at the call.
    """

    name: str
    threads: int | None

    def predict(
        self, chips: Tensor | NDArray[np.floating], *, preprocess: Preprocess | None = None
    ) -> Prediction:
        """Predict from face chips; see `FaceMultitask.predict`."""
        ...


class TorchEngine:
    """PyTorch, on the device of the network.

    On CUDA the whole network is captured once for each of a few batch sizes and replayed
    (CUDA graphs), unless another stream than the default one is chosen at the call.

    Parameters
    ----------
    model
        The network; its weights are used as they are at each call.
    threads
        Threads of each call on a CPU; None leaves PyTorch's setting alone.
    capture
        How work is captured; None: by CUDA for a network on CUDA, else not at all.
    """

    name = "torch"

    def __init__(
        self,
        model: FaceMultitask,
        *,
        threads: int | None = None,
        capture: Capture | None = None,
    ) -> None:
        self.model = model
        self.threads = n_threads(threads, self.name)
        self._capture = capture
        self._held: tuple[FusedMaps, Batches] | None = None
        self._making = threading.Lock()

    def predict(
        self, chips: Tensor | NDArray[np.floating], *, preprocess: Preprocess | None = None
    ) -> Prediction:
        """Predict from face chips; see `FaceMultitask.predict`."""
        with torch_threads(self.threads):
            if (batches := self._batches()) is None:
                return self.model.predict(chips, preprocess=preprocess)
            return self.model.predict_by(batches, chips, preprocess=preprocess)

    def _batches(self) -> Batches | None:
        """Give the network as it is now, to be replayed; None: it is to be run plainly."""
        capture = self._capture
        if capture is None:
            device = self.model.device
            if device.type != "cuda":
                return None
            if torch.cuda.current_stream(device) != torch.cuda.default_stream(device):
                return None  # what was captured has one place for inputs: streams would mix them
            capture = CudaCapture()
        with self._making:
            maps_of = self.model._fused_maps()  # another one when weights have changed
            if self._held is None or self._held[0] is not maps_of:
                self._held = None  # free the old one first
                model = self.model
                self._held = (maps_of, Batches(lambda x: model.rows(maps_of(x)), capture))
            return self._held[1]

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was captured out of copies and pickles."""
        return {"model": self.model, "threads": self.threads, "_capture": self._capture}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin with nothing captured."""
        self.__dict__.update(state)
        self._held, self._making = None, threading.Lock()


class OnnxEngine:
    """ONNX Runtime on a CPU for the feature maps, PyTorch for the small rest.

    Parameters
    ----------
    model
        The network, on a CPU. The first call with weights turns them into an ONNX model in
        memory, and so does the first call after a change.
    threads
        Threads of ONNX Runtime; None takes what PyTorch is set to now. The rest takes one.

    Raises
    ------
    OptionError
        The packages are not installed, the network is not on a CPU, or its weights exceed 2 GiB.

    Notes
    -----
    Outputs equal those of PyTorch to rounding and do not depend on the batch.
    """

    name = "onnx"

    def __init__(self, model: FaceMultitask, *, threads: int | None = None) -> None:
        self.model = model
        self.threads = n_threads(threads, self.name)
        self._held: tuple[tuple[object, ...], Session] | None = None
        self._session()  # what is wrong is said now

    def predict(
        self, chips: Tensor | NDArray[np.floating], *, preprocess: Preprocess | None = None
    ) -> Prediction:
        """Predict from face chips; see `FaceMultitask.predict`."""
        session = self._session()

        def maps_of(x: Tensor) -> Maps:
            return named_maps(session(x))

        with torch_threads(1):
            return self.model.predict_with(maps_of, chips, preprocess=preprocess)

    def _session(self) -> Session:
        state = self.model.weights_state()
        if self._held is None or self._held[0] != state:
            self._held = None  # free the old one first
            if self.model.device.type != "cpu":
                raise OptionError(
                    f"engine='onnx' runs on a CPU, but the network is on {self.model.device}: "
                    "pass engine='torch', or move it by .to('cpu')."
                )
            config = self.model.config
            fused = FusedMaps(
                self.model.state_dict(),
                n_au=config.n_au,
                keep_fine=config.gaze_eye_roi,
                dtype=torch.float32,
            )
            self._held = (state, Session(maps_graph(fused, config.image_size), self.threads))
        return self._held[1]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the session out of copies and pickles; it is made anew where they are used."""
        return self.__dict__ | {"_held": None}
