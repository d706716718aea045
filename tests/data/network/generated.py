"""Weights and chips that need no file: every value follows from a name or a seed.

The golden outputs beside this file were computed on these. NumPy alone, so that the tests, the
tools and any other implementation of the network can share it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def fill(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.generic]]:
    """Give every tensor values drawn from PCG64 seeded with the CRC-32 of its own name."""
    return {name: _values(name, tuple(shape)) for name, shape in shapes.items()}


def _values(name: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_var":
        values = 1.0 + 0.1 * rng.random(shape)
    elif len(shape) > 1:  # kernels and prototypes: unit variance per output
        values = rng.standard_normal(shape) / np.sqrt(int(np.prod(shape[1:])))
    elif leaf == "weight":  # scales of norms
        values = 1.0 + 0.05 * rng.standard_normal(shape)
    else:  # biases, running means, log-variances
        values = 0.05 * rng.standard_normal(shape)
    return np.asarray(values, np.float32)


def chips(n: int, size: int = 256, seed: int = 7) -> NDArray[np.float32]:
    """Give (n, 3, size, size) smooth random images in [0, 1]: 9×9 noise, bilinear."""
    coarse = np.random.default_rng(seed).random((n, 3, 9, 9))
    grid = np.linspace(0, 8, size)
    cell = np.clip(np.floor(grid).astype(int), 0, 7)
    part = grid - cell
    rows = coarse[:, :, cell] * (1 - part)[:, None] + coarse[:, :, cell + 1] * part[:, None]
    return (rows[..., cell] * (1 - part) + rows[..., cell + 1] * part).astype(np.float32)
