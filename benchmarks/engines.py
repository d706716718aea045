"""Processor time of the network and of RetinaFace by engine: the tables of docs/engines.md.

    python benchmarks/engines.py --threads 1 --repeats 10

Engines take turns and the least time of each counts, so that other work on the machine disturbs
all alike. Weights are random, which makes no difference to time. OpenVINO runs the same ONNX model
if it is installed; it is no engine of the package.
"""

from __future__ import annotations

import argparse
import functools
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import torch

from facemt_analysis.detection.faces import RetinaFace
from facemt_analysis.network import FaceMultitask, ModelConfig, load_checkpoint, resolve_weights
from facemt_analysis.network.engines import make_engine
from facemt_analysis.network.engines.maps import maps_graph, named_maps
from facemt_analysis.network.engines.session import torch_threads
from facemt_analysis.network.fused import FusedMaps

Call = Callable[[], object]


def least_ms(calls: Mapping[str, Call], repeats: int, per: int) -> dict[str, tuple[float, float]]:
    """(processor, wall) ms of each call, divided by `per`."""
    least = {name: (float("inf"), float("inf")) for name in calls}
    for round_ in range(repeats + 1):
        for name, call in calls.items():
            processor, wall = time.process_time(), time.perf_counter()
            call()
            now = time.process_time() - processor, time.perf_counter() - wall
            if round_:  # the first is to warm up
                least[name] = (min(least[name][0], now[0]), min(least[name][1], now[1]))
    return {name: (1e3 * p / per, 1e3 * w / per) for name, (p, w) in least.items()}


def openvino_call(network: FaceMultitask, chips: np.ndarray, threads: int) -> Call | None:
    """Give the network with its maps by OpenVINO; None where it is not installed."""
    try:
        import openvino
    except ImportError:
        return None
    config = network.config
    fused = FusedMaps(network.state_dict(), config.n_au, config.gaze_eye_roi, torch.float32)
    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(maps_graph(fused, config.image_size)),
        "CPU",
        {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1},
    )

    def maps_of(x: torch.Tensor):
        found = compiled(x.contiguous().numpy())
        return named_maps([torch.from_numpy(found[i].copy()) for i in range(len(found))])

    def call() -> object:
        with torch_threads(1):
            return network.predict_with(maps_of, chips)

    return call


def network_times(threads: int, repeats: int) -> None:
    networks = {
        "v2.5": FaceMultitask(ModelConfig.v25()).eval(),
        "open": load_checkpoint(resolve_weights("open").path),
    }
    for name, network in networks.items():
        start = time.process_time()
        engines = {kind: make_engine(network, kind, threads=threads) for kind in ("torch", "onnx")}
        engines["onnx"].predict(np.zeros((1, 3, 256, 256), np.float32))
        print(f"{name}: engine made and run once in {time.process_time() - start:.2f} s")
        for n in (1, 16):
            chips = np.random.default_rng(0).random((n, 3, 256, 256), np.float32)
            calls: dict[str, Call] = {
                kind: functools.partial(engine.predict, chips) for kind, engine in engines.items()
            }
            openvino = openvino_call(network, chips, threads)
            if openvino is not None:
                calls["openvino"] = openvino
            rows = least_ms(calls, repeats if n == 1 else max(repeats // 3, 2), n)
            show(f"{name}, batch {n}", threads, rows)


def retinaface_times(threads: int, repeats: int) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    for max_side in (None, 480, 320):
        calls: dict[str, Call] = {}
        for kind in ("torch", "onnx"):
            detector = RetinaFace(max_side=max_side, threshold=1.0, engine=kind, threads=threads)
            calls[kind] = functools.partial(detector.eval().detect, [frame])
        rows = least_ms(calls, max(repeats // 2, 2), 1)
        show(f"RetinaFace 640 × 360, max_side {max_side}", threads, rows)


def show(what: str, threads: int, rows: Mapping[str, tuple[float, float]]) -> None:
    for engine, (processor, wall) in rows.items():
        print(f"| {what} | {threads} | {engine} | {processor:.1f} | {wall:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--only", choices=["network", "retinaface"])
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what the weights say about themselves
    print("| what | threads | engine | processor, ms | wall, ms |\n|---|---|---|---|---|")
    for threads in options.threads:
        if options.only != "retinaface":
            network_times(threads, options.repeats)
        if options.only != "network":
            retinaface_times(threads, options.repeats)


if __name__ == "__main__":
    main()
