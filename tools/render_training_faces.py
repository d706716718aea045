"""Draw training faces with known truth from portraits, in shards of plain .npy files.

::

    python tools/render_training_faces.py --portraits ../shared/faces -o CACHE --shards 20

``CACHE/assets.npz`` holds the portraits in the common texture layout (made once). Every shard is a
folder ``CACHE/<split>/<number>/`` with ``image.npy`` (n, S, S, 3) uint8 and float32 targets; it is
complete when ``manifest.json`` is in it, so a broken run is resumed by running it again. The same
seed, shard number and assets give the same bytes. Fifteen per cent of the portraits are held out:
they appear in no shard of the split ``train``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from facemt_analysis import schema
from facemt_analysis.simulate import (
    AUS,
    CHIP_FRAMING,
    FaceAsset,
    asset_from_photo,
    augment,
    aus_from_blendshapes,
    even_lightness,
    person_mask,
    sample_face,
)

FIELDS = ("texture", "mask", "neutral", "sclera", "iris", "teeth", "teeth_seen", "aus", "name")
MARGIN = 1.125  # the canonical chip is the middle 128 of 144 px


def held_out(name: str) -> bool:
    """Tell whether a portrait belongs to the evaluation split: by a hash of its name."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100 < 15


def read_portraits(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """File names, meshes (n, 478, 3) px with pixel centres at integers, blendshapes, matrices."""
    with np.load(folder / "portraits_mediapipe.npz") as data:
        # MediaPipe counts pixels from the edge of the picture.
        mesh = data["mesh"].astype(np.float64) - (0.5, 0.5, 0.0)
        return data["files"], mesh, data["blend"], data["mat"]


def head_turn(matrix: np.ndarray) -> np.ndarray:
    """Rotation (3, 3), head frame to camera, without the scale of the teacher's matrix."""
    return matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))


def build_assets(folder: Path, out: Path) -> None:
    """Bring every portrait into the common layout and write them to one file."""
    rows: dict[str, list] = {field: [] for field in FIELDS}
    for file, mesh, blend, matrix in zip(*read_portraits(folder), strict=True):
        photo = cv2.imread(str(folder / "portraits" / str(file)))[..., ::-1].copy()
        if np.linalg.norm(mesh[33, :2] - mesh[263, :2]) < 30:
            continue  # too small to give a texture
        turn = head_turn(matrix)
        asset = asset_from_photo(
            photo, mesh, aus_from_blendshapes(blend), rotation=turn,
            mask=person_mask(photo, mesh), name=str(file),
        )  # fmt: skip
        for field in FIELDS:
            rows[field].append(getattr(asset, field))
    partial = out.with_suffix(".partial.npz")
    np.savez(partial, **{field: np.asarray(values) for field, values in rows.items()})
    partial.replace(out)


def load_assets(path: Path) -> list[FaceAsset]:
    with np.load(path) as data:
        columns = {field: data[field] for field in FIELDS}
    return [
        FaceAsset(
            **{
                field: (
                    tuple(map(float, columns[field][i])) if field == "teeth"
                    else float(columns[field][i]) if field == "teeth_seen"
                    else str(columns[field][i]) if field == "name"
                    else columns[field][i]
                )
                for field in FIELDS
            }
        )
        for i in range(len(columns["name"]))
    ]  # fmt: skip


def write_shard(job: tuple[Path, list[FaceAsset], int, int, int, int, str]) -> Path:
    """Draw one shard; does nothing if it is there already."""
    folder, assets, number, count, size, seed, kind = job
    if (folder / "manifest.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, number])
    chances = even_lightness(assets)
    started = time.monotonic()
    images = np.empty((count, size, size, 3), np.uint8)
    rows: dict[str, list] = {}
    for i in range(count):
        drawn = sample_face(
            rng, assets, size=size, margin=MARGIN, chances=chances,
            clear_eyes=kind == "clear eyes", posed=kind == "posed",
            photometric=1.0 if kind == "any" else 0.5,
        )  # fmt: skip
        face = drawn.rendered
        images[i] = face.image
        for name, value in {
            "mesh": face.mesh, "pose": face.pose, "rotation": face.rotation, "gaze": face.gaze,
            "au": face.aus, "au_left": face.aus_left, "au_right": face.aus_right,
            "emotion": drawn.emotion, "va": drawn.affect, "identity": drawn.identity,
        }.items():  # fmt: skip
            rows.setdefault(name, []).append(value)
    np.save(folder / "image.npy", images)
    for name, values in rows.items():
        np.save(folder / f"{name}.npy", np.asarray(values, np.float32))
    manifest = {
        "count": count, "size": size, "seed": seed, "shard": number, "kind": "rendered",
        "aus": AUS, "emotions": schema.EMOTIONS, "margin": MARGIN, "faces": kind,
        "identities": [asset.name for asset in assets],
        "framing": {"scale": CHIP_FRAMING.scale, "up": CHIP_FRAMING.up},
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    partial = folder / "manifest.partial"
    partial.write_text(json.dumps(manifest, indent=1))
    partial.replace(folder / "manifest.json")
    return folder


def place(
    mesh: np.ndarray, size: int, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Frame a photographed face like the renders, tilted and squeezed by chance if `rng` is given.

    Gives the map (2, 3) from the photograph to the chip, and the mesh in the chip.
    """
    turn = np.radians(rng.normal(0, 12)) if rng else 0.0
    squeeze = np.exp(rng.normal(0, 0.04, 2)) if rng else np.ones(2)
    cos, sin = np.cos(turn), np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]]) * squeeze
    flat = mesh[:, :2] @ linear.T
    low, high = flat.min(0), flat.max(0)
    side = CHIP_FRAMING.scale * MARGIN * (high[1] - low[1])
    centre = (low + high) / 2 - (0, CHIP_FRAMING.up * side / MARGIN)
    scale = size / side
    shift = (size - 1) / 2 - scale * centre
    shown = np.concatenate([flat * scale + shift, mesh[:, 2:] * scale], axis=1)
    return np.column_stack([scale * linear, shift]), shown


def write_photographs(folder: Path, source: Path, names: list[str], size: int, each: int) -> None:
    """Write the portraits' own chips, framed like the renders; truth is the teacher's alone.

    Each appears `each` times: once as it is, then tilted, squeezed, and photographed badly.
    """
    if (folder / "manifest.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(names))
    files, all_meshes, _, _ = read_portraits(source)
    keep = [i for i, file in enumerate(files) if str(file) in set(names)]
    images, meshes = [], []
    for i in keep:
        photo = cv2.imread(str(source / "portraits" / str(files[i])))[..., ::-1]
        mesh = all_meshes[i]
        for variant in range(each):
            matrix, shown = place(mesh, size, rng if variant else None)
            image = cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_AREA,
                                   borderMode=cv2.BORDER_REFLECT)  # fmt: skip
            images.append(augment(image, rng, mesh=shown) if variant else image)
            meshes.append(shown)
    np.save(folder / "image.npy", np.asarray(images))
    np.save(folder / "mesh.npy", np.asarray(meshes, np.float32))
    identity = np.repeat([names.index(str(files[i])) for i in keep], each)
    np.save(folder / "identity.npy", identity.astype(np.float32))
    manifest = {"count": len(images), "size": size, "kind": "photograph", "aus": AUS,
                "margin": MARGIN, "identities": names}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--portraits",
        type=Path,
        required=True,
        help="folder with portraits/ and portraits_mediapipe.npz",
    )
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "held_out"), default="train")
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--count", type=int, default=1000, help="pictures per shard")
    parser.add_argument("--size", type=int, default=144)
    parser.add_argument("--seed", type=int, default=1)
    kinds = parser.add_mutually_exclusive_group()  # give each other numbers (--first)
    kinds.add_argument("--clear-eyes", action="store_true", help="faces to learn gaze from")
    kinds.add_argument("--posed", action="store_true", help="posed emotions, and faces at rest")
    parser.add_argument("--variants", type=int, default=4, help="of each portrait's photograph")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)  # workers that are forked while OpenCV has threads of its own hang
    args.out.mkdir(parents=True, exist_ok=True)
    cache = args.out / "assets.npz"
    if not cache.exists():
        print("bringing the portraits into the common layout", file=sys.stderr)
        build_assets(args.portraits, cache)
    assets = [a for a in load_assets(cache) if held_out(a.name) == (args.split == "held_out")]
    names = [asset.name for asset in assets]
    write_photographs(
        args.out / args.split / "photographs", args.portraits, names, args.size, args.variants
    )
    numbers = range(args.first, args.first + args.shards)
    offset = 0 if args.split == "train" else 1_000_000  # never the same stream for both splits
    kind = "clear eyes" if args.clear_eyes else "posed" if args.posed else "any"
    jobs = [
        (
            args.out / args.split / f"{n:04d}",
            assets,
            n + offset,
            args.count,
            args.size,
            args.seed,
            kind,
        )
        for n in numbers
    ]
    if args.workers > 1:
        with get_context("fork").Pool(args.workers) as pool:
            for folder in pool.imap(write_shard, jobs):
                print(folder, file=sys.stderr)
    else:
        for job in jobs:
            print(write_shard(job), file=sys.stderr)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
