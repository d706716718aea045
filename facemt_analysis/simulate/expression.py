"""What a photographed face already shows: AU intensities from MediaPipe blendshapes.

The table follows the FACS correspondence of the ARKit blendshapes (their names describe the same
movements): a blendshape above its resting level counts, in proportion. Resting levels and gains
were chosen on official portraits, whose brows and lids are at rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facemt_analysis import schema
from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.au_specs import AUS
from facemt_analysis.simulate.mesh import FloatArray

__all__ = ["FROM_BLENDSHAPES", "aus_from_blendshapes"]

FROM_BLENDSHAPES: dict[str, tuple[tuple[str, float, float], ...]] = {
    "AU01": (("browInnerUp", 0.05, 1.0),),
    "AU02": (("browOuterUp", 0.10, 1.0),),
    "AU04": (("browDown", 0.50, 0.8),),
    "AU05": (("eyeWide", 0.10, 1.0),),
    "AU06": (("mouthSmile", 0.40, 0.45),),
    "AU07": (("eyeSquint", 0.70, 0.8),),
    "AU09": (("noseSneer", 0.05, 1.0),),
    "AU10": (("mouthUpperUp", 0.60, 0.6),),
    "AU12": (("mouthSmile", 0.10, 0.9),),
    "AU14": (("mouthDimple", 0.20, 0.8),),
    "AU15": (("mouthFrown", 0.05, 1.0),),
    "AU17": (("mouthShrugLower", 0.10, 0.8),),
    "AU20": (("mouthStretch", 0.20, 0.8),),
    "AU23": (("mouthRollLower", 0.15, 0.5),),
    "AU24": (("mouthPress", 0.30, 0.8),),
    "AU25": (("mouthLowerDown", 0.05, 0.9), ("mouthUpperUp", 0.15, 0.3), ("jawOpen", 0.02, 1.0)),
    "AU26": (("jawOpen", 0.05, 1.0),),
    "AU28": (("mouthRollUpper", 0.50, 0.6),),
    "AU43": (("eyeBlink", 0.30, 1.0),),
}
"""AU: (blendshape, or the stem of a left and a right one; resting level; gain), summed."""


def aus_from_blendshapes(blendshapes: npt.ArrayLike) -> FloatArray:
    """Estimate AU intensities from MediaPipe's 52 blendshapes.

    Parameters
    ----------
    blendshapes
        (52,) in the order of ``schema.BLENDSHAPES``.

    Returns
    -------
    ndarray
        (20,) in 0…1; AUs without a corresponding blendshape (AU11) are 0.

    Examples
    --------
    >>> smile = np.zeros(52)
    >>> smile[[schema.BLENDSHAPES.index(f"mouthSmile{side}") for side in ("Left", "Right")]] = 1
    >>> float(aus_from_blendshapes(smile)[AUS.index("AU12")].round(2))
    0.9
    """
    values = np.asarray(blendshapes, np.float64)
    if values.shape != (len(schema.BLENDSHAPES),):
        raise FacemtError(
            f"`blendshapes` must be {len(schema.BLENDSHAPES)} values; got {values.shape}"
        )
    out = np.zeros(len(AUS))
    for name, terms in FROM_BLENDSHAPES.items():
        for stem, rest, gain in terms:
            found = [i for i, b in enumerate(schema.BLENDSHAPES)
                     if b in (stem, f"{stem}Left", f"{stem}Right")]  # fmt: skip
            level = float(values[found].mean())
            out[AUS.index(name)] += gain * max(level - rest, 0.0) / (1 - rest)
    return np.clip(out, 0.0, 1.0)
