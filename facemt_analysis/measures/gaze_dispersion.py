"""What gaze does on the whole: where, how dispersed, how predictable, how often at the camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.checks import check_number
from facemt_analysis.measures.event_counts import rates_of
from facemt_analysis.measures.event_detection import detect_events
from facemt_analysis.measures.events import event_rules
from facemt_analysis.measures.gaze_directions import gaze_angles, gaze_vectors
from facemt_analysis.measures.gaze_entropy import gaze_entropy
from facemt_analysis.measures.gaze_target import CAMERA, angle_to_target
from facemt_analysis.measures.grouping import Grouping, complete, divided, group_rows

__all__ = ["bcea", "gaze_summary"]

Floats = npt.NDArray[np.float64]


def bcea(
    x: npt.ArrayLike, y: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, p: float = 0.68
) -> float:
    r"""Bivariate contour ellipse area: the area of the ellipse that holds a share of the points.

    Parameters
    ----------
    x, y
        (n,) coordinates; rows in which one is NaN are left out.
    weights
        (n,) what each point stands for; default: all the same.
    p
        Share of the points, were they normally distributed.

    Returns
    -------
    float
        In the square of the unit; NaN without points.

    Notes
    -----
    :math:`2 k \pi \sigma_x \sigma_y \sqrt{1 - \rho^2}` with :math:`k = -\ln(1 - P)`, 1.14 for
    P = 0.68 (Steinman, 1965). SDs are those of the points (ddof 0).

    References
    ----------
    Steinman, R. M. (1965). Effect of target size, luminance, and color on monocular fixation. J.
        Opt. Soc. Am., 55(9), 1158-1164. https://doi.org/10.1364/JOSA.55.001158
    Castet, E. & Crossland, M. (2012). Quantifying eye stability during a fixation task: a review of
        definitions and methods. Seeing Perceiving, 25(5), 449-469.
        https://doi.org/10.1163/187847611X620955

    Examples
    --------
    >>> round(bcea([-1, 1, -1, 1], [-2, -2, 2, 2]), 3)  # SDs 1 and 2, no correlation
    14.319
    """
    points = np.stack([np.asarray(x, np.float64), np.asarray(y, np.float64)])
    weight = np.ones(points.shape[1]) if weights is None else np.asarray(weights, np.float64)
    seen = np.isfinite(points).all(axis=0) & (weight > 0)
    if not seen.any():
        return float("nan")
    covariance = np.cov(points[:, seen], aweights=weight[seen], ddof=0)
    return float(
        _ellipse(np.linalg.det(covariance), check_number("p", p, 0.0, 1.0, open_high=True))
    )


def gaze_summary(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None = None,
    *,
    p: float = 0.68,
    bin_size: float = 5.0,
    threshold: float = 10.0,
    target: Sequence[float] = CAMERA,
    min_away: float = 0.5,
    max_gap: float = 0.2,
    reference: str = "head",
    recorded: str = "head",
    convention: str = "rodrigues",
) -> pd.DataFrame:
    r"""Summarise gaze: mean direction, dispersion, entropies, share toward the camera.

    Parameters
    ----------
    frame
        Table with gaze, as for :func:`gaze_vectors`. Without ``time`` all frames weigh the same.
    by
        Columns to group by; None: each track of each recording.
    p
        Share of the gaze within the ellipse of ``bcea``.
    bin_size
        Side of the bins of the entropies, deg.
    threshold
        Gaze within this angle of the target is toward it, deg.
    target
        Direction (x, y, z) in camera-aligned axes; default: the camera, for a face in the middle of
        the picture. The direction of a screen, say, if that is where people should look.
    min_away, max_gap
        Shortest episode of looking away that counts, and longest glance back or loss that does not
        end it, s; see :func:`away_episodes`.
    reference, recorded, convention
        As for :func:`gaze_vectors`. What is toward the target is judged in the camera's frame
        whatever the reference.

    Returns
    -------
    DataFrame
        One row per group: its keys, ``n_frames``, ``n_valid`` (rows with gaze), ``seconds`` (that
        these stand for) and

        =========================  ===============================================================
        ``pitch_mean yaw_mean``    deg: the mean direction (of the mean vector)
        ``pitch_sd yaw_sd``        deg: SD of the angles (ddof 0)
        ``bcea``                   deg²: see :func:`bcea`
        ``dispersion``             deg: root mean square angle to the mean direction
        ``spherical_variance``     1 − length of the mean vector, 0…1
        ``rms_s2s``                deg: root mean square angle from one frame to the next; the noise
                                   of still gaze
        ``stationary_entropy``     bits: of where gaze is
        ``transition_entropy``     bits: of where it goes next from where it is
        ``bins_visited``           numbers of bins looked at, and of changes between bins
        ``n_transitions``
        ``bin_size``               deg: as given; entropies of other sizes cannot be compared
        ``toward_share``           of the time, within `threshold` of the target
        ``n_away``                 episodes of looking away, at least `min_away` long
        ``away_rate``              per minute
        ``away_duration_mean``     s
        =========================  ===============================================================

        The last four are NaN without head pose (unless ``recorded="camera"``), the last three
        without time.

    Raises
    ------
    FexError
        If a column is not in the table.
    OptionError
        If an option is out of its range.

    Notes
    -----
    All means weigh frames by the time they stand for. Entropies: see :func:`gaze_entropy`; they
    grow with the noise and, slowly, with the length of a recording. Staying in a bin is no
    transition, so that the entropy of transitions can be above the stationary one.

    Video gives gaze with errors of 10° and more in people it was not calibrated for (Kellnhofer et
    al., 2019), part of it a constant of the person. A constant does not matter to dispersion, but
    decides about ``toward_share``: look at the ``gaze_heatmap`` before a threshold.

    References
    ----------
    Shiferaw, B., Downey, L. & Crewther, D. (2019). A review of gaze entropy as a measure of visual
        scanning efficiency. Neurosci. Biobehav. Rev., 96, 353-366.
        https://doi.org/10.1016/j.neubiorev.2018.12.007
    Krejtz, K., Duchowski, A., Szmidt, T., Krejtz, I., González Perilli, F., Pires, A., Vilaro, A. &
        Villalobos, N. (2015). Gaze transition entropy. ACM Trans. Appl. Percept., 13(1), 4.
        https://doi.org/10.1145/2834121
    Kellnhofer, P., Recasens, A., Stent, S., Matusik, W. & Torralba, A. (2019). Gaze360: physically
        unconstrained gaze estimation in the wild. ICCV. https://doi.org/10.1109/ICCV.2019.00701

    Examples
    --------
    >>> table = pd.DataFrame({"time": [0.0, 0.1, 0.2], "gaze_pitch": 0.0,
    ...                       "gaze_yaw": [-0.1, 0.1, 0.0]})
    >>> gaze_summary(table)[["yaw_sd", "n_transitions"]].round(3).to_dict("records")
    [{'yaw_sd': 4.678, 'n_transitions': 2}]
    """
    p = check_number("p", p, 0.0, 1.0, open_high=True)
    bin_size = check_number("bin_size", bin_size, 0.01, 180.0, unit="deg")
    limit = check_number("threshold", threshold, 0.0, 180.0, unit="deg")
    rule = event_rules(["off"], limit, limit, min_away, max_gap)
    vectors = gaze_vectors(frame, reference, recorded=recorded, convention=convention)
    off = pd.DataFrame({"off": _off_target(frame, target, recorded, convention)})
    rows = group_rows(frame, by)
    parts = rows.parts
    vectors = vectors[parts.order]
    valid = complete(vectors)
    angles = gaze_angles(vectors)
    mean = rows.mean(vectors)
    length = np.linalg.norm(mean, axis=1)
    middle = mean / np.where(length > 0, length, np.nan)[:, None]
    apart = _between(vectors, middle[parts.row_group])
    centred = angles - rows.mean(angles)[parts.row_group]
    variance = rows.mean(centred**2)
    covariance = rows.mean(centred.prod(axis=1))
    moves = np.where(rows.pairs(valid), _between(vectors, np.roll(vectors, 1, axis=0)), np.nan)
    entropy = gaze_entropy(rows, angles, bin_size)
    ((_, off_target, episodes),) = detect_events(off, parts, rule)
    away = rates_of(rows, off_target, episodes)
    no_away = ~(away["seconds"] > 0)
    return rows.table(
        n_frames=rows.n_frames,
        n_valid=rows.count(valid),
        seconds=rows.seconds(valid),
        **dict(zip(("pitch_mean", "yaw_mean"), gaze_angles(middle).T, strict=True)),
        **dict(zip(("pitch_sd", "yaw_sd"), np.sqrt(variance).T, strict=True)),
        bcea=_ellipse(variance.prod(axis=1) - covariance**2, p),
        dispersion=np.sqrt(rows.mean(apart**2)),
        spherical_variance=1 - length,
        rms_s2s=np.sqrt(_plain_mean(rows, moves**2)),
        stationary_entropy=entropy.stationary,
        transition_entropy=entropy.transition,
        bins_visited=entropy.visited,
        n_transitions=entropy.transitions,
        bin_size=np.full(len(rows), bin_size),
        toward_share=1 - rows.mean(np.where(np.isnan(off_target), np.nan, off_target >= limit)),
        n_away=np.where(no_away, np.nan, away["n_events"]),
        away_rate=away["rate"],
        away_duration_mean=away["mean_duration"],
    )


def _ellipse(determinant: Floats, p: float) -> Floats:
    """Area of the ellipse of a covariance; the determinant of a line may be just below 0."""
    return np.asarray(-2 * np.log1p(-p) * np.pi * np.sqrt(np.maximum(determinant, 0.0)))


def _off_target(
    frame: pd.DataFrame, target: Sequence[float], recorded: str, convention: str
) -> Floats:
    """Angle to the target, (n,) deg; all NaN without head pose where that is needed."""
    has_pose = {"Pitch", "Yaw", "Roll"} <= set(frame.columns)
    reference = "camera" if has_pose or recorded == "camera" else "head"
    vectors = gaze_vectors(frame, reference, recorded=recorded, convention=convention)
    angle = angle_to_target(vectors, target)
    return angle if reference == "camera" else np.full_like(angle, np.nan)


def _between(a: Floats, b: Floats) -> Floats:
    """Angle between unit vectors, row by row, deg."""
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(a - b, axis=1) / 2, 0, 1))))


def _plain_mean(rows: Grouping, values: Floats) -> Floats:
    return divided(rows.total(values), rows.count(~np.isnan(values)))
