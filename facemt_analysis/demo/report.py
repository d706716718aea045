"""The numbers as text, and what the report of the demonstration adds to that of its recording."""

from __future__ import annotations

import html
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from facemt_analysis.fex import Fex
    from facemt_analysis.interactive.report import Section

__all__ = ["accuracy_lines", "demo_html", "next_steps", "summary_rows"]


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


def demo_html(
    figures: Mapping[str, Figure],
    fex: Fex,
    accuracy: pd.DataFrame,
    seconds: float,
    *,
    video: Path | None = None,
) -> str:
    """Write the report: that of the recording, with the comparison with the truth before it.

    Parameters
    ----------
    figures
        Name → figure; embedded as pictures.
    fex
        The detected table.
    accuracy
        From `facemt_analysis.demo.accuracy.compare`.
    seconds
        Time the detection took.
    video
        The clip, for stills.

    Returns
    -------
    str
        A complete HTML page. Every text in it is escaped; it loads nothing.
    """
    from facemt_analysis.interactive.report import Section, report_html
    from facemt_analysis.interactive.report.markup import definitions, paragraph

    frames = int(accuracy["n"].iloc[0])
    lead = (
        f"{frames} frames of a face that is nobody, measured in {seconds:.0f} s with the weights "
        f"“{fex.info.weights}” and compared with what was drawn."
    )
    before = [
        Section("Detected against true", _tiles(accuracy)),
        *_pictures(figures),
        Section("Accuracy in numbers", _table(accuracy) + "".join(map(paragraph, _MEANINGS))),
    ]
    steps = dict(next_steps(fex.info.weights or "open"))
    return report_html(
        fex, video, title="facemt_analysis: demonstration", lead=lead, before=before,
        after=[Section("Next", definitions(steps))],
    )  # fmt: skip


def _pictures(figures: Mapping[str, Figure]) -> list[Section]:
    from facemt_analysis.demo.figures import CAPTIONS
    from facemt_analysis.interactive.report import Section
    from facemt_analysis.interactive.report.markup import figure
    from facemt_analysis.interactive.report.pictures import png_tag
    from facemt_analysis.plotting import paper

    titles = {"faces": "What was found", "action_units": "Action units",
              "pose_and_gaze": "Head pose and gaze", "emotions": "Emotions",
              "affect": "Valence and arousal"}  # fmt: skip
    with paper("double"):
        return [
            Section(
                titles[name],
                figure(png_tag(drawn, CAPTIONS[name], photographs=name == "faces"), CAPTIONS[name]),
                level=3,
            )
            for name, drawn in figures.items()
        ]


_TILES = (
    (("face", "face", "frames"), "of the frames with a face"),
    (("landmarks", "68", "median"), "landmark error / eye-corner distance"),
    (("head pose", "yaw", "mean"), "head yaw, mean error"),
    (("action units", "mean", "r"), "action units, mean r"),
    (("emotion", "clear", "accuracy"), "emotions right (chance 14 %)"),
    (("affect", "valence", "CCC"), "valence, CCC"),
)

_MEANINGS = (
    "Landmark error: mean distance of 68 points over that of the true outer eye corners, median "
    "over frames. r: Pearson's correlation over frames; CCC: Lin's concordance; F1: detected score "
    "and true intensity both cut at 0.5. Emotions count where the true one is not Neutral and at "
    "least 0.5 likely. Emotion, valence and arousal of the truth are definitions of the simulation "
    "(functions of the action units drawn), not what anybody felt.",
    "This is a rendered face, from the same renderer that drew the training faces of the embedded "
    "weights: expect less on real recordings. How much less is measured in the model card of the "
    "weights. The clip, its truth and this report are made by code in the package; running the "
    "demo again gives the same numbers on the same machine.",
)


def _tiles(accuracy: pd.DataFrame) -> str:
    from facemt_analysis.interactive.report.markup import tiles

    return tiles(
        (_number(*_value(accuracy, *where)).removesuffix(" eye distances"), words)
        for where, words in _TILES
    )


def _value(accuracy: pd.DataFrame, task: str, feature: str, measure: str) -> tuple[float, str]:
    row = accuracy[
        (accuracy["task"] == task)
        & accuracy["feature"].str.startswith(feature)
        & accuracy["measure"].str.startswith(measure)
    ].iloc[0]
    return float(row["value"]), str(row["unit"])


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
        "<table><thead><tr><th>Task</th><th>Feature</th>"
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _named(feature: str) -> str:
    """Give an action unit its name."""
    from facemt_analysis import schema

    unit = schema.ACTION_UNITS.get(feature)
    return f"{feature} {unit.name.lower()}" if unit else feature
