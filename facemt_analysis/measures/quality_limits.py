"""Where a face stops being trustworthy: the limits of all quality checks, with their sources."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields, replace
from typing import Any

from facemt_analysis.checks import check_number
from facemt_analysis.errors import OptionError

__all__ = ["QualityLimits", "choose_limits"]

_INF = float("inf")


def _limit(default: float | None, unit: str, high: float = _INF) -> Any:
    return field(default=default, metadata={"unit": unit, "high": high})


@dataclass(frozen=True, kw_only=True)
class QualityLimits:
    """Limits of the quality checks; None switches a check off.

    The first ones judge a row, those from `valid_share` on a recording (or any other group). They
    are starting points, not truths: report the ones you used.

    Parameters
    ----------
    score
        Least ``FaceScore``. 0.7: below it the author of OpenFace takes landmarks for wrong
        (OpenFace issue 270); other face detectors are calibrated differently.
    face_px
        Least size of a face, px (square root of the area of its box). 72: from heads of 72 × 96 px
        on, resolution makes no obvious difference to the recognition of expressions; below
        36 × 48 px it fails [1]_.
    yaw_deg, pitch_deg, roll_deg
        Farthest turn, nod and tilt of the head, degrees. 30 for turns: FaceReader's action units
        got significantly worse from there to 45° [2]_. The others are this package's choice: 30
        for nods likewise, 45 for tilts, which do not hide anything.
    overlap
        Greatest intersection over union with the box of another face. 0.3: this package's choice.
    cut_off
        Largest share of the box outside the picture. 0.1: this package's choice.
    duplicates
        Whether rows equal to the row before count as flagged.
    valid_share
        Least share of frames with a measured face. 0.8: this package's choice.
    flagged_share
        Largest share of rows with any one reason. 0.1: this package's choice.
    serious_share
        Share from which a finding is serious: so many frames lost or flagged. 0.5.
    gap
        Longest time without the face, s. 1.0: this package's choice.
    switches
        Largest number of times the main face may change its track. 0.
    hz
        Least frame rate, Hz. 24: film and most video; expressions of a third of a second and
        blinks need it.
    jitter
        Largest unevenness of the frame intervals, as a share of the usual one. 0.2.
    dropped_share
        Largest share of frames that are absent from an otherwise steady recording. 0.05.

    References
    ----------
    .. [1] Tian, Y. (2004). Evaluation of face resolution for expression analysis. CVPR Workshops.
       https://doi.org/10.1109/CVPR.2004.60
    .. [2] Namba, S., Sato, W., & Yoshikawa, S. (2021). Viewpoint robustness of automated facial
       action unit detection systems. Applied Sciences, 11(23), 11171.
       https://doi.org/10.3390/app112311171

    Examples
    --------
    >>> QualityLimits(face_px=48, overlap=None).face_px
    48
    >>> QualityLimits(score=7)
    Traceback (most recent call last):
    facemt_analysis.errors.OptionError: `score` must be at least 0 and at most 1, but got 7.
    """

    score: float | None = _limit(0.7, "", 1.0)
    face_px: float | None = _limit(72.0, "px")
    yaw_deg: float | None = _limit(30.0, "degrees", 180.0)
    pitch_deg: float | None = _limit(30.0, "degrees", 180.0)
    roll_deg: float | None = _limit(45.0, "degrees", 180.0)
    overlap: float | None = _limit(0.3, "", 1.0)
    cut_off: float | None = _limit(0.1, "", 1.0)
    duplicates: bool = True
    valid_share: float | None = _limit(0.8, "", 1.0)
    flagged_share: float | None = _limit(0.1, "", 1.0)
    serious_share: float | None = _limit(0.5, "", 1.0)
    gap: float | None = _limit(1.0, "s")
    switches: float | None = _limit(0, "")
    hz: float | None = _limit(24.0, "Hz")
    jitter: float | None = _limit(0.2, "")
    dropped_share: float | None = _limit(0.05, "", 1.0)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.metadata and value is not None:
                check_number(
                    item.name, value, 0.0, item.metadata["high"], unit=item.metadata["unit"]
                )


def choose_limits(limits: QualityLimits | None = None, **changes: float | None) -> QualityLimits:
    """Give the default limits, or the given ones, with changes by name.

    Raises
    ------
    OptionError
        If there is no limit of a name, or its value cannot be one.

    Examples
    --------
    >>> choose_limits(yaw_deg=45).yaw_deg
    45
    >>> choose_limits(yaw=45)
    Traceback (most recent call last):
    facemt_analysis.errors.OptionError: There is no limit 'yaw'. Did you mean 'yaw_deg'? ...
    """
    base = QualityLimits() if limits is None else limits
    names = [item.name for item in fields(base)]
    for name in changes:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise OptionError(f"There is no limit {name!r}.{hint} There are: {', '.join(names)}.")
    return replace(base, **changes) if changes else base  # type: ignore[arg-type]
