"""Measure weights on the held-out portraits: mesh error by skin lightness, smiles, blendshapes.

::

    python tools/evaluate_on_portraits.py --portraits ../shared/faces --assets cache/assets.npz

Only portraits that no training face came from (``held_out`` of ``render_training_faces.py``) are
used. The reference is the teacher's mesh of the photograph.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from evaluate_on_media import mesh_errors
from render_training_faces import held_out, load_assets
from scipy.stats import spearmanr

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.simulate import skin_lightness


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="open")
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--assets", type=Path, required=True, help="assets.npz of the renders")
    args = parser.parse_args()
    data = np.load(args.portraits / "portraits_mediapipe.npz")
    chosen = [i for i, name in enumerate(data["files"]) if held_out(str(name))]
    paths = [args.portraits / "portraits" / str(data["files"][i]) for i in chosen]
    detector = fm.Detector(args.weights, face_detector="haar")
    fex = detector.detect(paths, progress=False)
    fex = fex[fex["track"] >= 0].drop_duplicates("image")
    by_name = {str(data["files"][i]): i for i in chosen}
    rows = [by_name[name] for name in fex["image"]]
    teacher = pd.DataFrame({"mesh": [data["mesh"][i] for i in rows]}, index=fex.index)
    error = mesh_errors(pd.concat([pd.DataFrame(fex), teacher], axis=1))
    assets = {asset.name: asset for asset in load_assets(args.assets)}
    light = [skin_lightness(assets[n]) if n in assets else np.nan for n in fex["image"]]
    table = pd.DataFrame({"error": error, "lightness": light}).dropna()
    table["third"] = pd.qcut(table["lightness"], 3, labels=["dark", "middle", "light"])
    print(f"{len(table)} of {len(chosen)} held-out portraits found")
    print(table.groupby("third", observed=True).agg(
        lightness=("lightness", "median"), error=("error", "median"), n=("error", "size")
    ).round(4).to_string())  # fmt: skip
    rho = spearmanr(table["lightness"], table["error"])
    print(f"Spearman correlation of lightness and error {rho.statistic:.3f}, p {rho.pvalue:.3f}")
    truth = data["blend"][rows]
    vary = [i for i in range(truth.shape[1]) if truth[:, i].std() > 0.02]
    each = [np.corrcoef(fex[schema.BLENDSHAPES[i]], truth[:, i])[0, 1] for i in vary]
    smile = truth[:, [i for i, n in enumerate(schema.BLENDSHAPES) if "mouthSmile" in n]].mean(1)
    said = fex[list(schema.EMOTIONS)].idxmax(axis=1).to_numpy()
    for emotion, shown in (("Happy", smile > 0.5), ("Neutral", smile < 0.1)):
        named = (said[shown] == emotion).mean()
        print(f"{emotion}, by the teacher's smile: {named:.2f} of {shown.sum()} named so")
    print(f"blendshapes that vary between people: {len(vary)}, mean r {np.nanmean(each):.3f}")


if __name__ == "__main__":
    main()
