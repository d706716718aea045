"""A paragraph for the methods section of a paper, from what a table knows about itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from facemt_analysis.fex.info import PARTLY, FexInfo, Operation
from facemt_analysis.fex.summary import TableSummary, format_hz, format_seconds, format_share

__all__ = ["methods_text"]

_SHA_SHOWN = 12
_LONG = 60

_GROUPS = {
    "aus": "action units (occurrence scores from 0 to 1, not intensities)",
    "intensities": "action unit intensities (0 to 5)",
    "emotions": "emotion probabilities",
    "va": "valence and arousal (−1 to 1)",
    "poses": "head pose",
    "gazes": "gaze relative to the head",
    "landmarks": "68 facial landmarks",
    "meshes": "a mesh of 478 points",
    "blendshapes": "52 blendshapes",
}


def methods_text(info: FexInfo, summary: TableSummary | None = None) -> str:
    """Write what was measured, with what, and what was done since: ready to paste.

    Parameters
    ----------
    info
        Metadata of the table.
    summary
        Counts of the table, to say how much material there was.

    Returns
    -------
    str
        Plain sentences: material, face detector, network and its licence, features, operations in
        order with their arguments, software. What is not known is said to be so.

    Examples
    --------
    >>> info = FexInfo(tool="facemt_analysis 0.1.0", weights="open", weights_licence="MIT")
    >>> methods_text(info.with_log("signal.filter", high=6.0))
    'Faces were measured with facemt_analysis 0.1.0, weights open (licence MIT). The face detector is not recorded. The table was then processed by signal.filter (high=6.0).'
    """  # noqa: E501
    sentences = [
        *([] if summary is None else _material(summary)),
        *_measurement(info),
        *([] if summary is None else _features(summary)),
        *_processing(info.log),
        *_software(info),
    ]
    return " ".join(sentences)


def _material(summary: TableSummary) -> Iterator[str]:
    if not summary.rows:
        yield "The table is empty."
        return
    what = f"{summary.rows:,} rows"
    if summary.recordings is not None:
        n = len(summary.recordings)
        what = f"{n:,} recording{'' if n == 1 else 's'}"
    facts = []
    if summary.seconds is not None:
        facts.append(f"{format_seconds(summary.seconds)} in all")
    if summary.hz is not None:
        facts.append(f"{format_hz(summary.hz)}")
    inside = f" ({', '.join(facts)})" if facts else ""
    yield f"The material was {what}{inside}."
    if summary.frames is not None and summary.frames_with_face is not None:
        yield f"A face was found in {format_share(summary.frames_with_face, summary.frames)}."


def _measurement(info: FexInfo) -> Iterator[str]:
    options: Mapping[str, Any] = info.options or {}
    if options.get("simulated"):
        seed = options.get("seed")
        yield (
            f"The data are simulated ({options.get('function', info.tool)}"
            + ("" if seed is None else f", seed {seed}")
            + ") and come from no person."
        )
        return
    if info.tool is None and info.weights is None:
        yield "With what the faces were measured is not recorded, or differs between recordings."
        return
    text = f"Faces were measured with {info.tool or 'a tool that is not recorded'}"
    if info.weights is not None:
        facts = []
        if info.weights_revision:
            facts.append(f"revision {info.weights_revision}")
        if info.weights_sha256:
            facts.append(f"SHA-256 {info.weights_sha256[:_SHA_SHOWN]}…")
        if info.weights_licence:
            facts.append(f"licence {info.weights_licence}")
        text += f", weights {info.weights}" + (f" ({', '.join(facts)})" if facts else "")
    yield f"{text}."
    if info.face_detector is not None:
        threshold = options.get("face_threshold")
        least = "" if threshold is None else f" (least score {threshold:g})"
        yield f"Faces were found by {info.face_detector}{least}."
    elif info.weights is not None:
        yield "The face detector is not recorded."
    yield from _sampling(options)


def _sampling(options: Mapping[str, Any]) -> Iterator[str]:
    every, hz = options.get("every"), options.get("fps")
    start, stop = options.get("start"), options.get("stop")
    if hz is not None:
        yield f"Frames were taken at {hz:g} Hz."
    elif every is not None and every != 1:
        yield f"One frame in {every} was taken."
    if start is not None or stop is not None:
        begin = "the beginning" if start is None else f"{start:g} s"
        end = "the end" if stop is None else f"{stop:g} s"
        yield f"Recordings were analysed from {begin} to {end}."


def _features(summary: TableSummary) -> Iterator[str]:
    names = [words for group, words in _GROUPS.items() if group in summary.groups]
    if names:
        yield f"The features are {_listed(names)}."


def _processing(log: tuple[Operation, ...]) -> Iterator[str]:
    steps = []
    for record in log:
        if record.name == "quality.exclude":
            steps.append(_excluded(record.arguments))
        elif record.name == PARTLY:
            names = ", ".join(record.arguments.get("operations", ()))
            steps.append(f"{names} (in a part of the recordings only)")
        else:
            steps.append(_step(record))
    if steps:
        yield f"The table was then processed by {'; then by '.join(steps)}."


def _excluded(arguments: Mapping[str, Any]) -> str:
    rows, of_rows = arguments.get("rows", 0), arguments.get("of_rows", 0)
    limits = arguments.get("limits", {})
    reasons = [f"{name} {count:,}" for name, count in arguments.get("reasons", {}).items()]
    facts = [f"features of {rows:,} of {of_rows:,} rows set to missing"]
    if reasons:
        facts.append(f"reasons: {', '.join(reasons)}")
    dropped = arguments.get("recordings", ())
    if dropped:
        facts.append(f"left out: {_shortened(', '.join(dropped))}")
    used = ", ".join(f"{k} {'off' if v is None else v}" for k, v in limits.items())
    if used:
        facts.append(f"limits: {used}")
    return f"quality.exclude ({'; '.join(facts)})"


def _step(record: Operation) -> str:
    known = {k: v for k, v in record.arguments.items() if v is not None}
    arguments = [f"{k}={_shortened(_plain(v))}" for k, v in known.items()]
    return f"{record.name} ({', '.join(arguments)})" if arguments else record.name


def _software(info: FexInfo) -> Iterator[str]:
    if info.versions:
        versions = [f"{name} {version}" for name, version in info.versions.items()]
        yield f"Software: {', '.join(versions)}."


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_plain(v) for v in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {_plain(v)}' for k, v in value.items())}}}"
    return str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
