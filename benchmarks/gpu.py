"""What a graphics card makes of it: frames a second, the share of its matrix rate, differences.

::

    python benchmarks/gpu.py VIDEO [--frames 960] [--batches 1 16 128]

Full-size networks with generated values (run time does not depend on them), RetinaFace included;
the box it is taken to have found is given. Needs a CUDA device. `--device cpu` runs the same code
on the processor, where what is replayed is run again: to see that it works, not to compare.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from machine import machine, markdown
from throughput import Given, blind, cut
from torch.utils.flop_counter import FlopCounterMode

from facemt_analysis.detection import Detector, HaarCascade, RetinaFace, open_recordings
from facemt_analysis.network import (
    FaceMultitask,
    ModelConfig,
    Prediction,
    load_checkpoint,
    save_checkpoint,
)
from facemt_analysis.network.batches import SIZES, Captured, CudaCapture
from facemt_analysis.network.engines import TorchEngine
from facemt_analysis.network.preprocess import CHIP_SIZE


def again(run: Callable[[torch.Tensor], torch.Tensor], place: torch.Tensor) -> Captured:
    """Stand in for a capture on a processor."""
    output = run(place).clone()
    return Captured(place, output, lambda: output.copy_(run(place)))


def flop_per_face(network: FaceMultitask) -> float:
    """Floating point operations of one face, two per multiplication and addition."""
    side = network.config.image_size
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, side, side))
    return float(counter.get_total_flops())


def seconds(run: Callable[[], object], device: torch.device, rounds: int) -> float:
    """Least wall seconds of some runs after three that warm up."""
    spent = []
    for number in range(rounds + 3):
        _wait(device)
        began = time.perf_counter()
        run()
        _wait(device)
        if number >= 3:
            spent.append(time.perf_counter() - began)
    return min(spent)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(device: torch.device, rounds: int) -> float:
    """Operations a second of a large matrix product in the type the feature maps have there."""
    on_card = device.type == "cuda"
    n, dtype = (8192, torch.bfloat16) if on_card else (1024, torch.float32)
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    return 2.0 * n**3 / seconds(lambda: a @ b, device, rounds)


def network_alone(
    network: FaceMultitask, batches: list[int], rate: float, flop: float, rounds: int
) -> pd.DataFrame:
    """Faces a second from chips on the device to arrays on the host, run and replayed."""
    device = network.device
    capture = CudaCapture() if device.type == "cuda" else again
    ways = {"run": network.predict, "replayed": TorchEngine(network, capture=capture).predict}
    rows = {}
    for n in batches:
        chips = torch.rand(n, 3, CHIP_SIZE, CHIP_SIZE, device=device)
        found = {}
        for way, predict in ways.items():
            spent = seconds(lambda predict=predict, chips=chips: predict(chips), device, rounds)
            found[f"faces/s, {way}"] = n / spent
            found[f"% of matrix rate, {way}"] = 100 * n * flop / spent / rate
        rows[str(n)] = found
    return pd.DataFrame(rows).T


def differences(network: FaceMultitask, weights: Path, chips: torch.Tensor) -> pd.DataFrame:
    """Greatest and mean difference of each output from float32 on the processor."""
    expected = load_checkpoint(weights).predict(chips)
    capture = CudaCapture() if network.device.type == "cuda" else again
    engine = TorchEngine(network, capture=capture)
    for _ in range(3):  # the last is replayed
        replayed = engine.predict(chips)
    found = {"run": network.predict(chips), "replayed": replayed}
    table: dict[str, dict[str, float]] = {}
    for field in fields(Prediction):
        wanted = getattr(expected, field.name)
        if wanted is None:
            continue
        table[field.name] = {}
        for way, got in found.items():
            difference = np.abs(getattr(got, field.name) - wanted)
            table[field.name] |= {
                f"max, {way}": float(difference.max()), f"mean, {way}": float(difference.mean()),
            }  # fmt: skip
    return pd.DataFrame(table).T


@contextmanager
def memory(device: torch.device, found: dict[str, float]) -> Iterator[None]:
    """Note the greatest memory of the card in MB."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    yield
    if device.type == "cuda":
        found["card, MB"] = torch.cuda.max_memory_reserved(device) / 2**20


def end_to_end(clip: Path, weights: Path, device: torch.device, frames: int) -> pd.DataFrame:
    """Frames a second from a video to a table; the first run of each way warms up."""
    image = next(iter(open_recordings(clip)[0].frames())).image
    seen = HaarCascade().detect([image])[0]
    height, width = image.shape[:2]
    box = seen[0] if len(seen) else np.array([width / 3, height / 4, width / 2, height / 2, 1.0])
    faces = blind(RetinaFace()).to(device)
    given = Given(faces, box)
    given.shares_batches = faces.shares_batches

    def detector(**options: object) -> Detector:
        return Detector(str(weights), face_detector=given, device=device, **options)

    def plainly() -> Detector:
        tool = detector(threads=1, batch_size=16)
        tool._crop = tool.chip.crop
        tool.engine = TorchEngine(tool.model)
        tool.engine._batches = lambda: None
        return tool

    def one(tool: Detector, n: int) -> None:
        with ThreadPoolExecutor(n) as pool:
            list(pool.map(lambda _: tool.detect(clip, progress=False), range(n)))

    ways: dict[str, tuple[Callable[[], Detector], int]] = {
        "one thread, faces cut out on the host, nothing replayed": (plainly, 1),
        "one recording": (detector, 1),
        "one recording, RetinaFace at every frame": (lambda: detector(follow=False), 1),
        "four recordings at once": (detector, 4),
    }
    rows: dict[str, dict[str, float]] = {}
    for name, (make, n) in ways.items():
        tool, found = make(), {}
        one(tool, n)
        with memory(device, found):
            began, busy = time.perf_counter(), time.process_time()
            one(tool, n)
            spent, worked = time.perf_counter() - began, time.process_time() - busy
        rows[name] = {
            "frames/s": n * frames / spent,
            "processor ms/frame": 1000 * worked / (n * frames),
            **found,
        }
        del tool
    began = time.perf_counter()
    read = sum(1 for _ in open_recordings(clip)[0].frames())
    rows["decoding alone"] = {"frames/s": read / (time.perf_counter() - began)}
    return pd.DataFrame(rows).T


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--frames", type=int, default=960)
    parser.add_argument("--batches", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--backbone", default=ModelConfig.v25().backbone)
    asked = parser.parse_args()
    device = torch.device(asked.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            "gpu.py needs a CUDA device, and torch sees none; --device cpu tries the same code.",
            file=sys.stderr,
        )
        return 2
    warnings.simplefilter("default")  # a faster way that fails is worth knowing
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no card"
    print(f"{name}; CUDA {torch.version.cuda}; {machine()}\n")
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        config = ModelConfig.v25(backbone=asked.backbone)
        made = FaceMultitask(config).eval()
        flop = flop_per_face(made)
        weights = folder / "face_multitask_v28.safetensors"
        save_checkpoint(made, weights, licence="none, generated")
        network = load_checkpoint(weights, device=device)
        rate = matrix_rate(device, asked.rounds)
        print(f"Large matrix product: {rate / 1e12:.4g} TFLOP/s. One face: {flop / 1e9:.3g} GFLOP.")
        print("\nNetwork alone, by batch size:\n")
        print(markdown(network_alone(network, asked.batches, rate, flop, asked.rounds)))
        print("\nDifferences from float32 on the processor:\n")
        print(markdown(differences(network, weights, torch.rand(13, 3, CHIP_SIZE, CHIP_SIZE))))
        print(f"\nFrom a video to a table, {asked.frames} frames:\n")
        clip = cut(asked.video, asked.frames, folder)
        print(markdown(end_to_end(clip, weights, device, asked.frames)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
