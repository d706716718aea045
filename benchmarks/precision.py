"""What computing in bfloat16 changes, on films, and what it saves.

::

    python benchmarks/precision.py FILM… [--weights open]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from machine import machine, markdown

import facemt_analysis as fm
from facemt_analysis.network.preprocess import CHIP_SIZE

PRECISIONS = ("float32", "bfloat16")


def differences(film: Path, detectors: dict[str, fm.Detector]) -> dict[str, object]:
    """Mean (largest) absolute difference of each group; the boxes are the same."""
    full, half = (detectors[name].detect(film, progress=False) for name in PRECISIONS)
    apart = np.abs(pd.DataFrame(full.aus).to_numpy() - pd.DataFrame(half.aus).to_numpy())
    r = [
        np.corrcoef(full[au].dropna(), half[au].dropna())[0, 1]
        for au in full.aus.columns
        if full[au].std() > 0.01
    ]
    row: dict[str, object] = {
        "faces": int((full["track"] >= 0).sum()),
        "AUs": f"{np.nanmean(apart):.4f} ({np.nanmax(apart):.3f})",
        "lowest r of an AU that moves": f"{min(r, default=np.nan):.4f}",
    }
    for name, columns, scale, unit in (
        ("valence, arousal", ["valence", "arousal"], 1.0, ""),
        ("head", ["Pitch", "Yaw", "Roll"], 180 / np.pi, "°"),
        ("gaze", ["gaze_pitch", "gaze_yaw"], 180 / np.pi, "°"),
    ):
        off = np.abs(full[columns].to_numpy() - half[columns].to_numpy()) * scale
        row[name] = f"{np.nanmean(off):.3f}{unit} ({np.nanmax(off):.2f}{unit})"
    return row


def speed(detectors: dict[str, fm.Detector]) -> dict[str, float]:
    """Processor milliseconds a face in batches of 16, one thread; the least of turns."""
    torch.set_num_threads(1)
    chips = torch.rand(16, 3, CHIP_SIZE, CHIP_SIZE)
    least = dict.fromkeys(PRECISIONS, float("inf"))
    for turn in range(6):
        for name in PRECISIONS:
            began = time.process_time()
            detectors[name].model.predict(chips)
            if turn:  # the first one prepares
                least[name] = min(least[name], 1000 * (time.process_time() - began) / 16)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--weights", default="open")
    asked = parser.parse_args()
    detectors = {
        name: fm.Detector(asked.weights, face_detector="haar", device="cpu", precision=name)
        for name in PRECISIONS
    }
    print(machine())
    print(markdown(pd.DataFrame({f.name: differences(f, detectors) for f in asked.films}).T))
    print("processor ms a face:", {name: round(ms, 1) for name, ms in speed(detectors).items()})


if __name__ == "__main__":
    main()
