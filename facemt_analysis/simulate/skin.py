"""Younger skin: lines, folds and pores taken out of a texture, features left as they are."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate.atlas import ATLAS_SIZE, atlas
from facemt_analysis.simulate.face import FaceAsset
from facemt_analysis.simulate.mesh import LIPS_LOWER, LIPS_UPPER, OVAL, canonical_mesh

__all__ = ["smooth_skin"]

# What is not skin, on the subject's right (mirrored on the left): brow, eye with its lids.
_RIGHT = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (226, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25),
)
_NOSTRILS = (98, 64, 1, 294, 327, 326, 2, 97)
_BROAD = ATLAS_SIZE / 42  # px: folds are narrower, the roundness of cheeks is wider


def smooth_skin(asset: FaceAsset, keep: float) -> FaceAsset:
    """Take lines and folds out of the skin of a face.

    Portraits show people of some age who smile: their folds stay in the texture whatever
    expression is drawn with it.

    Parameters
    ----------
    asset
        Whose face.
    keep
        Share of the detail that stays, 0 (none) to 1 (all).

    Returns
    -------
    FaceAsset
        Same shape, eyes and hair; `aus`, the traces of expression in the texture, fades with them.

    Raises
    ------
    FacemtError
        `keep` outside 0…1.

    Examples
    --------
    >>> from facemt_analysis.simulate import avatar_asset
    >>> face = avatar_asset()
    >>> bool((smooth_skin(face, keep=1.0).texture == face.texture).all())
    True
    """
    import cv2

    if not 0 <= keep <= 1:
        raise FacemtError(f"`keep` must be a share in 0…1; got {keep}")
    skin = _skin()
    texture = asset.texture.astype(np.float32)
    # a mean over skin alone: brows and lips must not bleed into it
    around = cv2.GaussianBlur(texture * skin[..., None], (0, 0), _BROAD)
    amount = cv2.GaussianBlur(skin, (0, 0), _BROAD)[..., None]
    broad = around / np.maximum(amount, 1e-3)
    share = (1 - keep) * skin[..., None]
    return replace(
        asset,
        texture=np.clip(texture + share * (broad - texture) + 0.5, 0, 255).astype(np.uint8),
        aus=asset.aus * keep,
    )


@functools.cache
def _skin() -> npt.NDArray[np.float32]:
    """1 on skin in the atlas, fading to 0 towards features and the outline."""
    import cv2

    mirror, uv = canonical_mesh().mirror, atlas().uv
    loops = [*_RIGHT, *([int(mirror[v]) for v in loop] for loop in _RIGHT), _NOSTRILS]
    loops.append([*LIPS_UPPER[0], *LIPS_LOWER[0][::-1]])
    mask = np.zeros((ATLAS_SIZE, ATLAS_SIZE), np.float32)
    cv2.fillPoly(mask, [np.round(uv[list(OVAL)]).astype(np.int32)], 1.0)
    mask = cv2.erode(mask, np.ones((9, 9), np.uint8))
    for loop in loops:
        cv2.fillPoly(mask, [np.round(uv[list(loop)]).astype(np.int32)], 0.0)
    mask = cv2.erode(mask, np.ones((5, 5), np.uint8))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 2.5))
