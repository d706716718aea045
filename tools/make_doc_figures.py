"""Draw the figures of README.md and docs/conventions.md, from code alone.

::

    python tools/make_doc_figures.py docs/figures
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

import facemt_analysis as fm
from facemt_analysis import plotting
from facemt_analysis.demo import CLIP
from facemt_analysis.simulate import Framing, avatar_asset, render

ANGLE = np.deg2rad(20)
TURNS = {
    "at rest": {},
    "Pitch +20°: up": {"pose": (ANGLE, 0, 0)},
    "Yaw +20°: to the\nsubject's right": {"pose": (0, ANGLE, 0)},
    "Roll +20°: tilt to the\nsubject's right": {"pose": (0, 0, ANGLE)},
    "gaze_pitch +20°: up": {"gaze": (ANGLE, 0)},
    "gaze_yaw +20°: to the\nsubject's right": {"gaze": (0, ANGLE)},
}


def signs() -> Figure:
    """Draw what + means for every angle, and the axes of the picture."""
    figure, axes = plt.subplots(2, 3, figsize=(5.6, 4.3), layout="constrained")
    for panel, (title, options) in zip(axes.flat, TURNS.items(), strict=True):
        face = render(avatar_asset(), size=200, framing=Framing(1.25, 0.0), **options)
        panel.imshow(face.image)
        panel.set_title(title, fontsize=9)
        panel.set_axis_off()
    first = axes[0, 0]
    style = {"arrowstyle": "->", "color": "w", "lw": 1.5}
    for end, name in (((75, 8), "x (px)"), ((8, 75), "y (px)")):
        first.annotate("", end, (8, 8), arrowprops=style)
        first.text(*end, name, color="w", fontsize=8, va="top")
    for x, side in ((8, "right"), (192, "left")):
        place = "left" if side == "right" else "right"
        first.text(x, 193, f"subject's\n{side}", color="w", fontsize=8, ha=place)
    return figure


def circumplex() -> Figure:
    """Draw what valence and arousal mean, with the words of the quadrants."""
    figure, panel = plt.subplots(figsize=(3.2, 3.2), layout="constrained")
    panel.add_patch(plt.Circle((0, 0), 1, fill=False, lw=0.8))
    panel.axhline(0, color="0.6", lw=0.8)
    panel.axvline(0, color="0.6", lw=0.8)
    for x, y, name in (
        (0.48, 0.5, "excited"), (-0.48, 0.5, "distressed"),
        (-0.48, -0.5, "depressed"), (0.48, -0.5, "calm"),
    ):  # fmt: skip
        panel.text(x, y, name, ha="center", style="italic", color="0.4")
    panel.text(1.0, 0.03, "pleasant", ha="right")
    panel.text(-1.0, 0.03, "unpleasant")
    panel.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
    panel.set(xlabel="valence", ylabel="arousal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    return figure


def overview() -> Figure:
    """Draw the way from a picture to a result: clip, courses, affect, comparison."""
    fex = fm.Detector("open", face_detector="haar").detect(CLIP, every=2, progress=False)
    study = fm.datasets.load_sample_study()
    smile = fex["AU12"].idxmax()
    (recording,) = fm.detection.open_recordings(CLIP)
    image = next(f.image for f in recording.frames() if f.index == fex.loc[smile, "frame"])
    with plotting.paper("double", height=95):
        figure = plt.figure(figsize=(7.1, 3.75), layout="constrained")
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.1, 1])
        a, b = top.subplots(1, 2, width_ratios=[1, 2.4])
        plotting.plot_overlay(image, fex.loc[smile], gaze=False, pose=False, ax=a)
        plotting.plot_aus(fex, ["AU01", "AU04", "AU06", "AU12", "AU25", "AU26"], on=0.4, ax=b)
        c, d = bottom.subfigures(1, 2, width_ratios=[1.1, 2])
        study.affect.plot(recording="sub-05_funny_1.mp4", ax=c.subplots())
        result = study.stats.cluster_permutation("AU12", condition="condition", seed=1)
        left, right = d.subfigures(1, 2, width_ratios=[1.3, 1])
        plotting.plot_cluster_result(result, ax=left.subplots())
        table = study.stats.compare(["AU12", "AU06", "AU04", "valence"], condition="condition")
        plotting.plot_estimates(table, ax=right.subplots())
    return figure


def main(folder: Path) -> None:
    for name, draw in {"signs": signs, "circumplex": circumplex, "overview": overview}.items():
        path = folder / f"{name}.png"
        draw().savefig(path, dpi=130)
        if name == "signs":  # photographs of one face: a quarter of the bytes
            image = Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE)
            image.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/figures"))
