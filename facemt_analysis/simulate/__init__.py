"""Faces and studies with a known answer."""

from __future__ import annotations

from facemt_analysis.simulate.affect import PROTOTYPES, affect_of, draw_aus, emotion_of
from facemt_analysis.simulate.au_basis import AU_SPECS, AUS, au_basis, au_displacement, au_vector
from facemt_analysis.simulate.avatar import avatar_asset
from facemt_analysis.simulate.expression import aus_from_blendshapes
from facemt_analysis.simulate.face import FaceAsset, asset_from_photo, blend_assets
from facemt_analysis.simulate.mesh import canonical_mesh, eye_opening
from facemt_analysis.simulate.photometry import augment, draw_background
from facemt_analysis.simulate.renderer import CHIP_FRAMING, Framing, Light, Rendered, render
from facemt_analysis.simulate.rotation import pose_of, rotation_of
from facemt_analysis.simulate.sampling import Sample, sample_face
from facemt_analysis.simulate.segment import person_mask

__all__ = [
    "AUS",
    "AU_SPECS",
    "CHIP_FRAMING",
    "PROTOTYPES",
    "FaceAsset",
    "Framing",
    "Light",
    "Rendered",
    "Sample",
    "affect_of",
    "asset_from_photo",
    "au_basis",
    "au_displacement",
    "au_vector",
    "augment",
    "aus_from_blendshapes",
    "avatar_asset",
    "blend_assets",
    "canonical_mesh",
    "draw_aus",
    "draw_background",
    "emotion_of",
    "eye_opening",
    "person_mask",
    "pose_of",
    "render",
    "rotation_of",
    "sample_face",
]
