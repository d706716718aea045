"""Blendshapes as the teacher reads them off a mesh, for the meshes of ``clean_labels.py``.

MediaPipe's FaceLandmarker computes its blendshapes from 146 points of its mesh, with a model of its
own inside ``face_landmarker.task``. Runs in the environment of ``label_with_mediapipe.py``, with
``pip install ai-edge-litert`` beside::

    python tools/blendshapes_of_meshes.py --model face_landmarker.task CACHE/train

Writes ``target_blendshapes.npy`` (n, 52) into each shard that has ``target_mesh.npy``, and says how
far the same model is from the stored blendshapes on the stored meshes of the teacher.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

# `kLandmarksSubsetIdxs` of MediaPipe 1.0's face_blendshapes_graph.cc (Apache-2.0)
READ = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65,
    66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136,
    144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172,
    173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283,
    284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324,
    332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385,
    386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472,
    473, 474, 475, 476, 477,
)  # fmt: skip


class Blendshapes:
    """The blendshape model of a ``.task`` file."""

    def __init__(self, task: Path) -> None:
        with zipfile.ZipFile(task) as archive:
            content = archive.read("face_blendshapes.tflite")
        self._model = Interpreter(model_content=content, num_threads=1)
        self._model.allocate_tensors()
        self._into = self._model.get_input_details()[0]["index"]
        self._out = self._model.get_output_details()[0]["index"]

    def __call__(self, mesh: np.ndarray) -> np.ndarray:
        """Read blendshapes (n, 52) off meshes (n, 478, 3) px, pixel centres at integers."""
        points = (mesh[:, READ, :2] + 0.5).astype(np.float32)
        found = np.empty((len(mesh), 52), np.float32)
        for i, face in enumerate(points):
            self._model.set_tensor(self._into, face[None])
            self._model.invoke()
            found[i] = self._model.get_tensor(self._out)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("split", type=Path, help="folder of shards")
    parser.add_argument("--model", type=Path, required=True)
    args = parser.parse_args()
    read = Blendshapes(args.model)
    for path in sorted(args.split.glob("*/target_mesh.npy")):
        shard = path.parent
        np.save(shard / "target_blendshapes.npy", read(np.load(path)))
        if not (shard / "usable.npy").exists():
            continue
        fine = np.flatnonzero(np.load(shard / "usable.npy"))[:50]
        again = read(np.load(shard / "teacher_mesh.npy")[fine])
        off = np.abs(again - np.load(shard / "blendshapes.npy")[fine]).max(initial=0)
        print(f"{shard}: at most {off:.1e} from the stored ones on the teacher's own meshes")


if __name__ == "__main__":
    main()
