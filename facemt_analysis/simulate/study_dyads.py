"""Two people in conversation, with a known coupling and lag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.simulate.study_assembly import (
    Assembly,
    check_groups,
    check_number,
    check_whole,
    info_of,
)
from facemt_analysis.simulate.study_contrasts import plan_effects
from facemt_analysis.simulate.study_design import Design
from facemt_analysis.simulate.study_engine import Recording, render
from facemt_analysis.simulate.study_faces import FRAME_SIZE
from facemt_analysis.simulate.study_plan import Study, per_condition, settings_of
from facemt_analysis.simulate.study_population import AUS
from facemt_analysis.simulate.study_sharing import shared_variance

__all__ = ["DyadTruth", "simulate_dyads"]

Floats = npt.NDArray[np.float64]

_PERSONS = ("a", "b")
_BLINK = AUS.index("AU43")


@dataclass(frozen=True)
class DyadTruth:
    """What was planted in simulated conversations, as tidy tables.

    Parameters
    ----------
    frames, events
        As in :class:`StudyTruth`; the labels are ``dyad``, ``person`` (``a``, ``b``), ``subject``
        and ``condition``. Events of b with the source ``partner`` answer one of a. `frames` has a
        row for every frame and person; its index is that of the Fex.
    coupling
        One row per dyad, condition and action unit: ``planted`` correlation of b with a, `lag`
        seconds before (0 for AU43: blinks are not answered), ``lag``, and the ``realised`` one of
        the noise-free courses.
    """

    frames: pd.DataFrame
    events: pd.DataFrame
    coupling: pd.DataFrame


def simulate_dyads(
    n_dyads: int = 12,
    *,
    conditions: Sequence[str] = ("conversation",),
    coupling: float | Mapping[str, float] = 0.5,
    lag: float = 0.5,
    together: bool = False,
    duration: float = 60.0,
    fps: float = 30.0,
    noise: float = 1.0,
    missing: float | Mapping[str, float] = 0.03,
    missing_run: float = 0.4,
    feature_groups: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[Fex, DyadTruth]:
    """Simulate conversations of two people, one of whom mimics the other.

    Parameters
    ----------
    n_dyads
        Pairs of people.
    conditions
        Names, such as a conversation and a rest.
    coupling
        Correlation of each noise-free action unit of person b with that of person a `lag` seconds
        before, 0–1; one number or one per condition.
    lag
        Seconds by which b follows a; negative: a follows b.
    together
        False: one recording per person, such as ``dyad-01_conversation_a.mp4``, with the same time
        axis. True: both faces in one recording, ``dyad-01_conversation.mp4``: a is track 0, on the
        left of the picture, b is track 1. A frame then has the rows of the faces that are found, or
        one of track −1 (without ``person`` and ``subject``).
    duration, fps, noise, missing, missing_run, feature_groups, seed
        As in :func:`simulate_study`.

    Returns
    -------
    fex : Fex
        Labels ``dyad``, ``person``, ``subject`` (``dyad-01_a``), ``condition``.
    truth : DyadTruth
        Tables of what was planted.

    Raises
    ------
    FexError
        If an argument is out of its range.

    Notes
    -----
    b's course of an action unit is built like that of :func:`simulate_study` from √s·answer(t) +
    √(1−s)·own(t), s about c², where the answer repeats every event of a (blinks apart) `lag`
    seconds later and both parts are standardised over the recording. Since own events are
    independent, the correlation at the lag is c in expectation, that of shuffled pairs about 0.

    Examples
    --------
    >>> fex, truth = simulate_dyads(2, coupling=0.8, duration=20, fps=10, seed=1)
    >>> fex.recordings[:2]
    ('dyad-01_conversation_a.mp4', 'dyad-01_conversation_b.mp4')
    >>> bool(truth.coupling["realised"].mean() > 0.6)
    True
    """
    n_dyads = check_whole("n_dyads", n_dyads, 1)
    if isinstance(conditions, str):
        raise FexError(f"`conditions` must be a list of names, but got the text {conditions!r}.")
    design = Design("within", tuple(conditions), (), 1)
    settings = settings_of(seed, duration, fps, 0.0, noise, missing_run)
    lag = check_number("lag", lag, -settings.duration / 2, settings.duration / 2)
    c = per_condition("coupling", coupling, design.conditions, 1.0)
    groups = check_groups(feature_groups)
    study = Study(
        design=design,
        settings=settings,
        rest=0.0,
        isc=dict.fromkeys(design.conditions, 0.0),
        missing=per_condition("missing", missing, design.conditions, 0.5),
        effects=(),
        plan=plan_effects(design, (), np.arange(settings.n_frames) / settings.fps),
    )
    levels = study.draw(2 * n_dyads)
    total = levels.total
    alone = [study.recording(i, levels, total[i], {}) for i in range(len(total))]
    # rows are (subject, condition); recordings are wanted by dyad, condition and person
    k = len(design.conditions)
    order = np.arange(len(alone)).reshape(n_dyads, 2, k).transpose(0, 2, 1).ravel()
    recordings = [alone[i] for i in order]
    for i in range(0, len(recordings), 2):
        name = design.conditions[(i // 2) % k]
        recordings[i + 1] = _coupled(recordings[i + 1], recordings[i], c[name], lag, duration)

    labels: dict[str, list[str]] = {n: [] for n in ("input", "dyad", "person", "subject")}
    labels["condition"] = []
    for d in range(n_dyads):
        for name in design.conditions:
            for person in _PERSONS:
                dyad = f"dyad-{d + 1:02d}"
                video = f"{dyad}_{name}" if together else f"{dyad}_{name}_{person}"
                row = (f"{video}.mp4", dyad, person, f"{dyad}_{person}", name)
                for values, value in zip(labels.values(), row, strict=True):
                    values.append(value)

    assembly = Assembly(
        recordings, labels, levels.asymmetry[order], settings, groups, shared_source="partner"
    )
    for part in assembly.chunks():
        assembly.add(part, render(recordings[part], settings))
    options = {
        "n_dyads": n_dyads, "conditions": design.conditions, "coupling": c, "lag": lag,
        "together": together, "duration": duration, "fps": fps, "noise": noise,
        "missing": study.missing, "missing_run": missing_run, "seed": settings.seed,
    }  # fmt: skip
    fex = assembly.fex(info_of("simulate_dyads", options))
    frames = assembly.frames()
    table = _coupling_table(frames, settings.n_frames, c, lag)
    if together:
        fex, frames = _one_picture(fex, frames, settings.n_frames)
    return fex, DyadTruth(frames=frames, events=assembly.events(), coupling=table)


def _coupled(b: Recording, a: Recording, coupling: float, lag: float, stop: float) -> Recording:
    """Let b answer the events of a."""
    sharing = shared_variance(coupling, 0.0, stop, of_pair=True)
    return replace(b, shared=a.own.shifted(lag, 0.0, stop), sharing=sharing)


def _coupling_table(
    frames: pd.DataFrame, n_frames: int, coupling: Mapping[str, float], lag: float
) -> pd.DataFrame:
    """Planted and realised correlations; rows of `frames` are by pair, person, frame."""
    aus = frames[list(AUS)].to_numpy(np.float64).reshape(-1, 2, n_frames, len(AUS))
    times = frames["time"].to_numpy()[:n_frames]
    first = frames.iloc[:: 2 * n_frames]
    planted = np.array([[coupling[name]] * len(AUS) for name in first["condition"]])
    planted[:, _BLINK] = 0.0
    table = first[["dyad", "condition"]].iloc[np.repeat(np.arange(len(aus)), len(AUS))]
    table = table.reset_index(drop=True)
    table["feature"] = np.tile(np.array(AUS, dtype=object), len(aus))
    table["planted"], table["lag"] = planted.ravel(), lag
    table["realised"] = np.concatenate([_lagged(a, b, times, lag) for a, b in aus])
    return table


def _lagged(a: Floats, b: Floats, times: Floats, lag: float) -> Floats:
    """Correlation of b (frames, k) with a, `lag` s before, where both are known."""
    little = 1e-9  # a lag of whole frames keeps all it can
    inside = (times - lag >= times[0] - little) & (times - lag <= times[-1] + little)
    before = np.column_stack([np.interp(times[inside] - lag, times, column) for column in a.T])
    x, y = before - before.mean(0), b[inside] - b[inside].mean(0)
    scale = np.sqrt((x**2).sum(0) * (y**2).sum(0))
    return np.asarray(np.divide((x * y).sum(0), scale, out=np.zeros(len(scale)), where=scale > 0))


def _one_picture(fex: Fex, frames: pd.DataFrame, n_frames: int) -> tuple[Fex, pd.DataFrame]:
    """Put the two faces of each pair beside each other; rows by pair, frame, person."""
    n = len(frames)
    order = np.arange(n).reshape(-1, 2, n_frames).transpose(0, 2, 1).ravel()
    fex, frames = fex.iloc[order].reset_index(drop=True), frames.iloc[order].reset_index(drop=True)
    is_b = (frames["person"] == "b").to_numpy()
    face = frames["face"].to_numpy()
    nobody = np.repeat(~face.reshape(-1, 2).any(1), 2)
    moved = [
        c for c in fex.columns
        if c == "FaceRectX" or c.startswith("mesh_x_")
        or (c.startswith("x_") and schema.group_of(c) == "landmarks")
    ]  # fmt: skip
    shift = np.where(is_b, 1, -1) * np.float32(FRAME_SIZE[1] / 4)
    new = {c: fex[c] + shift for c in moved}
    new["track"] = pd.Series(np.where(nobody, -1, is_b.astype(np.int64)), index=fex.index)
    for name in ("person", "subject"):
        new[name] = fex[name].where(~nobody)
    keep = face | (nobody & ~is_b)
    return fex.assign(**new).loc[keep], frames
