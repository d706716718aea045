"""Time weights per face against the full-size network (random weights) on this machine.

::

    python tools/measure_speed.py --weights open
"""

from __future__ import annotations

import argparse
import time

import torch

from facemt_analysis.network import FaceMultitask, ModelConfig, load_checkpoint, resolve_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="open")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=6)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    networks = {
        "full": FaceMultitask(ModelConfig.v25()).eval(),
        args.weights: load_checkpoint(resolve_weights(args.weights).path).eval(),
    }
    for batch in (16, 1):
        chips = torch.rand(batch, 3, 256, 256)
        best: dict[str, float] = {}
        for turn in range(args.rounds + 1):
            for name, network in networks.items():  # in turns: load of the machine hits both
                began = time.process_time()
                for _ in range(16 // batch):
                    network.predict(chips)
                taken = (time.process_time() - began) / 16
                if turn:  # the first one warms up
                    best[name] = min(best.get(name, taken), taken)
        times = ", ".join(f"{name} {1000 * t:.1f} ms" for name, t in best.items())
        ratio = best["full"] / best[args.weights]
        print(f"batches of {batch}: processor time per face {times}: {ratio:.1f} x")


if __name__ == "__main__":
    main()
