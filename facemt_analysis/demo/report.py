"""The numbers as text, and the report: one HTML file without links to the outside."""

from __future__ import annotations

import base64
import html
import io
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from facemt_analysis.fex import FexInfo

__all__ = ["accuracy_lines", "next_steps", "report_html", "summary_rows"]

_DPI = 150

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
       color: #222; background: #fff; max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid #ddd;
     padding-bottom: .2rem; }
p.lead { color: #555; margin-top: 0; }
figure { margin: 1.4rem 0; } figure img { width: 100%; height: auto; }
figcaption { font-size: .86rem; color: #555; margin-top: .3rem; }
table { border-collapse: collapse; font-size: .92rem; width: 100%; }
th, td { text-align: left; padding: .28rem .8rem .28rem 0; border-bottom: 1px solid #eee; }
th { border-bottom: 1.5px solid #555; font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: .7rem;
         margin: 1.4rem 0; }
.tile { border: 1px solid #ddd; border-radius: .4rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.45rem; font-weight: 600; }
.tile span { font-size: .84rem; color: #555; }
code, pre { font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: #f6f6f4; padding: .7rem .9rem; border-radius: .4rem; overflow-x: auto; }
@media print { body { margin: 0; max-width: none; } figure { break-inside: avoid; } }
"""


def _number(value: float, unit: str) -> str:
    """Give a number with its unit; a dash where there is none."""
    if not np.isfinite(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.0f} %"
    if unit == "deg":
        return f"{value:.1f}°"
    if unit:
        return f"{value:.3f} {unit}"
    return f"{value:.2f}"


def summary_rows(accuracy: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Bring the measures of one feature into one row.

    Parameters
    ----------
    accuracy
        From `facemt_analysis.demo.accuracy.compare`.

    Returns
    -------
    list
        (task, feature, ``measure value, measure value``) in the order they came.
    """
    rows: list[tuple[str, str, str]] = []
    for (task, feature), part in accuracy.groupby(["task", "feature"], sort=False):
        columns = (part[name].tolist() for name in ("measure", "value", "unit"))
        words = [
            f"{measure} {_number(value, unit)}"
            for measure, value, unit in zip(*columns, strict=True)
        ]
        rows.append((str(task), str(feature), ", ".join(words)))
    return rows


def accuracy_lines(accuracy: pd.DataFrame) -> list[str]:
    """Lay the numbers out as a table for the terminal, one line each.

    >>> table = pd.DataFrame({"task": ["gaze"], "feature": ["yaw"], "measure": ["r"],
    ...                       "value": [0.987], "unit": [""], "n": [200]})
    >>> accuracy_lines(table)[-1]
    'gaze  yaw      r 0.99'
    """
    rows = [("task", "feature", "detected against true"), *summary_rows(accuracy)]
    wide = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines, last = [], ""
    for task, feature, words in rows:
        shown = "" if task == last else task
        lines.append(f"{shown:<{wide[0]}}  {feature:<{wide[1]}}  {words}")
        last = task
    return lines


def next_steps(weights: str) -> list[tuple[str, str]]:
    """List what to do next: (what, command or place)."""
    return [
        (
            "your own recording",
            f"facemt detect YOUR.mp4 -o out.parquet --weights {shlex.quote(weights)}",
        ),
        ("in Python", 'import facemt_analysis as fm; fex = fm.read_fex("out.parquet")'),
        ("what a file holds", "facemt info out.parquet"),
        ("guides and notebooks", "README.md and the folder docs"),
    ]


def report_html(
    figures: Mapping[str, Figure], info: FexInfo, accuracy: pd.DataFrame, seconds: float
) -> str:
    """Write the report.

    Parameters
    ----------
    figures
        Name → figure; embedded as pictures.
    info
        Of the detected table: weights, detector, versions.
    accuracy
        From `facemt_analysis.demo.accuracy.compare`.
    seconds
        Time the detection took.

    Returns
    -------
    str
        A complete HTML page. Every text in it is escaped; it loads nothing.
    """
    from facemt_analysis.demo.figures import CAPTIONS

    parts = [_summary(accuracy, info, seconds)]
    titles = {"faces": "What was found", "action_units": "Action units",
              "pose_and_gaze": "Head pose and gaze", "emotions": "Emotions",
              "affect": "Valence and arousal"}  # fmt: skip
    for name, figure in figures.items():
        caption = html.escape(CAPTIONS[name])
        picture = _png(figure, photographs=name == "faces")
        parts.append(
            f"<h2>{html.escape(titles[name])}</h2>\n<figure><img alt={_quoted(caption)} "
            f'src="data:image/png;base64,{picture}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    parts += [_table(accuracy), _methods(info), _next(info)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>facemt_analysis: demonstration</title>\n<style>{_STYLE}</style>\n</head>\n"
        "<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _quoted(escaped: str) -> str:
    return f'"{escaped}"'


def _png(figure: Figure, *, photographs: bool) -> str:
    from facemt_analysis.plotting import paper

    memory = io.BytesIO()
    with paper("double"):
        figure.savefig(memory, format="png", dpi=_DPI)
    png = memory.getvalue()
    return base64.b64encode(png if photographs else _fewer_colours(png)).decode("ascii")


def _fewer_colours(png: bytes) -> bytes:
    """Reduce line art to a palette."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        rgb = image.convert("RGB")
    small = rgb.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    memory = io.BytesIO()
    small.save(memory, format="PNG", optimize=True)
    return min(png, memory.getvalue(), key=len)


def _value(accuracy: pd.DataFrame, task: str, feature: str, measure: str) -> tuple[float, str]:
    row = accuracy[
        (accuracy["task"] == task)
        & accuracy["feature"].str.startswith(feature)
        & accuracy["measure"].str.startswith(measure)
    ].iloc[0]
    return float(row["value"]), str(row["unit"])


def _summary(accuracy: pd.DataFrame, info: FexInfo, seconds: float) -> str:
    frames = int(accuracy["n"].iloc[0])
    tiles = "".join(
        f'<div class="tile"><b>{html.escape(_number(*_value(accuracy, *where)))}</b>'
        f"<span>{html.escape(words)}</span></div>"
        for where, words in (
            (("face", "face", "frames"), "of the frames with a face"),
            (("landmarks", "68", "median"), "landmark error / eye-corner distance"),
            (("head pose", "yaw", "mean"), "head yaw, mean error"),
            (("action units", "mean", "r"), "action units, mean r"),
            (("emotion", "clear", "accuracy"), "emotions right (chance 14 %)"),
            (("affect", "valence", "CCC"), "valence, CCC"),
        )
    ).replace(" eye distances", "")
    text = (
        f"{frames} frames of a face that is nobody, measured in {seconds:.0f} s with the weights "
        f"“{info.weights}” and compared with what was drawn."
    )
    return (
        "<h1>facemt_analysis: demonstration</h1>\n"
        f'<p class="lead">{html.escape(text)}</p>\n<div class="tiles">{tiles}</div>'
    )


_COLUMNS = (
    ("Error", ("median error", "mean absolute error")),
    ("r", ("r",)),
    ("F1", ("F1 at 0.5",)),
    ("CCC", ("CCC",)),
    ("Share", ("frames with it", "accuracy")),
)


def _table(accuracy: pd.DataFrame) -> str:
    """Give one line per feature, one column per kind of measure."""
    body, last = [], ""
    for (task, feature), part in accuracy.groupby(["task", "feature"], sort=False):
        cells = []
        for _, measures in _COLUMNS:
            row = part[part["measure"].isin(measures)]
            shown = ""
            if len(row):
                shown = _number(float(row["value"].iloc[0]), str(row["unit"].iloc[0]))
            cells.append(f'<td class="number">{html.escape(shown.split(" eye")[0])}</td>')
        first = "" if task == last else str(task)
        last = str(task)
        body.append(
            f"<tr><td>{html.escape(first)}</td><td>{html.escape(_named(str(feature)))}</td>"
            + "".join(cells)
            + "</tr>"
        )
    head = "".join(f'<th class="number">{name}</th>' for name, _ in _COLUMNS)
    return (
        "<h2>Detected against true</h2>\n<table><thead><tr><th>Task</th><th>Feature</th>"
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _named(feature: str) -> str:
    """Give an action unit its name."""
    from facemt_analysis import schema

    unit = schema.ACTION_UNITS.get(feature)
    return f"{feature} {unit.name.lower()}" if unit else feature


def _methods(info: FexInfo) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in (info.versions or {}).items())
    options = "; ".join(
        f"{key} {', '.join(value) if isinstance(value, tuple) else value}"
        for key, value in (info.options or {}).items()
        if value is not None
    )
    text = (
        f"Faces were found with {info.face_detector} and measured with {info.tool}, weights "
        f"{info.weights} (SHA-256 {(info.weights_sha256 or 'unknown')[:16]}…, licence "
        f"{info.weights_licence or 'not stated'}; {options}). Software: {versions}; "
        f"{info.created}. Landmark error: mean distance of 68 points over that of the true outer "
        "eye corners, median over frames. r: Pearson's correlation over frames; CCC: Lin's "
        "concordance; F1: detected score and true intensity both cut at 0.5. Emotions count where "
        "the true one is not Neutral and at least 0.5 likely. Emotion, valence and arousal of the "
        "truth are definitions of the simulation (functions of the action units drawn), not what "
        "anybody felt."
    )
    limits = (
        "This is a rendered face, from the same renderer that drew the training faces of the "
        "embedded weights: expect less on real recordings. How much less is measured in the "
        "model card of the weights. The clip, its truth and this report are made by code in the "
        "package; running the demo again gives the same numbers on the same machine."
    )
    return f"<h2>Methods</h2>\n<p>{html.escape(text)}</p>\n<p>{html.escape(limits)}</p>"


def _next(info: FexInfo) -> str:
    steps = "".join(
        f"<tr><td>{html.escape(what)}</td><td><code>{html.escape(how)}</code></td></tr>"
        for what, how in next_steps(info.weights or "open")
    )
    return f"<h2>Next</h2>\n<table><tbody>{steps}</tbody></table>"
