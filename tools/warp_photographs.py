"""Change the expression in photographs by bending them: faces to train on beside the renders.

::

    python tools/warp_photographs.py --portraits ../shared/faces -o CACHE --shards 10

The photographs are the only faces that no renderer has touched, and nearly all smile or rest: a
network learns that what looks like a photograph is not angry. Here each is moved by the same
action units as the renders, but only bent, smoothly and in the plane, so that hair, skin and light
stay those of the photograph. What bending cannot do is left out: lids do not close, lips do not
part or meet, and where teeth are seen the mouth stays as it is.

Shards ``CACHE/train/<number>`` like those of ``render_training_faces.py``, from the same people,
without pose and gaze. Then ``clean_labels.py``, ``blendshapes_of_meshes.py``, ``merge_labels.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
from render_training_faces import MARGIN, head_turn, held_out, place, read_portraits
from scipy.interpolate import LinearNDInterpolator

from facemt_analysis import schema
from facemt_analysis.simulate import (
    AUS,
    affect_of,
    au_displacement,
    augment,
    aus_from_blendshapes,
    draw_aus,
    draw_posed,
    emotion_of,
)
from facemt_analysis.simulate.face import neutral_shape
from facemt_analysis.simulate.rotation import FLIP

AT = {name: i for i, name in enumerate(AUS)}
OPENINGS = ("AU25", "AU26", "AU28", "AU43")  # bending opens and closes nothing
UPPER = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09")
PARTED = 0.15  # AU25 from which teeth may be seen
KEPT_PARTED = 0.15  # share of these faces: nearly all smile
REACH = 1.5  # where nothing moves any more, in half heights of the face


def draw(rng: np.random.Generator, own: np.ndarray) -> np.ndarray:
    """Draw AUs (20,) for a face that shows its `own`; a mouth with its teeth seen stays."""
    drawn = draw_posed(rng) if rng.random() < 0.6 else draw_aus(rng)
    parted = own[AT["AU25"]] > PARTED
    kept = own * (1.0 if parted else rng.choice([0.0, rng.uniform(0.2, 1.0)], p=[0.6, 0.4]))
    for name in AUS if parted else ():
        if name not in UPPER:
            drawn[AT[name]] = 0.0
    new = np.maximum(drawn, kept)
    for name in OPENINGS:
        new[AT[name]] = own[AT[name]]
    return new


class Photographed:
    """A face (478, 3) px as its expression leaves it when that is taken out.

    Attributes
    ----------
    own
        The AUs (20,) it shows.
    """

    def __init__(self, pixels: np.ndarray, matrix: np.ndarray, own: np.ndarray) -> None:
        self._turn = head_turn(matrix)
        self._camera = pixels * FLIP
        self._unit = np.linalg.norm(self._camera[33] - self._camera[263])
        self._neutral, self.own = neutral_shape(self._camera @ self._turn / self._unit, own)

    def showing(self, aus: np.ndarray) -> np.ndarray:
        """Give its mesh (478, 3) px with other AUs (20,)."""
        change = au_displacement(aus, shape=self._neutral)
        change -= au_displacement(self.own, shape=self._neutral)
        return (self._camera + change @ self._turn.T * self._unit) * FLIP


def bend(photo: np.ndarray, to_chip: np.ndarray, before: np.ndarray, after: np.ndarray, size: int):
    """Cut out a chip in which the vertices at `before` (n, 2) px of it are at `after`."""
    fine = 2 * to_chip
    fine[:, 2] += 0.5
    flat = cv2.warpAffine(photo, fine, (2 * size, 2 * size), flags=cv2.INTER_AREA,
                          borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    middle, half = (after.min(0) + after.max(0)) / 2, np.ptp(after[:, 1]) / 2
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    far = middle + REACH * half * np.column_stack([np.cos(angles), np.sin(angles)])
    points = np.concatenate([after, far])
    offsets = np.concatenate([before - after, np.zeros_like(far)])
    y, x = np.mgrid[:size, :size].astype(np.float32)
    offset = LinearNDInterpolator(points, offsets, fill_value=0.0)(np.stack([x, y], -1))
    offset = cv2.GaussianBlur(offset.astype(np.float32), (0, 0), 0.7)
    source = 2 * (np.stack([x, y], -1) + offset) + 0.5
    source = cv2.resize(source.astype(np.float32), (2 * size, 2 * size))
    bent = cv2.remap(flat, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return cv2.resize(bent, (size, size), interpolation=cv2.INTER_AREA)


def write_shard(folder: Path, source: Path, seed: list[int], size: int, each: int) -> None:
    """Draw `each` expressions of the training portraits whose mouths are shut, fewer of others."""
    rng = np.random.default_rng(seed)
    files, meshes, blends, matrices = read_portraits(source)
    chosen = [i for i, file in enumerate(files) if not held_out(str(file))]
    rows: dict[str, list] = {
        name: [] for name in ("image", "mesh", "au", "emotion", "va", "identity")
    }
    for i in chosen:
        photo = cv2.imread(str(source / "portraits" / str(files[i])))[..., ::-1]
        face = Photographed(meshes[i], matrices[i], aus_from_blendshapes(blends[i]))
        parted = face.own[AT["AU25"]] > PARTED
        for _ in range(rng.binomial(each, KEPT_PARTED) if parted else each):
            drawn = draw(rng, face.own)
            mesh, aus = face.showing(drawn), np.clip(drawn, 0, 1)
            to_chip, after = place(mesh, size, rng)
            before = meshes[i][:, :2] @ to_chip[:, :2].T + to_chip[:, 2]
            image = bend(photo, to_chip, before, after[:, :2], size)
            rows["image"].append(augment(image, rng, mesh=after))
            for name, value in {
                "mesh": after, "au": aus, "emotion": emotion_of(aus), "va": affect_of(aus),
                "identity": i,
            }.items():  # fmt: skip
                rows[name].append(value)
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in rows.items():
        kind = np.uint8 if name == "image" else np.float32
        np.save(folder / f"{name}.npy", np.asarray(values, kind))
    manifest = {
        "count": len(rows["au"]), "size": size, "seed": seed, "kind": "warped photograph",
        "aus": AUS, "emotions": schema.EMOTIONS, "margin": MARGIN,
        "identities": [str(files[i]) for i in chosen],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=10)
    parser.add_argument("--first", type=int, default=4000, help="number of the first shard")
    parser.add_argument("--each", type=int, default=8, help="expressions of a shut mouth")
    parser.add_argument("--size", type=int, default=144)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for number in range(args.first, args.first + args.shards):
        folder = args.out / "train" / f"{number:04d}"
        if not (folder / "manifest.json").exists():
            write_shard(folder, args.portraits, [args.seed, number], args.size, args.each)
        print(folder, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
