"""Frames a second from a video to a table, beside py-feat 2.1.5 where that is installed.

Both tools run in turns on the same video with the same weights and the same boxes, each time in a
process of its own, as people run them: what one leaves behind in threads and memory slows the other
down by a quarter. No downloads: the networks are full-size, their values generated (run time does
not depend on them); RetinaFace runs in both, and the box it is taken to have found is given.

::

    python benchmarks/throughput.py VIDEO [--frames 96] [--rounds 2]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from machine import PYFEAT, has_pyfeat, in_fresh_process, machine, markdown, peak_memory

from facemt_analysis.detection import Detector, HaarCascade, RetinaFace, open_recordings
from facemt_analysis.network import FaceMultitask, ModelConfig, load_checkpoint, save_checkpoint
from facemt_analysis.network.preprocess import CHIP_SIZE


class Given:
    """A face detector that takes its time, and says what it is told."""

    name = "given"

    def __init__(self, detector: RetinaFace | None, box: np.ndarray) -> None:
        self._detector = detector
        self._box = np.asarray([box], np.float32)
        self.framing = RetinaFace.framing
        self.thread_safe = getattr(detector, "thread_safe", detector is None)

    def detect(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        if self._detector is not None:
            self._detector.detect(frames)
        return [self._box.copy() for _ in frames]


def blind(detector: RetinaFace) -> RetinaFace:
    """Make the generated weights find nothing, so that no time goes into sorting false boxes."""
    state = detector.state_dict()
    for name, value in state.items():
        if name.startswith("ClassHead") and name.endswith("bias"):
            value[0::2], value[1::2] = 10.0, -10.0
    detector.load_state_dict(state)
    return detector.eval()


def pyfeat(weights: Path, detector: RetinaFace, box: np.ndarray) -> Callable[[Path], object]:
    """Set up py-feat's detector with the same weights and boxes."""
    from feat import detector_v2
    from feat.face_detectors.Retinaface.Retinaface_test import Retinaface

    class Told(Retinaface):
        def __init__(self, device: object) -> None:
            super().__init__(device=device, pretrained="none")
            self.net.load_state_dict(detector.state_dict())

        def __call__(self, images: object) -> list[list[list[float]]]:
            super().__call__(images)
            return [[box.tolist()] for _ in images]

    detector_v2.Retinaface = Told
    tool = detector_v2.Detectorv2(device="cpu", identity_model=None, multitask_weights=str(weights))

    def run(video: Path) -> object:
        # decoded here: its own reader needs FFmpeg's libraries on the system
        frames = np.stack([frame.image for frame in open_recordings(video)[0].frames()])
        images = torch.from_numpy(frames.transpose(0, 3, 1, 2).copy())
        return tool.detect(images, data_type="tensor", batch_size=16, progress_bar=False)

    return run


def cut(video: Path, frames: int, folder: Path) -> Path:
    """Encode the first frames of a video, repeated where it is shorter."""
    import av

    images = [
        frame.image
        for _, frame in zip(range(frames), open_recordings(video)[0].frames(), strict=False)
    ]
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(images[number % len(images)], format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


_FOLLOWED = "full-size network, faces followed"
_BFLOAT16 = "full-size network in bfloat16, faces followed"
_EVERY = "full-size network, RetinaFace at every frame"
_OPEN = "open weights, Haar, faces followed"
_ALONE = "full-size network alone"
_NAMES = (_FOLLOWED, _BFLOAT16, _EVERY, _OPEN, _ALONE, PYFEAT)
_ENTER = """
import sys
sys.path.insert(0, sys.argv[1])
import throughput
throughput.measure(*sys.argv[2:])
"""


def first_box(clip: Path) -> np.ndarray:
    """Where the first face of a film is."""
    image = next(iter(open_recordings(clip)[0].frames())).image
    return HaarCascade().detect([image])[0][0]


def generated(folder: Path) -> Path:
    """Write a full-size network of generated values."""
    torch.manual_seed(0)
    path = folder / "face_multitask_v28.safetensors"
    save_checkpoint(FaceMultitask(ModelConfig.v25()), path, licence="none, generated")
    return path


def contender(name: str, clip: Path, weights: Path, engine: str) -> Callable[[], object]:
    """Set up one of the ways."""
    if name == _OPEN:
        tool = Detector("open", engine=engine)
        return lambda: tool.detect(clip, progress=False)
    if name == _ALONE:
        net, chips = load_checkpoint(weights), torch.rand(16, 3, CHIP_SIZE, CHIP_SIZE)
        return lambda: [net.predict(chips) for _ in range(4)]
    box = first_box(clip)
    faces = blind(RetinaFace())
    if name == PYFEAT:
        theirs = pyfeat(weights, faces, box)
        return lambda: theirs(clip)
    given = Given(faces.fold(), box)  # as a detector of published weights has it
    half = name == _BFLOAT16
    tool = Detector(
        str(weights), face_detector=given, follow=name != _EVERY,
        engine="torch" if half else engine, precision="bfloat16" if half else "auto",
    )  # fmt: skip
    return lambda: tool.detect(clip, progress=False)


def to_study(clip: str, weights: str, out: str) -> None:
    """Detect a recording as ``facemt detect`` does, with the full-size network and RetinaFace."""
    from facemt_analysis.study import job, memory, run

    memory.keep_small()
    warnings.simplefilter("ignore")
    recordings = open_recordings(clip)
    given = Given(blind(RetinaFace()).fold(), first_box(Path(clip)))
    tool = Detector(weights, face_detector=given)
    tool.model.keep_for_prediction()
    memory.give_back()
    job.detector_for = run.detector_for = lambda _: tool
    options = job.Options(weights=weights)
    for outcome in run.detect_study(recordings, Path(out), options, runner=run.Here()):
        if outcome.failed:
            raise SystemExit(outcome.failed)


def measure(name: str, clip: str, weights: str, engine: str) -> None:
    """Run one of the ways twice; print the seconds of the second time, which is warm, and MiB."""
    warnings.simplefilter("ignore")
    run = contender(name, Path(clip), Path(weights), engine)
    run()
    print(json.dumps([*timed(run), peak_memory()]))


def table(video: Path, frames: int, rounds: int, engine: str = "torch") -> pd.DataFrame:
    """Frames a second, processor time and memory of both tools, in turns, in fresh processes."""
    names = [name for name in _NAMES if name != PYFEAT or has_pyfeat()]
    measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clip = cut(video, frames, folder)
        weights = generated(folder)
        for _ in range(rounds):
            for name in names:  # in turns: load of the machine hits all
                here = str(Path(__file__).parent)
                spent = in_fresh_process(_ENTER, here, name, str(clip), str(weights), engine)
                measured[name].append(spent)
    done = {name: 64 if name == _ALONE else frames for name in names}
    result = pd.DataFrame(
        {
            name: {
                "frames/s": done[name] / min(wall for wall, _, _ in spent),
                "processor ms/frame": 1000 * min(cpu for _, cpu, _ in spent) / done[name],
                "peak MiB": max(peak for *_, peak in spent),
            }
            for name, spent in measured.items()
        }
    ).T
    if PYFEAT in result.index:
        result[f"times {PYFEAT}"] = result["frames/s"] / result.loc[PYFEAT, "frames/s"]
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--engine", default="torch")
    asked = parser.parse_args()
    print(machine())
    print(markdown(table(asked.video, asked.frames, asked.rounds, asked.engine)))
