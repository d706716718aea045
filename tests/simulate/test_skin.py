"""Smooth skin: folds go, features stay; soft furrows are as dark as narrow ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facemt_analysis.errors import FacemtError
from facemt_analysis.simulate import au_vector, avatar_asset, render, smooth_skin
from facemt_analysis.simulate.atlas import atlas

CHEEK, EYE, LIPS, HAIR = 50, 159, 13, 10


def lined():
    """The avatar with a dark line across its cheek."""
    face = avatar_asset()
    texture = face.texture.copy()
    x, y = np.round(atlas().uv[CHEEK]).astype(int)
    texture[y : y + 2, x - 8 : x + 9] //= 2
    return replace(face, texture=texture, aus=au_vector(AU06=0.5)), (x, y)


def test_lines_fade_with_what_is_kept():
    face, (x, y) = lined()
    around = int(face.texture[y - 5, x, 1])
    contrast = []
    for keep in (1.0, 0.5, 0.0):
        texture = smooth_skin(face, keep).texture
        contrast.append(int(texture[y - 5, x, 1]) - int(texture[y, x, 1]))
    assert contrast[0] > 0.4 * around
    assert contrast[1] == pytest.approx(contrast[0] / 2, rel=0.25)
    assert contrast[2] < 0.2 * contrast[0]


def test_eyes_lips_hair_and_shape_are_left_alone():
    face, _ = lined()
    smooth = smooth_skin(face, 0.0)
    for vertex in (EYE, LIPS):
        x, y = np.round(atlas().uv[vertex]).astype(int)
        here = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        off = np.abs(smooth.texture[here].astype(int) - face.texture[here]).max()
        assert off <= 2, vertex
    top = int(atlas().uv[HAIR, 1]) - 12
    np.testing.assert_array_equal(smooth.texture[:top], face.texture[:top])
    np.testing.assert_array_equal(smooth.neutral, face.neutral)
    assert smooth.aus.max() == 0  # traces of the expression are gone with the folds
    np.testing.assert_allclose(smooth_skin(face, 0.5).aus, face.aus / 2)


@pytest.mark.parametrize("keep", [-0.1, 1.1, np.nan])
def test_a_share_is_asked_for(keep):
    with pytest.raises(FacemtError, match=r"share in 0…1"):
        smooth_skin(avatar_asset(), keep)


def test_soft_furrows_are_wider_and_not_fainter():
    face, frown = smooth_skin(avatar_asset(), 0.0), au_vector(AU04=1.0)
    plain = render(face, aus=frown, size=256, furrows=0.0).image.astype(float).mean(-1)
    drawn = [
        plain - render(face, aus=frown, size=256, furrow_softness=s).image.astype(float).mean(-1)
        for s in (1.0, 2.5)
    ]
    dark = [d.max() for d in drawn]
    wide = [(d > 0.3 * d.max()).sum() for d in drawn]
    assert dark[1] > 0.6 * dark[0]
    assert wide[1] > 1.5 * wide[0]
