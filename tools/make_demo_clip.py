"""Render the bundled demo clip: nobody's face, a scripted performance, and its truth per frame.

::

    python tools/make_demo_clip.py --assets CACHE/assets.npz -o facemt_analysis/demo/data

``CACHE/assets.npz`` comes from ``tools/render_training_faces.py``. The face is the mean over many
of the portraits held out from training: a face that is nobody's, and that no shard of the training
split was drawn from. The same seed and assets give the same frames.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from render_training_faces import held_out, load_assets

from facemt_analysis import __version__, schema
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.simulate import (
    AUS,
    FaceAsset,
    Framing,
    Light,
    Rendered,
    affect_of,
    blend_assets,
    emotion_of,
    render,
    rotation_of,
    skin_lightness,
)
from facemt_analysis.simulate.atlas import ATLAS_SIZE, atlas
from facemt_analysis.simulate.mesh import OVAL
from facemt_analysis.simulate.renderer import _NECK, posed_mesh

RATE, SECONDS = 25, 8.0
WIDTH, HEIGHT = 480, 360
UNIT = 108.0  # px per distance of the outer eye corners
DISTANCE = 9.0
NAME = "demo.mp4"

# start, apex from, apex to, end (s); what moves and how far (AU intensities; degrees)
PERFORMANCE: tuple[tuple[tuple[float, float, float, float], dict[str, float]], ...] = (
    ((0.05, 0.20, 0.28, 0.42), {"gaze_yaw": 22}),
    ((0.32, 0.52, 0.62, 0.78), {"gaze_yaw": -22}),
    ((0.75, 1.05, 1.40, 1.75), {"AU06": 0.75, "AU12": 0.9, "AU25": 0.6, "roll": 4}),
    ((1.72, 1.98, 2.32, 2.62),
     {"AU01": 0.85, "AU02": 0.85, "AU05": 0.75, "AU25": 0.7, "AU26": 0.7, "pitch": 4}),
    ((2.62, 2.92, 3.22, 3.50), {"AU04": 0.95, "AU07": 0.7, "AU23": 0.7, "AU24": 0.5, "pitch": -3}),
    ((3.46, 3.80, 4.15, 4.45),
     {"AU01": 0.8, "AU04": 0.5, "AU15": 0.9, "AU17": 0.6, "pitch": -6, "gaze_pitch": -10}),
    ((4.42, 4.68, 4.98, 5.25), {"AU09": 0.85, "AU10": 0.75, "AU15": 0.25, "yaw": -6}),
    ((5.20, 5.50, 5.62, 5.95), {"yaw": 20}),
    ((5.80, 6.15, 6.25, 6.55), {"yaw": -20}),
    ((6.50, 6.75, 6.82, 7.08), {"pitch": 12}),
    ((6.95, 7.22, 7.28, 7.52), {"pitch": -12}),
    ((7.42, 7.58, 7.66, 7.80), {"gaze_pitch": 14}),
    ((5.30, 5.60, 5.80, 6.20), {"roll": -3}),
)  # fmt: skip
BLINKS = (0.44, 1.72, 3.48, 5.24, 6.55, 7.84)
MOVES = ("pitch", "yaw", "roll", "gaze_pitch", "gaze_yaw")


def course(time: np.ndarray, start: float, top: float, leave: float, end: float) -> np.ndarray:
    """Rise from 0 to 1, stay, fall to 0: smooth onset, apex and offset."""
    up = np.clip((time - start) / (top - start), 0, 1)
    down = np.clip((end - time) / (end - leave), 0, 1)
    part = np.minimum(up, down)
    return part**3 * (10 - 15 * part + 6 * part**2)


def wander(rng: np.random.Generator, n: int, seconds: float) -> np.ndarray:
    """Smooth random course of unit variance."""
    from scipy.ndimage import gaussian_filter1d

    values = gaussian_filter1d(rng.standard_normal(n), seconds * RATE, mode="wrap")
    return (values - values.mean()) / values.std()


def script(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Everything the face does: AU intensities, angles in degrees, place in px, per frame."""
    n = round(RATE * SECONDS)
    time = np.arange(n) / RATE
    out = {name: np.zeros(n) for name in (*AUS, *MOVES)}
    for moment, targets in PERFORMANCE:
        shape = course(time, *moment)
        for name, size in targets.items():
            out[name] = out[name] + size * shape
    for middle in BLINKS:
        blink = course(time, middle - 0.14, middle - 0.03, middle + 0.03, middle + 0.18)
        out["AU43"] = np.maximum(out["AU43"], blink)
    out["AU05"] = out["AU05"] * (1 - out["AU43"])
    for name, degrees in (("pitch", 0.7), ("yaw", 0.9), ("roll", 0.6),
                          ("gaze_pitch", 0.4), ("gaze_yaw", 0.5)):  # fmt: skip
        out[name] = out[name] + degrees * wander(rng, n, 0.4)
    out["x"], out["y"] = 8 * wander(rng, n, 0.8), 4 * wander(rng, n, 0.8)
    return out


def composite(assets: list[FaceAsset], count: int) -> FaceAsset:
    """Mean over the calmest portraits, with hair, neck and a shirt painted around the face."""
    calm = sorted(assets, key=lambda a: a.teeth_seen + float(np.abs(a.aus).sum()))[:count]
    levels = np.array([skin_lightness(a) for a in calm])
    print(f"{len(calm)} portraits, skin L* {levels.min():.0f} to {levels.max():.0f}")
    return dress(blend_assets(calm, [1.0] * len(calm), surround=None))


def soft_polygon(points: np.ndarray, blur: float) -> np.ndarray:
    mask = np.zeros((ATLAS_SIZE, ATLAS_SIZE), np.float32)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), blur)[..., None]


def dress(face: FaceAsset) -> FaceAsset:
    """Give a mean face back the contrast that a mean takes away, and a clean outline.

    Hair and clothes of many people average to a haze, so they are painted: cropped hair, a neck
    and a plain shirt.
    """
    texture = face.texture.astype(np.float32)
    for sigma, gain in ((1.2, 0.7), (4.0, 0.3)):
        texture = texture + gain * (texture - cv2.GaussianBlur(texture, (0, 0), sigma))
    uv = atlas().uv
    y, x = np.mgrid[:ATLAS_SIZE, :ATLAS_SIZE].astype(np.float32)
    chin, middle = uv[152], float(uv[168, 0])
    half = float(uv[454, 0] - uv[234, 0]) / 2  # of the face's width
    outline = np.clip((face.mask.astype(np.float32) - 160) * 5 + 127, 0, 255)[..., None] / 255
    # below the ears the head ends at the jaw: beyond it the mean shows collars
    loop = uv[list(OVAL)]
    inside = np.zeros((ATLAS_SIZE, ATLAS_SIZE), np.uint8)
    cv2.fillPoly(inside, [np.round(loop).astype(np.int32)], 1)
    beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    beyond -= cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    jaw = np.clip((3 - beyond) / 3, 0, 1)
    low = np.clip((y - float(uv[132, 1]) + 12) / 12, 0, 1)
    outline = outline * (1 - low * (1 - jaw))[..., None]

    # neck, in the colour of the cheeks, darker to the sides and under the chin
    spots = np.round(uv[[50, 280, 101, 330, 205, 425]]).astype(int)
    skin = np.median(texture[spots[:, 1], spots[:, 0]], axis=0)
    side = np.clip(np.abs(x - middle) / (0.78 * half), 0, 1)
    shade = (0.86 - 0.34 * side**2) * (0.72 + 0.28 * np.clip((y - chin[1]) / 34, 0, 1))
    neck = soft_polygon(np.array([
        (middle - 0.74 * half, chin[1] - 60), (middle + 0.74 * half, chin[1] - 60),
        (middle + 0.76 * half, chin[1] + 40), (middle + 1.1 * half, chin[1] + 90),
        (middle - 1.1 * half, chin[1] + 90), (middle - 0.76 * half, chin[1] + 40),
    ]), 1.6)  # fmt: skip
    behind = neck * (1 - outline)
    texture = texture * (1 - behind) + skin * shade[..., None] * behind
    # shirt with a round neck
    t = np.linspace(0, np.pi, 40)
    opening = np.stack([middle + 0.86 * half * np.cos(t), chin[1] + 26 + 22 * np.sin(t)], 1)
    slope = np.array(
        [
            (middle - 1.5 * half, chin[1] + 36),
            (middle - 2.1 * half, chin[1] + 52),
            (-40, chin[1] + 90),
            (-40, 460),
            (424, 460),
            (424, chin[1] + 90),
            (middle + 2.1 * half, chin[1] + 52),
            (middle + 1.5 * half, chin[1] + 36),
        ]
    )
    shirt = soft_polygon(np.concatenate([opening, slope]), 1.0)  # fmt: skip
    fall = 1.1 - 0.25 * np.clip(np.abs(x - middle) / (2.4 * half), 0, 1) ** 2
    seam = 1 - 0.25 * np.exp(-((np.hypot((x - middle) / (0.86 * half), (y - chin[1] - 26) / 22)
                                - 1.17) / 0.035) ** 2)  # fmt: skip
    cloth = np.array([62.0, 78.0, 96.0]) * (fall * seam)[..., None]
    texture = texture * (1 - shirt) + cloth * shirt
    mask = np.clip(outline + behind + shirt, 0, 1)[..., 0]

    # cropped hair: from the hairline outwards, finer towards it
    ear = float(uv[127, 1])
    rng = np.random.default_rng(7)
    strands = cv2.GaussianBlur(rng.normal(0, 1, (ATLAS_SIZE, ATLAS_SIZE)).astype(np.float32),
                               (0, 0), sigmaX=0.7, sigmaY=1.8)  # fmt: skip
    strands /= strands.std()
    amount = np.clip((beyond + 3 + 2.5 * strands) / 11, 0, 1) * np.clip((ear + 14 - y) / 26, 0, 1)
    amount = cv2.GaussianBlur(amount, (0, 0), 0.8)[..., None] * 0.92
    hair = np.array([74.0, 60.0, 50.0]) * (1 + 0.16 * strands[..., None])
    texture = texture * (1 - amount) + hair * amount
    return replace(
        face,
        texture=np.clip(texture, 0, 255).astype(np.uint8),
        mask=(255 * mask).astype(np.uint8),
    )


def draw(asset: FaceAsset, doing: dict[str, float], background: np.ndarray) -> Rendered:
    """Draw one frame; the neck stays where the script says, whatever the face does."""
    aus = np.clip([doing[name] for name in AUS], 0, 1)
    pose = np.radians([doing["pitch"], doing["yaw"], doing["roll"]])
    gaze = np.radians([doing["gaze_pitch"], doing["gaze_yaw"]])
    # `render` frames by the box of the mesh, which grows when the jaw drops: undo that.
    head = posed_mesh(asset.neutral, aus, aus, gaze)
    camera = (head - _NECK) @ rotation_of(pose).T + _NECK
    flat = camera[:, :2] * (DISTANCE / (DISTANCE - (camera[:, 2:] - 0.3)))
    low, high = flat.min(0), flat.max(0)
    size = len(background)
    middle = (low + high) / 2 * (1, -1) * UNIT
    target = np.array([size / 2 - 0.5 + doing["x"], size / 2 + 4 + doing["y"]])
    shift = (target - (size / 2 - 0.5) + middle) / size
    framing = Framing(size / (UNIT * float(high[1] - low[1])), float(shift[1]), float(-shift[0]))
    return render(
        asset, aus=aus, pose=pose, gaze=gaze, size=size, framing=framing, distance=DISTANCE,
        background=background, light=Light((0.25, 0.35, 1.0), 0.16), body_follow=0.0,
        furrows=0.6, vergence=np.radians(1.5),
    )  # fmt: skip


def backdrop(size: int) -> np.ndarray:
    """Plain grey wall, a little lighter in the middle."""
    y, x = np.mgrid[:size, :size] / (size - 1) - 0.5
    fall = 1.05 - 0.45 * (x**2 + y**2)
    return np.clip(np.array([158.0, 164.0, 170.0]) * fall[..., None], 0, 255).astype(np.uint8)


def truth_table(faces: list[Rendered], top: int) -> Fex:
    """Tabulate what is true of every frame."""
    n = len(faces)
    points = np.array([f.mesh[list(schema.DLIB68_FROM_MESH), :2] for f in faces]) - (0, top)
    aus = np.array([f.aus for f in faces])
    pose, gaze = np.array([f.pose for f in faces]), np.array([f.gaze for f in faces])
    columns: dict[str, np.ndarray] = {}
    for axis, name in enumerate("xy"):
        columns |= {f"{name}_{i}": points[:, i, axis] for i in range(schema.N_LANDMARKS)}
    columns |= {"Pitch": pose[:, 0], "Roll": pose[:, 2], "Yaw": pose[:, 1]}
    columns |= {name: aus[:, i] for i, name in enumerate(AUS)}
    columns |= dict(zip(schema.EMOTIONS, emotion_of(aus).T, strict=True))
    columns |= dict(zip(("valence", "arousal"), affect_of(aus).T, strict=True))
    columns |= {"gaze_pitch": gaze[:, 0], "gaze_yaw": gaze[:, 1],
                "gaze_angle": np.arccos(np.cos(gaze[:, 0]) * np.cos(gaze[:, 1]))}  # fmt: skip
    keys = pd.DataFrame({
        "input": NAME, "frame": np.arange(n), "time": np.arange(n) / RATE,
        "track": np.zeros(n, np.int64),
    })  # fmt: skip
    features = pd.DataFrame({name: np.float32(values) for name, values in columns.items()})
    table = pd.concat([keys, features], axis=1)
    info = FexInfo(
        tool=f"facemt_analysis simulate {__version__}",
        options={"licence": "CC0-1.0", "rate": RATE, "pose": "rotation vector"},
        versions={"facemt-analysis": __version__},
    )
    return Fex(table[schema.canonical_order(table.columns)], info=info)


def write_clip(path: Path, frames: list[np.ndarray], crf: int) -> None:
    options = {"movflags": "faststart", "fflags": "bitexact"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryslow", "threads": "1"}
        stream.time_base = Fraction(1, RATE)
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, required=True, help="assets.npz of the renderer")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=48, help="portraits in the composite")
    parser.add_argument("--crf", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    face = composite([a for a in load_assets(args.assets) if held_out(a.name)], args.count)
    doing = script(rng)
    background = backdrop(WIDTH)
    top = (WIDTH - HEIGHT) // 2
    faces, frames = [], []
    for i in range(len(doing["pitch"])):
        drawn = draw(face, {name: float(values[i]) for name, values in doing.items()}, background)
        grain = rng.normal(0, 1.5, drawn.image.shape)
        picture = np.clip(drawn.image + grain + 0.5, 0, 255).astype(np.uint8)
        faces.append(drawn)
        frames.append(np.ascontiguousarray(picture[top : top + HEIGHT]))
    write_clip(args.out / NAME, frames, args.crf)
    truth_table(faces, top).to_parquet(args.out / "demo_truth.parquet", compression_level=19)
    for file in sorted(args.out.iterdir()):
        print(f"{file}: {file.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
