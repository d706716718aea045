"""Action units as deformations of the face mesh, written from their FACS definitions.

Each action unit (AU) is a handful of *pulls*: where the skin is attached (mesh vertices), which way
the muscle draws it at full intensity, how far the effect reaches along the skin. Lids and lips,
which must meet exactly, are not pulled but *closed*: a fraction of the way between the two margins
of the face at hand. The jaw turns about an axis through the condyles.

Directions are those of the muscles and of the appearance changes in Ekman, Friesen & Hager (2002),
*Facial Action Coding System: The Manual*; amounts are what anthropometry reports for
maximal expressions (Holberg et al., 2006: 5-12 mm at mouth corners and brows), with an outer-eye-
corner distance of 90 mm. Nothing here is fitted to another program's arrays.

References
----------
Ekman, P., Friesen, W. V., & Hager, J. C. (2002). Facial Action Coding System: The manual on CD ROM.
    Research Nexus, Salt Lake City.
Holberg, C., Maier, C., Steinhäuser, S., & Rudzki-Janson, I. (2006). Inter-individual variability
    of the facial morphology during conscious smiling. J Orofac Orthop, 67, 234-243.
    https://doi.org/10.1007/s00056-006-0518-8
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.mesh import FloatArray

__all__ = ["AUS", "AU_SPECS", "AUSpec", "Pull", "au_vector"]

AUS = schema.GROUPS["aus"].columns
"""Names of the 20 AUs in the order of every AU vector."""


@dataclass(frozen=True)
class Pull:
    """One attachment of a muscle on the subject's right side (the left is its mirror image).

    Parameters
    ----------
    vertices
        Mesh vertices that move fully.
    vector
        Displacement at intensity 1: lateral (away from the midline), up, forward, in
        outer-eye-corner distances.
    reach
        Distance along the skin at which the effect has fallen to 1/e, same unit.
    """

    vertices: tuple[int, ...]
    vector: tuple[float, float, float]
    reach: float


@dataclass(frozen=True)
class AUSpec:
    """What one AU does at intensity 1.

    Parameters
    ----------
    pulls
        Attachments moved by the muscle.
    upper_lid, lower_lid
        Fraction of the lid opening by which each margin moves towards the other.
    lip_roll
        Fraction by which the red of the upper and of the lower lip narrows towards the line between
        the lips.
    lip_in
        Backward movement of the narrowed lips, outer-eye-corner distances.
    lip_seal
        Fraction by which an open mouth is closed.
    jaw
        Opening of the jaw, degrees.
    source
        What the manual says, in our words.
    """

    source: str
    pulls: tuple[Pull, ...] = ()
    upper_lid: float = 0.0
    lower_lid: float = 0.0
    lip_roll: tuple[float, float] = (0.0, 0.0)
    lip_in: float = 0.0
    lip_seal: float = 0.0
    jaw: float = 0.0


AU_SPECS: dict[str, AUSpec] = {
    "AU01": AUSpec(
        "Medial frontalis lifts the inner corner of the brow and the middle of the forehead.",
        (
            Pull((107, 55), (-0.005, 0.10, 0.0), 0.16),
            Pull((9, 8), (0.0, 0.055, 0.0), 0.12),
            Pull((108, 151), (0.0, 0.045, 0.0), 0.18),
            Pull((189, 221), (0.0, 0.012, 0.0), 0.07),
        ),
        upper_lid=-0.05,
    ),
    "AU02": AUSpec(
        "Lateral frontalis lifts the outer half of the brow into an arch; its fold shows.",
        (
            Pull((70, 63, 46, 53), (0.01, 0.095, -0.01), 0.15),
            Pull((105, 52), (0.0, 0.02, 0.0), 0.08),
            Pull((68, 104, 71), (0.005, 0.05, -0.01), 0.17),
            Pull((225, 113, 224), (0.0, 0.012, 0.0), 0.06),
        ),
        upper_lid=-0.06,
    ),
    "AU04": AUSpec(
        "Corrugator and depressor supercilii draw the brows down and together; procerus lowers the "
        "glabella; the brow presses on the lid.",
        (
            Pull((107, 55, 65, 66), (-0.038, -0.065, 0.012), 0.14),
            Pull((105, 52, 53, 63), (-0.012, -0.05, 0.0), 0.13),
            Pull((9, 8), (0.0, -0.045, 0.012), 0.12),
            Pull((222, 223, 221, 224), (0.0, -0.018, 0.0), 0.05),
        ),
        upper_lid=0.10,
    ),
    "AU05": AUSpec(
        "Levator palpebrae raises the upper lid: more white of the eye shows above the iris.",
        (Pull((27, 28, 29), (0.0, 0.012, -0.006), 0.06),),
        upper_lid=-0.55,
        lower_lid=-0.06,
    ),
    "AU06": AUSpec(
        "Outer orbicularis oculi lifts the cheek and gathers skin around the eye towards it; bags "
        "under the lower lid, crow's feet, the outer brow a little lower.",
        (
            Pull((50, 101, 118, 117), (-0.005, 0.065, 0.03), 0.19),
            Pull((229, 230, 228, 31), (0.0, 0.02, 0.012), 0.08),
            Pull((35, 143, 226, 111), (-0.03, 0.012, 0.0), 0.13),
            Pull((46, 70), (-0.008, -0.022, 0.0), 0.09),
        ),
        upper_lid=0.10,
        lower_lid=0.22,
    ),
    "AU07": AUSpec(
        "Inner orbicularis oculi tightens the lids: the lower lid rises and straightens, the "
        "opening narrows.",
        (Pull((229, 230, 231), (0.0, 0.015, 0.0), 0.06),),
        upper_lid=0.18,
        lower_lid=0.40,
    ),
    "AU09": AUSpec(
        "Levator labii superioris alaeque nasi lifts the wings of the nose and the middle of the "
        "upper lip, wrinkles the sides of the nose, pulls the inner brow down.",
        (
            Pull((48, 64, 129, 102), (0.012, 0.065, 0.0), 0.10),
            Pull((131, 198, 217, 126), (0.0, 0.04, 0.012), 0.09),
            Pull((39, 37, 40, 165), (0.0, 0.05, 0.006), 0.13),
            Pull((101, 36, 142), (-0.008, 0.035, 0.015), 0.12),
            Pull((55, 193, 8), (-0.012, -0.045, 0.0), 0.14),
            Pull((1, 4), (0.0, 0.012, -0.004), 0.08),
        ),
        upper_lid=0.10,
        lower_lid=0.18,
    ),
    "AU10": AUSpec(
        "Levator labii superioris raises the upper lip, most between its middle and the corner, "
        "pushes the infraorbital triangle up and widens the wings of the nose.",
        (
            Pull((39, 40, 37, 73, 74), (0.008, 0.075, 0.008), 0.12),
            Pull((0, 11), (0.0, 0.04, 0.0), 0.09),
            Pull((203, 206, 36), (0.005, 0.045, 0.02), 0.13),
            Pull((129, 64, 48), (0.016, 0.022, 0.0), 0.07),
        ),
        lower_lid=0.04,
    ),
    "AU11": AUSpec(
        "Zygomaticus minor draws the skin of the upper middle nasolabial fold up and out; the "
        "upper lip rises a little between middle and corner.",
        (
            Pull((203, 206, 92), (0.035, 0.045, 0.0), 0.12),
            Pull((40, 39), (0.012, 0.025, 0.0), 0.09),
            Pull((36, 205), (0.01, 0.018, 0.015), 0.11),
        ),
    ),
    "AU12": AUSpec(
        "Zygomaticus major draws the corners of the lips back and up along the cheekbone and "
        "pushes the cheek up; lips stretch, the nasolabial fold deepens.",
        (
            Pull((61, 76, 62, 78), (0.105, 0.08, -0.08), 0.17),
            Pull((0, 11, 12, 13, 37, 82), (0.0, 0.022, -0.012), 0.12),
            Pull((57, 186, 216, 212), (0.07, 0.055, -0.03), 0.14),
            Pull((50, 205, 187), (0.025, 0.035, 0.02), 0.16),
        ),
        lower_lid=0.06,
    ),
    "AU14": AUSpec(
        "Buccinator tightens the corners of the mouth and pulls them inwards: a dimple.",
        (
            Pull((61, 76, 62, 78), (0.04, 0.012, -0.055), 0.09),
            Pull((57, 186, 43), (0.015, 0.0, -0.05), 0.08),
            Pull((18, 200), (0.0, 0.012, 0.0), 0.12),
        ),
        lip_roll=(0.10, 0.10),
        lip_seal=0.3,
    ),
    "AU15": AUSpec(
        "Depressor anguli oris pulls the lip corners down; the lower lip is stretched flat.",
        (
            Pull((61, 76, 62, 78), (0.015, -0.105, -0.015), 0.11),
            Pull((43, 202, 212, 57), (0.008, -0.045, 0.0), 0.13),
            Pull((204, 211), (0.0, -0.015, 0.012), 0.10),
        ),
    ),
    "AU17": AUSpec(
        "Mentalis pushes the chin boss up and the lower lip with it: the mouth turns down, the "
        "lower lip protrudes, the chin wrinkles.",
        (
            Pull((199, 200, 201, 208), (0.0, 0.06, 0.008), 0.15),
            Pull((17, 84, 18, 83, 14, 87), (0.0, 0.06, 0.03), 0.12),
            Pull((0, 37, 13, 82), (0.0, 0.03, 0.012), 0.08),
            Pull((152, 175, 171), (0.0, 0.03, 0.0), 0.12),
        ),
        lip_roll=(0.08, 0.0),
        lip_seal=0.5,
    ),
    "AU20": AUSpec(
        "Risorius pulls the lips straight back towards the ears: the mouth is longer, the lips are "
        "flatter.",
        (
            Pull((61, 76, 62, 78), (0.105, -0.025, -0.085), 0.17),
            Pull((57, 212, 202, 43), (0.075, -0.02, -0.04), 0.15),
            Pull((214, 207, 192), (0.03, 0.0, -0.01), 0.15),
        ),
        lip_roll=(0.12, 0.12),
    ),
    "AU23": AUSpec(
        "Orbicularis oris tightens: the lips narrow and roll in a little, the mouth is shorter.",
        (Pull((61, 76, 62, 78), (-0.035, 0.0, 0.012), 0.12),),
        lip_roll=(0.50, 0.50),
        lip_in=0.012,
        lip_seal=0.5,
    ),
    "AU24": AUSpec(
        "Orbicularis oris presses the lips together: the red narrows, the skin above and below "
        "bulges, the corners keep their place.",
        (
            Pull((164, 167, 165), (0.0, -0.006, 0.012), 0.08),
            Pull((18, 83, 200), (0.0, 0.022, 0.014), 0.11),
        ),
        lip_roll=(0.60, 0.60),
        lip_in=0.022,
        lip_seal=1.0,
    ),
    "AU25": AUSpec(
        "The lips part by relaxing: the lower lip falls (depressor labii), the upper rises.",
        (
            Pull((17, 84, 14, 87, 15, 86, 16, 85), (0.0, -0.05, -0.006), 0.13),
            Pull((181, 178, 179, 180, 88, 89, 90), (0.0, -0.028, 0.0), 0.09),
            Pull((0, 37, 13, 82, 12, 11), (0.0, 0.015, 0.0), 0.12),
            Pull((39, 81, 80, 41, 42), (0.0, 0.012, 0.0), 0.07),
            Pull((18, 83), (0.0, -0.025, 0.0), 0.11),
        ),
    ),
    "AU26": AUSpec(
        "The jaw drops by relaxation: it turns about the condyles and takes the lower lip along.",
        jaw=15.0,
    ),
    "AU28": AUSpec(
        "The lips are sucked over the teeth: the red disappears, skin is drawn into the mouth.",
        (
            Pull((164, 167), (0.0, -0.022, -0.012), 0.09),
            Pull((18, 83), (0.0, 0.03, -0.008), 0.10),
        ),
        lip_roll=(0.92, 0.92),
        lip_in=0.055,
        lip_seal=1.0,
    ),
    "AU43": AUSpec(
        "The levator relaxes: the upper lid comes down along the eyeball to the lower lid.",
        upper_lid=0.90,
        lower_lid=0.10,
    ),
}  # fmt: skip
"""The definition of every AU, in the order of `AUS`."""


def au_vector(**intensities: float) -> FloatArray:
    """Write an AU vector by names; the others are 0.

    >>> au_vector(AU06=0.5, AU12=1.0)[[4, 9]]
    array([0.5, 1. ])
    """
    unknown = sorted(set(intensities) - set(AUS))
    if unknown:
        raise FacemtError(f"expected AUs among {', '.join(AUS)}; got {', '.join(unknown)}")
    return np.array([intensities.get(name, 0.0) for name in AUS])
