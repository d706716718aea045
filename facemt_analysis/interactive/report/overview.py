"""The sections of the whole table: summary, quality, methods."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis.fex.summary import format_hz, format_seconds
from facemt_analysis.interactive.report.markup import (
    definitions,
    figure,
    format_number,
    note,
    paragraph,
    preformatted,
    table,
    tiles,
)
from facemt_analysis.interactive.report.pictures import svg_tag
from facemt_analysis.interactive.report.references import bibtex, references_for
from facemt_analysis.measures.quality_checks import find_issues
from facemt_analysis.measures.quality_reasons import REASONS, quality_flags
from facemt_analysis.measures.quality_summary import quality_report
from facemt_analysis.plotting.style import figure_of

if TYPE_CHECKING:
    from facemt_analysis.fex import Fex, FexInfo

__all__ = ["licence_caution", "methods_html", "quality_html", "recordings_html", "summary_html"]

_MOST_ROWS = 200
_MOST_FINDINGS = 60

_REASON_WORDS = {
    "no_face": "no face was found", "no_features": "a face without features",
    "low_score": "FaceScore too low", "small_face": "face too small",
    "turned_away": "head turned away", "cut_off": "face cut off at the border",
    "overlapping": "behind or before another face", "duplicate": "repeats the row before",
    "out_of_range": "values that cannot be",
}  # fmt: skip


def summary_html(fex: Fex) -> str:
    """Say what there is: how much, from what, with which weights."""
    summary = fex.summary()
    numbers = []
    if summary.recordings is not None and len(summary.recordings) != 1:
        numbers.append((f"{len(summary.recordings):,}", "recordings"))
    if summary.seconds is not None:
        numbers.append((format_seconds(summary.seconds), "duration"))
    if summary.hz is not None:
        numbers.append((format_hz(summary.hz), "frame rate"))
    if summary.frames is not None:
        numbers.append((f"{summary.frames:,}", "frames"))
        if summary.frames_with_face is not None and summary.frames:
            share = summary.frames_with_face / summary.frames
            numbers.append((format_number(share, percent=True), "of the frames with a face"))
    if summary.tracks is not None:
        numbers.append((f"{summary.tracks:,}", "face" if summary.tracks == 1 else "faces (tracks)"))
    info = fex.info
    caution = licence_caution(info)
    warning = paragraph(caution, "caution") if caution else ""
    return tiles(numbers) + definitions(_facts(fex, info)) + warning


def licence_caution(info: FexInfo) -> str:
    """Say what has to be known about the weights a table was measured with; often nothing."""
    from facemt_analysis.network import WEIGHTS

    known = WEIGHTS.get(info.weights or "")
    return known.caution.rstrip(".") + "." if known is not None and known.caution else ""


def _facts(fex: Fex, info: FexInfo) -> dict[str, str]:
    groups = _feature_groups(fex)
    summary = fex.summary()
    options = dict(info.options or {})
    facts = {
        "Recordings": _listed(summary.recordings or ()),
        "Measured with": info.tool or "not recorded",
        "Weights": info.weights or "not recorded",
        "SHA-256": info.weights_sha256 or "not recorded",
        "Licence of the weights": info.weights_licence or "not recorded",
        "Face detector": info.face_detector or "not recorded",
        "Features": ", ".join(groups) or "none",
        "Labels": _listed(summary.labels),
        "Created": info.created or "",
    }
    if options.get("simulated"):
        for name in ("Weights", "SHA-256", "Licence of the weights", "Face detector"):
            facts.pop(name)
    return {name: value for name, value in facts.items() if value}


def _feature_groups(fex: Fex) -> list[str]:
    return [group for group in fex.groups if group not in ("keys", "framesizes")]


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(str(name) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def recordings_html(report: pd.DataFrame) -> str:
    """List the recordings of a table with how much of each there is.

    Parameters
    ----------
    report
        From :func:`facemt_analysis.measures.quality_report`, one row per recording.
    """
    shown = report.head(_MOST_ROWS).assign(seconds=lambda t: t["stop"] - t["start"] + 1 / t["hz"])
    headings = {"input": "Recording", "seconds": "Seconds", "hz": "Hz", "n_frames": "Frames",
                "share_valid": "With a face", "share_usable": "Usable", "n_tracks": "Faces",
                "n_gaps": "Gaps", "gap_longest": "Longest (s)"}  # fmt: skip
    content = table(
        shown, headings, percent=["share_valid", "share_usable"],
        digits={"seconds": 1, "gap_longest": 2, "hz": 2},
    )  # fmt: skip
    if len(report) > _MOST_ROWS:
        content += note(f"{_MOST_ROWS} of {len(report):,} recordings are listed.")
    return f'<div class="scroll">{content}</div>'


def quality_html(fex: Fex) -> str:
    """Report how much can be trusted: figure, reasons against rows, findings, numbers."""
    by = ["input"] if "input" in fex.columns else []
    report = quality_report(fex, by)
    labels = "track" in fex.columns and "input" in fex.columns
    findings = find_issues(quality_report(fex) if labels else report)
    return (
        _quality_figure(fex)
        + _findings(findings)
        + _reasons(fex)
        + _quality_numbers(report)
    )  # fmt: skip


def _quality_figure(fex: Fex) -> str:
    import matplotlib.pyplot as plt

    from facemt_analysis.plotting import paper, plot_quality

    with paper("double"):
        axes = plot_quality(fex)
        drawing = figure_of(axes["time"])
        tag = svg_tag(drawing, "Quality of the recordings over time", width=960)
        plt.close(drawing)
    return figure(
        tag,
        "One line per recording: when it is usable, flagged or without a face; the share of frames "
        "that is usable and (behind) has a face; FaceScore and size of the face: median and lower "
        "5 %, dashed: the limit.",
    )


def _findings(findings: pd.DataFrame) -> str:
    if findings.empty:
        return paragraph("Nothing to remark.")
    order = {"serious": 0, "warning": 1, "info": 2}
    shown = findings.assign(rank=findings["severity"].map(order)).sort_values("rank", kind="stable")
    items = []
    for row in shown.head(_MOST_FINDINGS).to_dict("records"):
        who = [str(row["input"])] if "input" in row else []
        if "track" in row and int(row["track"]) >= 0:
            who.append(f"track {row['track']}")
        severity = html.escape(str(row["severity"]))
        words = html.escape(f"{', '.join(who)}: {row['message']}" if who else str(row["message"]))
        items.append(f'<li class="{severity}"><b>{severity}</b> {words}</li>')
    more = ""
    if len(shown) > _MOST_FINDINGS:
        more = note(f"{_MOST_FINDINGS} of {len(shown):,} findings; all: fex.quality.findings().")
    return f'<ul class="findings">{"".join(items)}</ul>{more}'


def _reasons(fex: Fex) -> str:
    flags = quality_flags(fex)
    counts = flags[list(REASONS)].sum()
    rows = pd.DataFrame(
        {"reason": [_REASON_WORDS.get(name, name) for name in REASONS],
         "rows": counts.to_numpy(), "share": (counts / max(len(flags), 1)).to_numpy()}
    )  # fmt: skip
    rows = rows[rows["rows"] > 0]
    if rows.empty:
        return paragraph("No row is flagged.")
    n = int(flags["flagged"].sum())
    words = (
        f"{n:,} of {len(flags):,} rows are flagged; nothing was taken out for this report "
        "(fex.quality.exclude() does). A row may have several reasons."
    )
    return paragraph(words) + table(
        rows, {"reason": "Reason", "rows": "Rows", "share": "Share"}, percent=["share"]
    )


def _quality_numbers(report: pd.DataFrame) -> str:
    names = {"input": "Recording", "share_usable": "Usable", "score_median": "FaceScore",
             "face_px_median": "Face (px)", "yaw_low_deg": "Yaw 5 % (°)",
             "yaw_high_deg": "Yaw 95 % (°)", "n_dropped": "Frames lost",
             "gap_total": "Gaps (s)", "track_switches": "Track switches"}  # fmt: skip
    there = {c: words for c, words in names.items() if c in report.columns}
    digits = {"score_median": 3, "face_px_median": 0, "yaw_low_deg": 1, "yaw_high_deg": 1,
              "gap_total": 2}  # fmt: skip
    content = table(report.head(_MOST_ROWS), there, percent=["share_usable"], digits=digits)
    return f'<div class="scroll">{content}</div>'


def methods_html(fex: Fex) -> str:
    """Write the paragraph to paste, options in full, and what to cite."""
    groups = _feature_groups(fex)
    works = references_for([*groups, "quality"])
    info = fex.info
    options = {name.replace("_", " "): _plain(value) for name, value in (info.options or {}).items()
               if value is not None}  # fmt: skip
    log = {f"{i}. {record.name}": str(record) for i, record in enumerate(info.log, 1)}
    parts = [paragraph(fex.methods_text()), paragraph(_rules(groups))]
    if options:
        parts += ["<h3>Options of the measurement</h3>", definitions(options)]
    if log:
        parts += ["<h3>Operations</h3>", definitions(log)]
    if works:
        items = "".join(f"<li>{html.escape(work.text())}</li>" for work in works)
        parts += [
            "<h3>References</h3>",
            f"<ul>{items}</ul>",
            "<h3>BibTeX</h3>",
            preformatted(bibtex(works)),
        ]
    return "".join(parts)


def _rules(groups: Sequence[str]) -> str:
    """Say by what rules the numbers of the report were made."""
    from facemt_analysis.interactive.report.moments import AU_GROUPS

    rules = []
    for group in ("aus", "intensities"):
        if group in groups:
            what = "scores" if group == "aus" else "intensities"
            rules.append(
                f"Events of action units are stretches of {what} of at least {AU_GROUPS[group]:g} "
                "that last 0.1 s or longer; dips of up to 0.1 s are bridged."
            )
            break
    if "emotions" in groups:
        rules.append("The dominant emotion of a frame is the most probable one.")
    if "gazes" in groups:
        rules.append("Gaze is relative to the head; entropies are over bins of 5°.")
    if "meshes" in groups:
        rules.append("Meshes were aligned on points of the face that expressions move least.")
    return " ".join([*rules, "Measures are of one face (track) at a time."])


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_plain(v) for v in value) or "none"
    if hasattr(value, "items"):
        return "; ".join(f"{k} {_plain(v)}" for k, v in value.items())
    return str(value)
