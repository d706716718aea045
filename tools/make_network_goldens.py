"""Golden outputs of the network from the published implementation, for the tests.

Runs in an environment that has py-feat (2.1.5 made the stored arrays) besides this package's
``detect`` extra::

    pip install py-feat==2.1.5
    python tools/make_network_goldens.py write            # tests/data/network/configurations.npz
    python tools/make_network_goldens.py compare -n 100   # random configurations, both networks

``write`` runs py-feat's network for every configuration of ``configurations.json``; ``compare``
draws configurations, fills py-feat's network and ours with the same generated weights and prints
the largest difference of each output. Both exit with 1 when names, shapes or values disagree.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data" / "network"
CHIPS = 2
VERTICES = slice(0, 478, 53)  # of the mesh: enough to notice, small to store
BASE = {
    "backbone": "convnextv2_atto",
    "image_size": 64,
    "n_au": 20,
    "n_emotion": 7,
    "n_blendshape": 52,
    "mesh_normalized": True,
    "afg_channels": 32,
    "mefl_channels": 32,
    "unified_lmk_dim": 24,
    "use_head_v3": True,
    "drop_mefl": True,
    "emotion_use_au_prob": True,
    "pretrained": False,
}
TOLERANCE = {"mesh": 1e-3}


def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated", DATA / "generated.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(DATA / "generated.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reference_outputs(
    changes: dict[str, Any], n: int = CHIPS
) -> tuple[dict[str, tuple[int, ...]], dict[str, np.ndarray]]:
    """State dict shapes and outputs of py-feat's network, whole chips resized."""
    from feat.multitask.model_v2 import MEGraphAUv2, ModelV2Config
    from torchvision.transforms.v2 import functional as transforms

    config = BASE | changes
    network = MEGraphAUv2(ModelV2Config(**config)).eval()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    weights = generated().fill(shapes)
    network.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    chips = torch.from_numpy(generated().chips(n))
    side = config["image_size"]
    x = transforms.normalize(
        transforms.resize(chips, [side, side], antialias=True),
        [0.485, 0.456, 0.406],
        [0.229, 0.224, 0.225],
    )
    with torch.inference_mode():
        out = network(x)
    arrays = {
        "au": out["p_au"],
        "emotion": out["emotion_logits"].softmax(-1),
        "valence": out["va"][:, 0],
        "arousal": out["va"][:, 1],
        "gaze": out["gaze"],
        "pose": out["pose"],
        "mesh": out["mesh"],
        "blendshapes": out["blendshapes"],
    }
    return shapes, {name: value.numpy() for name, value in arrays.items() if value is not None}


def write() -> int:
    stored = {}
    for name, changes in json.loads((DATA / "configurations.json").read_text()).items():
        _, arrays = reference_outputs(changes)
        arrays["mesh"] = arrays["mesh"][:, VERTICES]
        stored |= {f"{name}/{field}": value for field, value in arrays.items()}
        print(f"{name}: {', '.join(arrays)}")
    np.savez_compressed(DATA / "configurations.npz", **stored)
    return 0


def drawn(rng: np.random.Generator) -> dict[str, Any]:
    """One random configuration; every option has a fair chance to be on."""

    def flag() -> bool:
        return bool(rng.integers(2))

    def choice(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    width = choice(8, 33, 64, 320, 512)
    bins = choice(0, 0, 1, 4, 90)
    low = float(rng.uniform(-180, 0))
    return {
        "backbone": "convnextv2_" + choice("atto", "atto", "femto", "pico", "nano"),
        "image_size": choice(32, 64, 96, 192, 224, 288),
        "n_au": choice(20, 24),
        "n_emotion": choice(7, 8),
        "n_blendshape": choice(0, 52),
        "mesh_normalized": flag(),
        "bs_use_mesh": flag(),
        "knn_k": int(rng.integers(0, 20)),
        "afg_channels": width,
        "mefl_channels": width,
        "unified_lmk_dim": int(rng.integers(1, 400)),
        "emotion_use_au_prob": flag(),
        "gaze_eye_roi": flag(),
        "gaze_eye_dim": int(rng.integers(1, 300)),
        "gaze_eye_roi_size": int(rng.integers(1, 9)),
        "gaze_eye_box_frac": float(rng.uniform(0.02, 0.5)),
        "gaze_pose_6d": flag(),
        "gaze_head_frame": flag() and not bins,
        "gaze_hidden": choice(0, 0, 1, 64),
        "gaze_bins": bins,
        "gaze_bin_lo_deg": low,
        "gaze_bin_hi_deg": low + float(rng.uniform(1, 180)),
    }


def difference(changes: dict[str, Any]) -> dict[str, float]:
    """Largest absolute difference of each output between py-feat's network and ours."""
    from facemt_analysis.network import FaceMultitask, ModelConfig

    shapes, wanted = reference_outputs(changes)
    network = FaceMultitask(ModelConfig.from_dict(BASE | changes)).eval()
    ours = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if ours != shapes:
        raise ValueError(f"state dicts differ in {sorted(set(ours.items()) ^ set(shapes.items()))}")
    weights = generated().fill(shapes)
    network.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    got = network.predict(generated().chips(CHIPS), preprocess="resize")
    if (got.blendshapes is None) != ("blendshapes" not in wanted):
        raise ValueError("one network gives blendshapes, the other does not")
    return {name: float(np.abs(getattr(got, name) - want).max()) for name, want in wanted.items()}


def compare(n: int, seed: int) -> int:
    rng = np.random.default_rng(seed)
    worst: dict[str, float] = {}
    failed = 0
    for number in range(n):
        changes = drawn(rng)
        for name, value in difference(changes).items():
            worst[name] = max(worst.get(name, 0.0), value)
            if not value < TOLERANCE.get(name, 1e-4):
                failed += 1
                print(f"{number}: {name} differs by {value:.2g} with {changes}")
    print(f"{n} configurations, largest difference: " + json.dumps(worst))
    return int(failed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["write", "compare"])
    parser.add_argument("-n", type=int, default=50, help="configurations to compare")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    return write() if options.task == "write" else compare(options.n, options.seed)


if __name__ == "__main__":
    sys.exit(main())
