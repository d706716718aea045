"""The people a simulated study draws from: levels of every feature, and how far they vary.

A level is the mean of a feature over the frames of one recording. For subject *s* in condition *c*
and trial *k*

    level(s, c, k) = cell(group of s, c) + subject(s) + reactivity(s, c) + trial(s, c, k)

where the last three are independent, have mean 0 and known standard deviations, and are *bounded*,
so that every level fits the range of the feature and nothing is ever clipped: each is a beta
variate, shifted and stretched, B ~ Beta(θν, (1−θ)ν), width · (B − θ), with
SD = width · √(θ(1−θ)/(ν+1)).
Features of one kind (smiling and Happy, say) vary together through a Gaussian copula, which leaves
each one's distribution as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facemt_analysis import schema
from facemt_analysis.errors import FexError

__all__ = ["AUS", "CONTROLLED_EMOTIONS", "FEATURES", "Components", "Population", "population"]

Floats = npt.NDArray[np.float64]

AUS = schema.GROUPS["aus"].columns
CONTROLLED_EMOTIONS = schema.EMOTIONS[1:]  # Neutral is what these leave
FEATURES = (
    *AUS, *CONTROLLED_EMOTIONS, "valence", "arousal", "gaze_pitch", "gaze_yaw",
    "Pitch", "Roll", "Yaw",
)  # fmt: skip
"""The features whose level is drawn; all others follow from them."""

_CONCENTRATION = 5.0  # ν of the beta variates: bell-shaped, lighter tails than a normal variate
_FAR = 8.0  # normal variates beyond this do not happen
_SHARES = (0.30, 0.55, 0.15)  # of the width, for subject, reactivity, trial

# Mean scores at rest. Medians of the recordings measured for this table (see `simulate_study`) run
# from 0.00 (AU09) to 0.98 (AU10), but that is one person; scores of many people lie nearer to each
# other, in the same order.
_AU_BASE = {
    "AU01": 0.22, "AU02": 0.16, "AU04": 0.14, "AU05": 0.08, "AU06": 0.18, "AU07": 0.20,
    "AU09": 0.03, "AU10": 0.30, "AU11": 0.10, "AU12": 0.22, "AU14": 0.30, "AU15": 0.08,
    "AU17": 0.20, "AU20": 0.04, "AU23": 0.26, "AU24": 0.18, "AU25": 0.28, "AU26": 0.20,
    "AU28": 0.07, "AU43": 0.06,
}  # fmt: skip
_EMOTION_BASE = {
    "Happy": 0.20, "Sad": 0.04, "Surprise": 0.05, "Fear": 0.015, "Disgust": 0.02, "Anger": 0.025,
}  # fmt: skip
# base; SD of subject, reactivity, trial; score or rad
_SYMMETRIC = {
    "valence": (0.05, 0.08, 0.10, 0.04), "arousal": (0.05, 0.08, 0.10, 0.04),
    "gaze_pitch": (0.00, 0.03, 0.02, 0.01), "gaze_yaw": (-0.02, 0.04, 0.02, 0.01),
    "Pitch": (0.08, 0.06, 0.03, 0.02), "Roll": (0.02, 0.03, 0.01, 0.01),
    "Yaw": (-0.02, 0.05, 0.02, 0.015),
}  # fmt: skip
_LIMIT = {"valence": 0.95, "arousal": 0.95}  # of the cells' levels; angles: 0.8 rad
_MOST_EMOTION = 0.97  # of the six emotions together

# Loadings on three traits: positive, negative, alert.
_LOADINGS = {
    "AU06": (0.70, 0, 0), "AU12": (0.75, 0, 0), "AU25": (0.40, 0, 0), "AU07": (0.30, 0, 0),
    "AU14": (0.30, 0, 0), "Happy": (0.75, 0, 0), "valence": (0.60, -0.50, 0),
    "AU04": (0, 0.50, 0), "AU15": (0, 0.60, 0), "AU17": (0, 0.50, 0), "AU24": (0, 0.30, 0),
    "AU09": (0, 0.50, 0), "AU10": (0, 0.40, 0), "Sad": (0, 0.60, 0), "Disgust": (0, 0.50, 0),
    "Anger": (0, 0.50, 0), "AU01": (0, 0, 0.60), "AU02": (0, 0, 0.65), "AU05": (0, 0, 0.60),
    "AU26": (0, 0, 0.40), "AU20": (0, 0, 0.30), "Surprise": (0, 0, 0.65), "Fear": (0, 0, 0.50),
    "arousal": (0, 0, 0.60),
}  # fmt: skip
N_TRAITS = 3


@lru_cache(maxsize=64)
def _beta_of_normal(a: float, b: float) -> Callable[[Floats], Floats]:
    """Quantile function of Beta(a, b) after that of the normal distribution, exact to 1e-8.

    A cubic spline: the inverse of the incomplete beta function itself would take most of the time.
    """
    from scipy.interpolate import CubicSpline
    from scipy.special import betaincinv, ndtr

    x = np.linspace(-_FAR, _FAR, 401)
    spline = CubicSpline(x, betaincinv(a, b, ndtr(x)))
    return lambda z: np.asarray(spline(z), np.float64)


@dataclass(frozen=True)
class Components:
    """Standard deviations of the parts of a level; one value per feature, in its own unit."""

    subject: Floats
    reactivity: Floats
    trial: Floats


@dataclass(frozen=True)
class Population:
    """Distributions of the levels.

    Parameters
    ----------
    base
        (features,) level of the reference cell.
    theta
        (features,) where in its reach the mean of each part lies: below 0.5 skewed to the right.
    concentration
        (features,) ν of the beta variates.
    widths
        (3, features) reach of subject, reactivity and trial, from least to most.
    low, high
        (features,) bounds of all levels.
    """

    base: Floats
    theta: Floats
    concentration: Floats
    widths: Floats
    low: Floats
    high: Floats

    @property
    def sds(self) -> Components:
        """Standard deviations of the three parts."""
        unit = np.sqrt(self.theta * (1 - self.theta) / (self.concentration + 1))
        subject, reactivity, trial = self.widths * unit
        return Components(subject, reactivity, trial)

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """How far below and above its cell a level can lie."""
        total = self.widths.sum(0)
        return self.theta * total, (1 - self.theta) * total

    def variates(self, normals: Floats, part: int) -> Floats:
        """Turn normal variates (…, features) into one part of the levels, same shape."""
        out = np.empty_like(normals)
        for i, (theta, nu) in enumerate(zip(self.theta, self.concentration, strict=True)):
            beta = _beta_of_normal(float(theta * nu), float((1 - theta) * nu))
            out[..., i] = beta(np.clip(normals[..., i], -_FAR, _FAR)) - theta
        return np.asarray(self.widths[part] * out)

    def fitted(self, in_sds: Floats, raw: Floats) -> Population:
        """Narrow the spread of features so that planted effects stay within the range.

        All standard deviations of a feature shrink by one factor, and with them the effects given
        in their units; standardised effects are what was asked for.

        Parameters
        ----------
        in_sds
            (features, 2) lowest and highest shift of a cell by effects given in standard
            deviations, with the spread as it is now.
        raw
            (features, 2) the same by effects in the feature's own unit.
        """
        below, above = self.reach
        up = self.high - self.base - raw[:, 1]
        down = self.base - self.low + raw[:, 0]
        factor = np.minimum(1.0, np.minimum(up / (above + in_sds[:, 1]),
                                            down / (below - in_sds[:, 0])))  # fmt: skip
        emotions = [FEATURES.index(name) for name in CONTROLLED_EMOTIONS]
        room = _MOST_EMOTION - (self.base + raw[:, 1])[emotions].sum()
        most = ((above + in_sds[:, 1]) * factor)[emotions].sum()
        factor[emotions] *= min(1.0, room / most)
        tight = [name for name, f in zip(FEATURES, factor, strict=True) if f < 0.02]
        if tight:
            i = FEATURES.index(tight[0])
            raise FexError(
                f"The effects on {tight[0]} do not fit into its range: levels must stay in "
                f"{self.low[i]:.3g} to {self.high[i]:.3g} and start from {self.base[i]:.3g}. "
                "Plant smaller effects."
            )
        return Population(
            self.base, self.theta, self.concentration, self.widths * factor, self.low, self.high
        )


def population() -> Population:
    """Give the distributions before effects are planted."""
    n = len(FEATURES)
    base, theta, nu = np.zeros(n), np.full(n, 0.5), np.full(n, _CONCENTRATION)
    low, high, widths = np.zeros(n), np.ones(n), np.zeros((3, n))
    for i, name in enumerate(FEATURES):
        if name in _SYMMETRIC:
            base[i], *sds = _SYMMETRIC[name]
            widths[:, i] = np.array(sds) * 2 * np.sqrt(_CONCENTRATION + 1)
            limit = _LIMIT.get(name, 0.8)
            low[i], high[i] = -limit, limit
            continue
        base[i] = _AU_BASE[name] if name in _AU_BASE else _EMOTION_BASE[name]
        # rare emotions stay symmetric, or together they could exceed 1
        theta[i] = 0.5 if name in _EMOTION_BASE and name != "Happy" else 0.2 + 0.6 * base[i]
        widths[:, i] = 0.88 * base[i] / theta[i] * np.array(_SHARES)
        low[i], high[i] = 0.05 * base[i], 0.95
    return Population(base, theta, nu, widths, low, high)


def correlated(traits: Floats, own: Floats) -> Floats:
    """Mix unit normal variates of the traits (…, 3) and the features' own (…, features)."""
    loadings = np.array([_LOADINGS.get(name, (0.0, 0.0, 0.0)) for name in FEATURES])
    out = np.sqrt(1 - (loadings**2).sum(1)) * own
    for k in range(N_TRAITS):  # not a matrix product: its rounding depends on the number of rows
        out = out + loadings[:, k] * traits[..., k, None]
    return np.asarray(out, np.float64)
