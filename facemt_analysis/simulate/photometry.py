"""What cameras and surroundings do to a picture of a face: colour, blur, noise, JPEG, occlusion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis.simulate.hands import draw_hand
from facemt_analysis.simulate.mesh import FloatArray

__all__ = ["augment", "draw_background", "occlude"]

Image = npt.NDArray[np.uint8]


def draw_background(
    rng: np.random.Generator, size: int, pictures: list[Image] | tuple[Image, ...] = ()
) -> Image:
    """Draw a background (size, size, 3): plain, gradient, cloudy, or a blurred picture.

    Parameters
    ----------
    rng
        Source of randomness.
    size
        Side in px.
    pictures
        uint8 RGB pictures of which parts may be used, strongly blurred.
    """
    import cv2

    kind = rng.random()
    level = rng.uniform(15, 235)
    base = np.clip(level + rng.normal(0, 1, 3) * rng.choice([6, 18, 50], p=[0.4, 0.4, 0.2]), 0, 255)
    if kind < 0.25 and len(pictures):
        source = pictures[int(rng.integers(len(pictures)))]
        side = int(rng.integers(min(source.shape[:2]) // 3, min(source.shape[:2])))
        y = int(rng.integers(source.shape[0] - side + 1))
        x = int(rng.integers(source.shape[1] - side + 1))
        out = cv2.resize(source[y : y + side, x : x + side], (size, size))[:, ::-1]
        return np.ascontiguousarray(cv2.GaussianBlur(out, (0, 0), size * rng.uniform(0.01, 0.08)))
    canvas = np.empty((size, size, 3), np.float32)
    canvas[:] = base
    if kind < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        axis = np.linspace(-0.5, 0.5, size, dtype=np.float32)
        ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
        canvas += ramp[..., None] * (rng.uniform(-130, 130) + rng.normal(0, 22, 3)).astype(
            np.float32
        )
    for cells in rng.choice([2, 3, 5, 9, 17, 40], size=int(rng.integers(0, 4)), replace=False):
        coarse = rng.standard_normal((int(cells), int(cells), 3)).astype(np.float32)
        grey = coarse.mean(-1, keepdims=True)
        coarse = grey + rng.beta(1, 4) * (coarse - grey)
        canvas += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC) * rng.uniform(
            4, 45
        )
    if rng.random() < 0.3:  # edges of furniture, windows, other people
        for _ in range(int(rng.integers(1, 5))):
            a, b = rng.integers(-size // 4, size + size // 4, (2, 2))
            colour = np.clip(rng.uniform(0, 255) + rng.normal(0, 25, 3), 0, 255).tolist()
            cv2.rectangle(canvas, tuple(map(int, a)), tuple(map(int, b)), colour, -1)
        canvas = cv2.GaussianBlur(canvas, (0, 0), size * rng.uniform(0.004, 0.03))
    return np.asarray(np.clip(canvas, 0, 255), np.uint8)


def occlude(image: Image, rng: np.random.Generator, mesh: FloatArray) -> Image:
    """Cover part of a face: glasses, a hand, strands of hair, a patch.

    Parameters
    ----------
    image
        (size, size, 3) uint8 RGB.
    rng
        Source of randomness.
    mesh
        (478, ≥2) px, to know where the eyes are.
    """
    import cv2

    out = image.copy()
    points = mesh[:, :2]
    unit = float(np.linalg.norm(points[33] - points[263])) + 1e-6
    kind = rng.choice(4, p=[0.3, 0.4, 0.15, 0.15])
    layer = out.copy()
    opacity = 1.0
    if kind == 0:
        dark = rng.random() < 0.25
        colour = rng.uniform(0, 90, 3) if rng.random() < 0.8 else rng.uniform(90, 220, 3)
        rgb = tuple(float(c) for c in colour)
        thick = max(round(unit * rng.uniform(0.02, 0.06)), 1)
        grow = rng.uniform(0.95, 1.3)
        for a, b, side in ((33, 133, -1), (263, 362, 1)):
            centre = (points[a] + points[b]) / 2 + (0, 0.03 * unit)
            axis = points[263] - points[33]
            tilt = float(np.degrees(np.arctan2(axis[1], axis[0])))
            width = np.linalg.norm(points[a] - points[b]) * 0.82 * grow
            axes = (max(int(width), 1), max(int(0.19 * unit * grow), 1))
            centre_px = (int(centre[0]), int(centre[1]))
            if dark:
                cv2.ellipse(layer, centre_px, axes, tilt, 0, 360, rgb, -1, cv2.LINE_AA)
            cv2.ellipse(layer, centre_px, axes, tilt, 0, 360, rgb, thick, cv2.LINE_AA)
            temple = points[127 if side < 0 else 356]
            ends = [tuple(map(int, centre + side * axis / unit * width)), tuple(map(int, temple))]
            cv2.line(layer, ends[0], ends[1], rgb, thick, cv2.LINE_AA)
        bridge = [tuple(map(int, points[v] + (0, 0.02 * unit))) for v in (133, 362)]
        cv2.line(layer, bridge[0], bridge[1], rgb, thick, cv2.LINE_AA)
        opacity = rng.uniform(0.75, 1.0)
    elif kind == 1:
        return draw_hand(image, rng, mesh)
    elif kind == 2:
        hair = tuple(float(c) for c in rng.uniform(10, 120) * np.array([1.0, 0.8, 0.65]))
        top = points[int(rng.choice([54, 67, 10, 297, 284]))] - (0, 0.25 * unit)
        for _ in range(int(rng.integers(4, 25))):
            start = top + rng.normal(0, 0.15 * unit, 2)
            bend = start + np.array([rng.normal(0, 0.25 * unit), rng.uniform(0.2, 0.5) * unit])
            end = bend + np.array([rng.normal(0, 0.25 * unit), rng.uniform(0.1, 0.6) * unit])
            t = np.linspace(0, 1, 12)[:, None]
            curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
            thick = max(round(unit * rng.uniform(0.005, 0.03)), 1)
            cv2.polylines(layer, [np.round(curve * 16).astype(np.int32)], False, hair, thick,
                          cv2.LINE_AA, 4)  # fmt: skip
        opacity = rng.uniform(0.6, 1.0)
    else:
        half = (unit * rng.uniform(0.15, 0.5, 2)).astype(int) + 1
        at = (points.mean(0) + rng.normal(0, 0.55 * unit, 2)).astype(int)
        plain = tuple(float(c) for c in rng.uniform(0, 255, 3))
        cv2.rectangle(layer, tuple(map(int, at - half)), tuple(map(int, at + half)), plain, -1)
        opacity = rng.uniform(0.8, 1.0)
    return np.asarray(cv2.addWeighted(layer, opacity, out, 1 - opacity, 0), np.uint8)


def _end_of_frame(image: Image, rng: np.random.Generator, mesh: FloatArray) -> Image:
    """Let the recorded frame end just below or beside the face: the rest is its reflection."""
    import cv2

    size, side = image.shape[0], int(rng.choice(3, p=[0.6, 0.2, 0.2]))
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    edge = (high[1], size - 1 - low[0], high[0])[side] + rng.uniform(-0.04, 0.25) * (high - low)[1]
    beyond = size - int(np.clip(edge, 0.55 * size, size))
    turned = image if side == 0 else np.ascontiguousarray(np.rot90(image, -1 if side == 2 else 1))
    whole = cv2.copyMakeBorder(turned[: size - beyond], 0, beyond, 0, 0, cv2.BORDER_REFLECT)
    return whole if side == 0 else np.ascontiguousarray(np.rot90(whole, 1 if side == 2 else -1))


def augment(
    image: Image,
    rng: np.random.Generator,
    *,
    mesh: FloatArray | None = None,
    strength: float = 1.0,
) -> Image:
    """Photograph a picture again, badly: colour cast, gamma, contrast, blur, noise, JPEG.

    Parameters
    ----------
    image
        (H, W, 3) uint8 RGB.
    rng
        Source of randomness; the same state gives the same bytes.
    mesh
        (478, ≥2) px of the face: with it, one picture in four gets an occlusion, one
        in eight ends near the face and is mirrored beyond its edge.
    strength
        1 = what training needs; 0 = nothing is changed.
    """
    import cv2

    if strength <= 0:
        return image.copy()
    out = image
    if mesh is not None and rng.random() < 0.25 * strength:
        out = occlude(out, rng, mesh)
    if mesh is not None and rng.random() < 0.125 * strength:
        out = _end_of_frame(out, rng, mesh)
    work = out.astype(np.float32) / 255
    gamma = float(np.exp(rng.normal(0, 0.18 * strength)))
    work = np.power(work, gamma)
    cast = np.exp(rng.normal(0, 0.05 * strength, 3)).astype(np.float32)
    work = work * cast * float(np.exp(rng.normal(0, 0.13 * strength)))
    middle = float(work.mean())
    work = (work - middle) * float(np.exp(rng.normal(0, 0.13 * strength))) + middle
    grey = work @ np.array([0.299, 0.587, 0.114], np.float32)
    colourful = (
        0.0 if rng.random() < 0.05 * strength else float(np.exp(rng.normal(0, 0.22 * strength)))
    )
    work = grey[..., None] + colourful * (work - grey[..., None])
    size = image.shape[0]
    blur = rng.random()
    if blur < 0.25 * strength:
        work = cv2.GaussianBlur(work, (0, 0), size / 144 * rng.uniform(0.4, 1.6))
    elif blur < 0.45 * strength:
        small = max(int(size * rng.uniform(0.25, 0.7)), 16)
        work = cv2.resize(work, (small, small), interpolation=cv2.INTER_AREA)
        work = cv2.resize(work, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    elif blur < 0.52 * strength:
        length = int(rng.integers(2, 6))
        kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
        angle = rng.uniform(0, np.pi)
        tip = (length + length * np.cos(angle), length + length * np.sin(angle))
        tail = (2 * length - tip[0], 2 * length - tip[1])
        cv2.line(kernel, (round(tail[0]), round(tail[1])), (round(tip[0]), round(tip[1])), 1.0)
        work = cv2.filter2D(work, -1, kernel / kernel.sum())
    if rng.random() < 0.5 * strength:
        noise = rng.standard_normal(work.shape, dtype=np.float32) * rng.uniform(0.004, 0.035)
        work = work + noise
    result = np.clip(work * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5 * strength:
        quality = int(rng.integers(25, 95))
        ok, data = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if ok:
            result = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(result, np.uint8)
