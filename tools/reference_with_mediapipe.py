"""Write MediaPipe FaceLandmarker's answers for videos and images, the open weights' reference.

Runs in an environment of its own (``pip install mediapipe==1.2.2 "opencv-contrib-python<5"``)::

    python tools/reference_with_mediapipe.py --model face_landmarker.task -o reference MEDIA...

A face that the teacher does not find again at the same place in the picture cut around it is left
out: now and then it lays a mesh beside a small face.

For each file one ``<name>.npz``: ``frame`` (n,), ``face`` (n,) order within the frame, ``mesh``
(n, 478, 3) px, ``blend`` (n, 52) in MediaPipe's order, ``mat`` (n, 4, 4) canonical face to camera,
``mat_cut`` the same in the picture cut around the face (where the whole picture tells the turn from
the camera's axis, this tells it from the line of sight, all that a network for faces can know),
``size`` (height, width), ``frames`` (number of frames read), ``dropped`` (number of faces left
out). Every frame is treated as a picture of its own, so that the reference does not depend on
tracking.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

CUT = 256  # px, side of the picture cut around a face to look again
SAME = 0.15  # mean point distance, in outer-eye-corner distances, up to which it is the same face
IMAGES = {".jpg", ".jpeg", ".png"}


def frames_of(path: Path):
    """Yield the RGB frames of a video or the one frame of an image."""
    if path.suffix.lower() in IMAGES:
        yield cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        return
    video = cv2.VideoCapture(str(path))
    while True:
        ok, frame = video.read()
        if not ok:
            break
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    video.release()


def landmarker(model: Path, faces: int) -> vision.FaceLandmarker:
    """Build FaceLandmarker in image mode with all its outputs."""
    return vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)),
            num_faces=faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
    )


def found_again(
    rgb: np.ndarray, mesh: np.ndarray, model: vision.FaceLandmarker
) -> np.ndarray | None:
    """Matrix of this face in the picture cut around it; None if the teacher does not find it."""
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    side = 1.6 * float((high - low).max())
    zoom = CUT / side
    shift = CUT / 2 - zoom * (low + high) / 2
    cut = cv2.warpAffine(rgb, np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]]), (CUT, CUT))
    found = model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=cut))
    meshes = [np.array([[p.x, p.y] for p in points]) * CUT for points in found.face_landmarks]
    there = mesh[:, :2] * zoom + shift
    eyes = np.linalg.norm(there[33] - there[263])
    for again, matrix in zip(meshes, found.facial_transformation_matrixes, strict=True):
        if np.linalg.norm(again - there, axis=1).mean() < SAME * eyes:
            return np.asarray(matrix)
    return None


def reference(path: Path, model: vision.FaceLandmarker) -> dict[str, np.ndarray]:
    """Run the teacher over one file."""
    names = ("frame", "face", "mesh", "blend", "mat", "mat_cut")
    out: dict[str, list] = {name: [] for name in names}
    size, index, dropped = (0, 0), -1, 0
    for index, rgb in enumerate(frames_of(path)):
        height, width = size = rgb.shape[:2]
        found = model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
        for face, points in enumerate(found.face_landmarks):
            scale = np.array([width, height, width])  # z is in units of the image width
            mesh = np.array([[p.x, p.y, p.z] for p in points]) * scale
            again = found_again(rgb, mesh, model)
            if again is None:
                dropped += 1
                continue
            out["frame"].append(index)
            out["face"].append(face)
            out["mesh"].append(mesh)
            out["blend"].append([b.score for b in found.face_blendshapes[face]])
            out["mat"].append(found.facial_transformation_matrixes[face])
            out["mat_cut"].append(again)
    arrays = {k: np.asarray(v, np.int64 if k in ("frame", "face") else np.float32)
              for k, v in out.items()}  # fmt: skip
    return {**arrays, "size": np.array(size), "frames": np.array(index + 1),
            "dropped": np.array(dropped)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("media", nargs="+", type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--faces", type=int, default=5)
    parser.add_argument("-o", "--out", required=True, type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    model = landmarker(args.model, args.faces)
    for path in args.media:
        result = reference(path, model)
        np.savez_compressed(args.out / f"{path.name}.npz", **result)
        print(
            f"{path.name}: {int(result['frames'])} frames, {len(result['frame'])} faces, "
            f"{int(result['dropped'])} left out"
        )


if __name__ == "__main__":
    main()
