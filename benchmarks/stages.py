"""Processor time of each stage from a video to a table, one thread, beside py-feat's.

::

    python benchmarks/stages.py VIDEO

Full-size networks with generated weights, whose values run time does not depend on.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from machine import Runs, has_pyfeat, machine, markdown, side_by_side
from throughput import blind

import facemt_analysis as fm
from facemt_analysis.detection import HaarCascade, RetinaFace, open_recordings
from facemt_analysis.detection.chips import ChipGeometry
from facemt_analysis.network import FaceMultitask, ModelConfig, load_checkpoint, save_checkpoint
from facemt_analysis.network.preprocess import CHIP_SIZE

_FRAMES = 16


def ours(video: Path, weights: Path) -> Runs:
    """Name the stages; with each the number of frames or faces it takes."""
    frames = [f.image for f in itertools.islice(open_recordings(video)[0].frames(), _FRAMES)]
    haar, retina = HaarCascade(), blind(RetinaFace(threads=1))
    smaller = blind(RetinaFace(threads=1, max_side=480))
    boxes = np.concatenate([found[:1, :4] for found in haar.detect(frames)])
    which = np.arange(len(boxes))
    published = load_checkpoint(weights)
    small = load_checkpoint(fm.network.resolve_weights("open").path)
    chips = torch.rand(_FRAMES, 3, CHIP_SIZE, CHIP_SIZE)
    fex = fm.Detector("open").detect(video, stop=2.0, progress=False)
    out = weights.with_name("table.parquet")

    def decode() -> None:
        for _ in itertools.islice(open_recordings(video)[0].frames(), _FRAMES):
            pass

    return {
        "decoding": (decode, _FRAMES),
        "Haar cascade": (lambda: haar.detect(frames), _FRAMES),
        "RetinaFace": (lambda: retina.detect(frames[:4]), 4),
        "RetinaFace, max_side=480": (lambda: smaller.detect(frames[:4]), 4),
        "cutting out": (lambda: ChipGeometry().crop(frames, boxes, which), len(boxes)),
        "full-size network, batch of 16": (lambda: published.predict(chips), _FRAMES),
        "open weights, batch of 16": (lambda: small.predict(chips), _FRAMES),
        "writing the native file": (lambda: fex.to_parquet(out), len(fex)),
    }


def theirs(video: Path, weights: Path) -> Runs:
    """Name the stages of py-feat that can be run by themselves."""
    from feat.detector_v2 import Detectorv2
    from feat.face_detectors.Retinaface.Retinaface_test import Retinaface

    class Blind(Retinaface):
        def __init__(self, device: object) -> None:
            super().__init__(device=device, pretrained="none")
            self.net.load_state_dict(blind(RetinaFace()).state_dict())

    from feat import detector_v2

    detector_v2.Retinaface = Blind
    tool = Detectorv2(device="cpu", identity_model=None, multitask_weights=str(weights))
    frames = [f.image for f in itertools.islice(open_recordings(video)[0].frames(), 4)]
    images = torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2).copy())
    chips = torch.rand(_FRAMES, 3, CHIP_SIZE, CHIP_SIZE)
    find = Blind(torch.device("cpu"))

    def network() -> None:
        with torch.inference_mode():
            tool.multitask(chips)

    return {
        "RetinaFace": (lambda: find(images), 4),
        "full-size network, batch of 16": (network, _FRAMES),
    }


def table(video: Path, rounds: int = 2) -> pd.DataFrame:
    """Processor milliseconds a frame, or a face."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = Path(folder) / "face_multitask_v28.safetensors"
        save_checkpoint(FaceMultitask(ModelConfig.v25()), weights, licence="none, generated")
        ran = theirs(video, weights) if has_pyfeat() else None
        return side_by_side(ours(video, weights), ran, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    asked = parser.parse_args()
    print(machine())
    print(markdown(table(asked.video)))
