"""Tables for the tests of the report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter1d

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.fex import FexInfo
from facemt_analysis.interactive.report import report_html
from facemt_analysis.measures import mesh_template


def _wide_table(seconds: float = 8.0, hz: float = 30.0, name: str = "talk.mp4") -> fm.Fex:
    """One face with every group, gone for a fifth of the time in the middle."""
    rng = np.random.default_rng(5)
    n = int(seconds * hz)
    time = np.arange(n) / hz

    def wave(k: int, width: float) -> np.ndarray:
        x = gaussian_filter1d(rng.normal(size=(n, k)), width * hz, axis=0)
        return x / x.std(axis=0)

    aus = schema.au_columns(20)
    emotions = np.exp(1.5 * wave(7, 0.5))
    mesh = 130 * mesh_template().vertices * (1, -1, -1) + (550, 360, 0)
    meshes = mesh + rng.normal(0, 0.4, (n, 478, 3))
    gaze = 0.1 * wave(2, 0.3)
    groups = [
        pd.DataFrame({"input": name, "frame": np.arange(n), "time": time, "track": 0}),
        pd.DataFrame(np.tile([400, 200, 300, 320, 0.99], (n, 1)),
                     columns=schema.GROUPS["faceboxes"].columns),
        pd.DataFrame(np.clip(0.3 + 0.3 * wave(20, 0.4), 0, 1), columns=aus),
        pd.DataFrame(emotions / emotions.sum(axis=1, keepdims=True), columns=schema.EMOTIONS),
        pd.DataFrame(np.tanh(0.4 * wave(2, 0.5)), columns=["valence", "arousal"]),
        pd.DataFrame({"gaze_pitch": gaze[:, 0], "gaze_yaw": gaze[:, 1],
                      "gaze_angle": np.hypot(*gaze.T)}),
        pd.DataFrame(0.1 * wave(3, 0.5), columns=["Pitch", "Roll", "Yaw"]),
        pd.DataFrame(meshes.transpose(0, 2, 1).reshape(n, -1).astype(np.float32),
                     columns=schema.GROUPS["meshes"].columns),
        pd.DataFrame(rng.random((n, 52)).astype(np.float32), columns=schema.BLENDSHAPES),
        pd.DataFrame({"FrameHeight": 720.0, "FrameWidth": 1280.0}, index=range(n)),
    ]  # fmt: skip
    table = pd.concat(groups, axis=1)
    gone = (time > 0.4 * seconds) & (time < 0.6 * seconds)
    table.loc[gone, schema.feature_columns(table.columns)] = np.nan
    table.loc[gone, "track"] = -1
    table.loc[gone, "FaceScore"] = 0.0
    info = FexInfo(tool="facemt_analysis 0.1.0", weights="open", weights_licence="MIT",
                          weights_sha256="ab" * 32, face_detector="haar",
                          options={"every": 1}, versions={"torch": "9.9"})  # fmt: skip
    return fm.Fex(table, info=info)


@pytest.fixture(scope="session")
def wide_table() -> Callable[..., fm.Fex]:
    return _wide_table


@pytest.fixture(scope="session")
def wide_report() -> tuple[fm.Fex, str]:
    """A table with every group and its report, which takes seconds to make."""
    fex = _wide_table()
    events = pd.DataFrame({"onset": [1.0], "offset": [2.0], "label": ["<i>joke</i>"]})
    return fex, report_html(fex, events=events)
