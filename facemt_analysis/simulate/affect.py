"""Emotions as AU prototypes: drawing AU vectors, and emotion and affect as functions of them.

The prototypes are those of EMFACS and of the FACS Investigator's Guide (Ekman, Friesen & Hager,
2002), reduced to the AUs of this package. Soft emotion labels are a softmax over weighted sums of
AUs; valence and arousal are the expected place of the emotions on the circumplex. Both are
definitions, not measurements of what somebody feels.

References
----------
Ekman, P., Friesen, W. V., & Hager, J. C. (2002). FACS Investigator's Guide. Research Nexus.
Russell, J. A. (1980). A circumplex model of affect. J. Pers. Soc. Psychol., 39(6), 1161-1178.
    https://doi.org/10.1037/h0077714
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facemt_analysis import schema
from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.mesh import FloatArray

__all__ = [
    "CIRCUMPLEX",
    "PROTOTYPES",
    "Prototype",
    "affect_of",
    "draw_aus",
    "draw_posed",
    "emotion_of",
]


@dataclass(frozen=True)
class Prototype:
    """AUs of one emotion.

    Parameters
    ----------
    variants
        Each a set of AUs that is enough on its own.
    optional
        AUs that may join, with their probability.
    """

    variants: tuple[tuple[str, ...], ...]
    optional: tuple[tuple[str, float], ...] = ()


PROTOTYPES: dict[str, Prototype] = {
    "Neutral": Prototype(((),)),
    "Happy": Prototype(
        (("AU06", "AU12"), ("AU12",), ("AU06", "AU12", "AU25")), (("AU25", 0.5), ("AU26", 0.15))
    ),
    "Sad": Prototype(
        (("AU01", "AU04", "AU15"), ("AU01", "AU15"), ("AU01", "AU04"), ("AU04", "AU15", "AU17")),
        (("AU17", 0.5), ("AU11", 0.1), ("AU06", 0.1)),
    ),
    "Surprise": Prototype(
        (("AU01", "AU02", "AU05", "AU26"), ("AU01", "AU02", "AU26"), ("AU01", "AU02", "AU05")),
        (("AU25", 0.8),),
    ),
    "Fear": Prototype(
        (("AU01", "AU02", "AU04", "AU05", "AU20"), ("AU01", "AU02", "AU04", "AU05", "AU07", "AU20"),
         ("AU01", "AU04", "AU05", "AU20")),
        (("AU25", 0.7), ("AU26", 0.5), ("AU07", 0.3)),
    ),
    "Disgust": Prototype(
        (("AU09",), ("AU10",), ("AU09", "AU17"), ("AU09", "AU15"), ("AU10", "AU17"),
         ("AU09", "AU10")),
        (("AU25", 0.35), ("AU04", 0.3), ("AU07", 0.3), ("AU26", 0.1), ("AU15", 0.2)),
    ),
    "Anger": Prototype(
        (("AU04", "AU05", "AU07", "AU23"), ("AU04", "AU07", "AU24"), ("AU04", "AU07", "AU23"),
         ("AU04", "AU05", "AU24"), ("AU04", "AU07", "AU10", "AU25"),
         ("AU04", "AU05", "AU07", "AU17", "AU23"), ("AU04", "AU07", "AU17", "AU24")),
        (("AU17", 0.25), ("AU24", 0.2)),
    ),
}  # fmt: skip
"""Emotion → AUs (EMFACS)."""

CIRCUMPLEX: dict[str, tuple[float, float]] = {
    "Neutral": (0.0, 0.0),
    "Happy": (0.85, 0.45),
    "Sad": (-0.70, -0.35),
    "Surprise": (0.15, 0.80),
    "Fear": (-0.60, 0.75),
    "Disgust": (-0.70, 0.35),
    "Anger": (-0.65, 0.65),
}
"""Valence and arousal of each full-blown emotion (after Russell, 1980)."""

_NEUTRAL_LOGIT = 2.8
_WEIGHTS: dict[str, dict[str, float]] = {
    "Happy": {"AU12": 6.0, "AU06": 1.2, "AU15": -3.0, "AU04": -1.5, "AU09": -2.0, "AU20": -1.0},
    "Sad": {"AU01": 2.2, "AU04": 1.6, "AU15": 4.2, "AU17": 1.2, "AU12": -4.0, "AU02": -2.5,
            "AU26": -1.5, "AU05": -2.0, "AU09": -2.5, "AU10": -2.0, "AU20": -2.0, "AU07": -1.0},
    "Surprise": {"AU01": 1.3, "AU02": 2.4, "AU05": 2.2, "AU26": 2.4, "AU04": -4.5, "AU20": -3.5,
                 "AU12": -1.5, "AU15": -1.0, "AU09": -2.0},
    "Fear": {"AU01": 1.3, "AU02": 0.8, "AU04": 1.4, "AU05": 1.9, "AU20": 4.2, "AU07": 0.4,
             "AU26": 0.5, "AU12": -3.0, "AU15": -1.0, "AU09": -1.5, "AU23": -1.5, "AU24": -1.5},
    "Disgust": {"AU09": 5.6, "AU10": 4.6, "AU17": 0.6, "AU15": 0.3, "AU12": -3.0, "AU01": -1.0,
                "AU02": -1.0, "AU05": -1.5, "AU23": -0.5},
    "Anger": {"AU04": 3.4, "AU07": 1.6, "AU23": 2.4, "AU24": 2.2, "AU05": 1.3, "AU10": 0.8,
              "AU17": 0.4, "AU01": -3.0, "AU02": -1.5, "AU12": -3.5, "AU15": -1.5, "AU09": -2.0,
              "AU20": -2.0},
}  # fmt: skip


def emotion_of(aus: npt.ArrayLike) -> FloatArray:
    """Soft emotion label of an AU vector.

    Parameters
    ----------
    aus
        (…, 20) intensities in the order of `AUS`.

    Returns
    -------
    ndarray
        (…, 7) in the order of ``schema.EMOTIONS``, summing to 1: softmax of weighted AU sums
        against a fixed level for Neutral.

    Examples
    --------
    >>> from facemt_analysis.simulate import au_vector
    >>> p = emotion_of(au_vector(AU06=0.8, AU12=0.9))
    >>> schema.EMOTIONS[int(p.argmax())]
    'Happy'
    """
    values = np.asarray(aus, np.float64)
    weights = np.zeros((len(schema.EMOTIONS), len(AUS)))
    for name, row in _WEIGHTS.items():
        for au, weight in row.items():
            weights[schema.EMOTIONS.index(name), AUS.index(au)] = weight
    logits = values @ weights.T
    logits[..., 0] = _NEUTRAL_LOGIT
    logits = logits - logits.max(-1, keepdims=True)
    likely = np.exp(logits)
    return np.asarray(likely / likely.sum(-1, keepdims=True))


def affect_of(aus: npt.ArrayLike) -> FloatArray:
    """Valence and arousal of an AU vector.

    Parameters
    ----------
    aus
        (…, 20) intensities in the order of `AUS`.

    Returns
    -------
    ndarray
        (…, 2) valence, arousal in −1…1: the mean place of the emotions, less what a face at rest
        gets, and calmer with closed eyes. Exactly 0, 0 for a neutral face.

    Examples
    --------
    >>> affect_of(np.zeros(20))
    array([0., 0.])
    >>> from facemt_analysis.simulate import au_vector
    >>> bool(affect_of(au_vector(AU12=0.8))[0] > 0.5)
    True
    """
    values = np.asarray(aus, np.float64)
    places = np.array([CIRCUMPLEX[name] for name in schema.EMOTIONS])
    at_rest = emotion_of(np.zeros(len(AUS))) @ places
    out = emotion_of(values) @ places - at_rest
    out[..., 1] -= 0.3 * values[..., AUS.index("AU43")]
    return np.asarray(np.clip(out, -1.0, 1.0))


# Combinations the muscles or the geometry forbid: the stronger switches the other off, in part.
_EXCLUDES = (
    ("AU43", "AU05", 1.0), ("AU28", "AU25", 1.0), ("AU28", "AU24", 1.0), ("AU28", "AU23", 0.7),
    ("AU24", "AU25", 1.0), ("AU28", "AU26", 0.6), ("AU24", "AU26", 0.9), ("AU12", "AU15", 0.7),
    ("AU23", "AU25", 0.6), ("AU17", "AU26", 0.5),
)  # fmt: skip
_TALK = (("AU25", 0.7), ("AU26", 0.35), ("AU10", 0.15), ("AU12", 0.3), ("AU14", 0.15),
         ("AU17", 0.2), ("AU20", 0.2), ("AU23", 0.15), ("AU01", 0.15), ("AU02", 0.15),
         ("AU07", 0.15))  # fmt: skip
# Weeping, laughing, wincing: whole faces at full strength, often with the eyes shut.
_STRONG = (
    (("AU01", "AU04", "AU07", "AU15", "AU17"), (("AU43", 0.5), ("AU06", 0.4), ("AU24", 0.3))),
    (("AU04", "AU06", "AU07", "AU10", "AU20", "AU25"), (("AU43", 0.5), ("AU26", 0.3))),
    (("AU06", "AU07", "AU12", "AU25"), (("AU26", 0.6), ("AU43", 0.3), ("AU10", 0.2))),
    (("AU04", "AU06", "AU07", "AU09"), (("AU43", 0.4), ("AU10", 0.5), ("AU25", 0.3))),
)


def draw_aus(rng: np.random.Generator, emotion: str | None = None) -> FloatArray:
    """Draw an AU vector (20,) as faces show them.

    Parameters
    ----------
    rng
        Source of randomness.
    emotion
        One of ``schema.EMOTIONS``: its prototype, with varying strength, missing and added AUs.
        None: 45 % an emotion drawn at random, 30 % one to four AUs at random, 10 % a talking mouth,
        15 % a whole face at full strength, as in weeping and laughing.
    """
    aus = np.zeros(len(AUS))
    kind = rng.random()
    if emotion is None and kind < 0.45:
        names = list(PROTOTYPES)
        emotion = str(rng.choice(names, p=np.array([1, 2, 1, 1, 1, 1, 1]) / 8))
    if emotion is not None:
        prototype = PROTOTYPES[emotion]
        variant = prototype.variants[int(rng.integers(len(prototype.variants)))]
        strength = rng.beta(2.2, 1.6)
        for name in variant:
            aus[AUS.index(name)] = np.clip(strength * rng.lognormal(0.1, 0.3), 0.0, 1.0)
        for name, chance in prototype.optional:
            if rng.random() < chance:
                part = AUS.index(name)
                aus[part] = max(aus[part], np.clip(strength * rng.lognormal(-0.1, 0.4), 0, 1))
    elif kind < 0.75:
        chosen = rng.choice(len(AUS), size=int(rng.integers(1, 5)), replace=False)
        aus[chosen] = rng.beta(1.6, 1.2, size=len(chosen))
    elif kind < 0.85:
        for name, chance in _TALK:
            if rng.random() < chance:
                aus[AUS.index(name)] = rng.beta(1.3, 2.0)
    else:
        core, optional = _STRONG[int(rng.integers(len(_STRONG)))]
        for name, chance in (*((name, 0.9) for name in core), *optional):
            if rng.random() < chance:
                aus[AUS.index(name)] = rng.beta(3.0, 1.2)
    if rng.random() < 0.25:
        extra = int(rng.integers(len(AUS)))
        aus[extra] = max(aus[extra], rng.beta(1.2, 3.0))
    if rng.random() < 0.12:
        aus[AUS.index("AU43")] = rng.beta(3.0, 1.0)
    return _possible(aus)


def draw_posed(rng: np.random.Generator) -> FloatArray:
    """Draw an AU vector (20,) as people pose for a photographer.

    Parameters
    ----------
    rng
        Source of randomness.

    Returns
    -------
    ndarray
        Each of ``schema.EMOTIONS`` equally often, and plain: all its AUs strong, no others, so that
        the prototype is what the face shows; Neutral is a face at rest but for traces.

    Examples
    --------
    >>> drawn = [emotion_of(draw_posed(np.random.default_rng(i))) for i in range(200)]
    >>> bool(np.bincount(np.argmax(drawn, 1), minlength=7).min() > 10)
    True
    """
    emotion = str(rng.choice(schema.EMOTIONS))
    aus = np.where(rng.random(len(AUS)) < 0.15, rng.beta(1.0, 9.0, len(AUS)), 0.0)
    prototype = PROTOTYPES[emotion]
    variant = prototype.variants[int(rng.integers(len(prototype.variants)))]
    strength = rng.beta(4.0, 1.3)
    joined = [name for name, chance in prototype.optional if rng.random() < chance]
    for name in (*variant, *joined):
        aus[AUS.index(name)] = np.clip(strength * rng.lognormal(0.0, 0.2), 0.0, 1.0)
    return _possible(aus)


def _possible(aus: FloatArray) -> FloatArray:
    """Weaken what cannot be together; changes and gives back `aus`."""
    for one, other, share in _EXCLUDES:
        i, j = AUS.index(one), AUS.index(other)
        strong, weak = (i, j) if aus[i] >= aus[j] else (j, i)
        aus[weak] *= 1 - share * min(2 * aus[strong], 1.0)
    part, drop = AUS.index("AU25"), AUS.index("AU26")
    aus[part] = max(aus[part], min(1.0, 0.9 * aus[drop]))  # a dropped jaw parts the lips
    return aus
