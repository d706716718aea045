"""A moving face at 30 Hz, and options that measure it quickly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facemt_analysis.study.job import Options


@pytest.fixture(scope="session")
def moving_video(
    draw_scene: Callable[..., np.ndarray], write_video: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """Two seconds; the avatar is away from frame 30 to 34."""
    frames = [draw_scene(*([(40 + 2 * i, 40)] if not 30 <= i < 35 else [])) for i in range(60)]
    path = tmp_path_factory.mktemp("moving") / "moving.mp4"
    return write_video(path, frames, rate=30, g="15")


@pytest.fixture
def options(small_weights: Path) -> Options:
    return Options(weights=str(small_weights), face_detector="haar", groups=("aus", "va"))
