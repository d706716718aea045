"""Small labelled tables for statistics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def study() -> Callable[..., pd.DataFrame]:
    """Frames of people in conditions: subject, group, condition, input, frame, AU12, AU06."""

    def make(
        n: int = 12, conditions: tuple[str, ...] = ("calm", "funny"), *, groups: int = 1,
        between: bool = False, effect: float = 0.1, frames: int = 6, seed: int = 0,
    ) -> pd.DataFrame:  # fmt: skip
        rng = np.random.default_rng(seed)
        parts = []
        for s in range(n):
            base = rng.normal(0.4, 0.1)
            seen = [conditions[s % len(conditions)]] if between else conditions
            for condition in seen:
                level = base + effect * conditions.index(condition) + rng.normal(0, 0.05)
                parts.append(
                    pd.DataFrame(
                        {
                            "subject": f"s{s:02d}",
                            "group": f"g{s % groups}",
                            "condition": condition,
                            "input": f"s{s:02d}_{condition}.mp4",
                            "frame": np.arange(frames),
                            "AU12": level + rng.normal(0, 0.02, frames),
                            "AU06": rng.normal(0.3, 0.1) + rng.normal(0, 0.02, frames),
                        }
                    )
                )
        return pd.concat(parts, ignore_index=True)

    return make
