"""Generated weights, golden outputs and small networks for the network's tests."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from facemt_analysis.network import FaceMultitask, ModelConfig

DATA = Path(__file__).parents[1] / "data" / "network"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "checkpoint"


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the small goldens."""
    return DATA


@pytest.fixture(scope="session")
def generated() -> ModuleType:
    """The module that gives weights and chips by formula."""
    spec = importlib.util.spec_from_file_location("generated", DATA / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def published() -> Callable[[str], tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """(listing, golden arrays) of a published configuration by name; skips without its files."""

    def find(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        for folder in (DATA, SHARED):
            if (folder / f"{name}.json").exists():
                with np.load(folder / f"{name}.npz") as file:
                    golden = dict(file)
                return json.loads((folder / f"{name}.json").read_text()), golden
        pytest.skip(f"{name} is neither in {DATA} nor in {SHARED}")

    return find


@pytest.fixture(scope="session")
def filled(generated: ModuleType) -> Callable[[ModelConfig], FaceMultitask]:
    """Build the network of a configuration with generated weights, in eval mode."""

    def build(config: ModelConfig) -> FaceMultitask:
        network = FaceMultitask(config).eval()
        shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        weights = generated.fill(shapes)
        network.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
        return network

    return build


@pytest.fixture
def tiny_config() -> ModelConfig:
    """The smallest useful configuration: quick to build and to run."""
    return ModelConfig.v25(
        backbone="convnextv2_atto", image_size=64, afg_channels=16, unified_lmk_dim=8
    )


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep the small networks of these tests from waiting for each other's threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
