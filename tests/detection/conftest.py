"""Fixtures of the detection tests: places of data, generated images and weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def data() -> Path:
    """Small reference arrays that come with the tests."""
    return ROOT / "tests" / "data" / "detection"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real media and larger references, which a fresh clone does not have."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs real media in {folder}")
    return folder


@pytest.fixture(scope="session")
def generated() -> ModuleType:
    """The module that makes the weights and images the reference outputs were computed with."""
    path = ROOT / "tests" / "data" / "network" / "generated.py"
    spec = importlib.util.spec_from_file_location("generated", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
