"""A face that nobody has, drawn well enough for a Haar cascade."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture(scope="session")
def drawn_faces() -> Callable[..., np.ndarray]:
    """Draw faces lit from the front: bright nose and cheeks, dark eyes, brows and mouth."""

    def draw(
        *faces: tuple[float, float, float], frame: tuple[int, int] = (240, 320), tilt: float = 0.0
    ) -> np.ndarray:
        """Draw a (H, W, 3) frame with faces (x, y of the centre, width), tilted by degrees."""
        y, x = np.mgrid[: frame[0], : frame[1]].astype(float)
        cos, sin = np.cos(np.deg2rad(tilt)), np.sin(np.deg2rad(tilt))
        gray = np.full(frame, 90.0)
        for centre_x, centre_y, width in faces:
            dx, dy = (x - centre_x) / width, (y - centre_y) / width
            u, v = cos * dx + sin * dy, cos * dy - sin * dx

            def add(level, at_u, at_v, size_u, size_v, edge=1, u=u, v=v, gray=gray):
                radius = ((u - at_u) / size_u) ** 2 + ((v - at_v) / size_v) ** 2
                gray += level * np.exp(-(radius**edge))

            add(100, 0.0, 0.0, 0.42, 0.55, edge=4)  # face
            add(-60, 0.0, -0.52, 0.42, 0.16, edge=3)  # hair
            add(25, 0.0, 0.0, 0.05, 0.15)  # nose
            add(-70, 0.0, 0.29, 0.15, 0.04)  # mouth
            for side in (-1, 1):
                add(-85, side * 0.19, -0.12, 0.10, 0.045)  # eye
                add(-60, side * 0.19, -0.23, 0.13, 0.03)  # brow
                add(25, side * 0.22, 0.12, 0.12, 0.10)  # cheek
                add(-35, side * 0.06, 0.14, 0.035, 0.02)  # nostril
        return np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)

    return draw
