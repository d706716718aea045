"""Bring together what was drawn and what the teacher sees: action units and gaze to train on.

::

    python tools/merge_labels.py CACHE/train

What was drawn is not all that a picture shows: traces of the portrait's own expression remain, and
hands or shadows hide part. The teacher's blendshapes see those, but only some action units. A
ridge map from blendshapes to drawn action units, fitted on the renders, says what the teacher
sees of each; stretched to the spread of the drawn ones it is averaged with them where it
correlates with them by `WORTH` or more. Gaze is as drawn, but for shut eyes, which have the
teacher's (lowered) one. Photographs get action units from the teacher, and affect from those; no
gaze: nearly all look at the camera, from which a network learns to negate the turn of the head.

Writes ``target_au.npy`` and ``target_gaze.npy`` (photographs: ``target_emotion.npy`` and
``target_va.npy``) into each labelled shard, and ``label_maps.npz`` beside the shards.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from facemt_analysis import schema
from facemt_analysis.simulate import AUS, affect_of, emotion_of

WORTH = 0.3
SHUT = AUS.index("AU43")
# the teacher's view of the eyes moving up, and to the subject's right
LOOK = (
    {"eyeLookUpLeft": 1, "eyeLookUpRight": 1, "eyeLookDownLeft": -1, "eyeLookDownRight": -1},
    {"eyeLookOutRight": 1, "eyeLookInLeft": 1, "eyeLookOutLeft": -1, "eyeLookInRight": -1},
)


def look(blend: np.ndarray) -> np.ndarray:
    """Give the teacher's gaze (n, 2): up, right, in sums of blendshapes."""
    at = {name: k for k, name in enumerate(schema.BLENDSHAPES)}
    return np.stack(
        [sum(s * blend[:, at[name]] for name, s in signs.items()) for signs in LOOK], axis=1
    )


def design(blend: np.ndarray) -> np.ndarray:
    """Columns of the ridge map: blendshapes, their squares, one."""
    return np.column_stack([blend, blend**2, np.ones(len(blend))])


def seen_by_teacher(shard: Path) -> np.ndarray:
    """Read the blendshapes of a shard, those of ``clean_labels.py`` where there are any."""
    clean = shard / "target_blendshapes.npy"
    return np.load(clean if clean.exists() else shard / "blendshapes.npy").astype(float)


def fit(shards: list[Path]) -> dict[str, np.ndarray]:
    """Fit the maps on rendered shards."""
    blend = np.concatenate([seen_by_teacher(s) for s in shards])
    drawn, gaze = (
        np.concatenate([np.load(s / f"{name}.npy") for s in shards]).astype(float)
        for name in ("au", "gaze")
    )
    keep = np.isfinite(blend).all(1)
    blend, drawn, gaze = blend[keep], drawn[keep], gaze[keep]
    x = design(blend)
    penalty = np.eye(x.shape[1])
    penalty[-1, -1] = 0
    half = np.arange(len(x)) % 2 == 0
    halves = [np.linalg.solve(x[h].T @ x[h] + penalty, x[h].T @ drawn[h]) for h in (half, ~half)]
    unseen = np.where(half[:, None], x @ halves[1], x @ halves[0])
    r = np.array([np.corrcoef(unseen[:, i], drawn[:, i])[0, 1] for i in range(len(AUS))])
    seen, open_eyes = look(blend), drawn[:, SHUT] < 0.3
    print("correlation of the teacher's view with what was drawn:")
    print({a: round(float(v), 2) for a, v in zip(AUS, r, strict=True)}, {
        name: round(float(np.corrcoef(seen[open_eyes, i], gaze[open_eyes, i])[0, 1]), 2)
        for i, name in enumerate(("gaze up", "gaze right"))
    })  # fmt: skip
    return {
        "weights": np.linalg.solve(x.T @ x + penalty, x.T @ drawn),
        "r": r,
        "mean": drawn.mean(0),
        "look_mean": seen[open_eyes].mean(0),
        "look_scale": gaze[open_eyes].std(0) / seen[open_eyes].std(0),
    }


def seen_aus(blend: np.ndarray, maps: dict[str, np.ndarray]) -> np.ndarray:
    """Give the action units (n, 20) as the teacher sees them; NaN where it does not."""
    r = np.where(maps["r"] < WORTH, np.nan, maps["r"])
    stretched = maps["mean"] + (design(blend) @ maps["weights"] - maps["mean"]) / r
    return np.clip(stretched, 0, 1)


def merge(shard: Path, maps: dict[str, np.ndarray]) -> None:
    """Write the targets of one shard."""
    blend = seen_by_teacher(shard)
    aus = seen_aus(blend, maps)
    if (shard / "au.npy").exists():
        drawn = np.load(shard / "au.npy")
        aus = np.where(np.isnan(aus), drawn, (drawn + aus) / 2)
    else:
        known = np.nan_to_num(aus)
        np.save(shard / "target_emotion.npy", emotion_of(known).astype(np.float32))
        np.save(shard / "target_va.npy", affect_of(known).astype(np.float32))
    if (shard / "gaze.npy").exists():
        looks = np.load(shard / "gaze.npy")
        gaze = np.clip((look(blend) - maps["look_mean"]) * maps["look_scale"], -0.7, 0.7)
        shut = np.clip((aus[:, [SHUT]] - 0.4) / 0.3, 0, 1)
        gaze = np.where(shut > 0, shut * gaze + (1 - shut) * looks, looks)
        np.save(shard / "target_gaze.npy", gaze.astype(np.float32))
    np.save(shard / "target_au.npy", aus.astype(np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("split", type=Path, help="folder of labelled shards")
    args = parser.parse_args()
    labelled = sorted(
        {p.parent for n in ("usable", "target_blendshapes") for p in args.split.glob(f"*/{n}.npy")}
    )
    cache = args.split / "label_maps.npz"
    if not cache.exists():
        np.savez(cache, **fit([s for s in labelled if (s / "gaze.npy").exists()]))
    with np.load(cache) as data:
        maps = dict(data)
    for shard in labelled:
        if not (shard / "target_au.npy").exists():
            merge(shard, maps)
            print(shard)


if __name__ == "__main__":
    main()
