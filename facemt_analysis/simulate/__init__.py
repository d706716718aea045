"""Faces and studies with a known answer."""

from __future__ import annotations

from facemt_analysis.simulate.affect import PROTOTYPES, affect_of, draw_aus, draw_posed, emotion_of
from facemt_analysis.simulate.au_basis import au_basis, au_displacement
from facemt_analysis.simulate.au_specs import AU_SPECS, AUS, au_vector
from facemt_analysis.simulate.avatar import avatar_asset
from facemt_analysis.simulate.expression import aus_from_blendshapes
from facemt_analysis.simulate.face import FaceAsset, asset_from_photo, blend_assets
from facemt_analysis.simulate.mesh import canonical_mesh, eye_opening
from facemt_analysis.simulate.photometry import augment, draw_background
from facemt_analysis.simulate.renderer import CHIP_FRAMING, Framing, Light, Rendered, render
from facemt_analysis.simulate.rotation import pose_of, rotation_of
from facemt_analysis.simulate.sampling import Sample, even_lightness, sample_face, skin_lightness
from facemt_analysis.simulate.segment import person_mask
from facemt_analysis.simulate.skin import smooth_skin
from facemt_analysis.simulate.study import simulate_study
from facemt_analysis.simulate.study_design import PRESET_EFFECTS, Effect
from facemt_analysis.simulate.study_dyads import DyadTruth, simulate_dyads
from facemt_analysis.simulate.study_truth import StudyTruth

__all__ = [
    "AUS",
    "AU_SPECS",
    "CHIP_FRAMING",
    "PRESET_EFFECTS",
    "PROTOTYPES",
    "DyadTruth",
    "Effect",
    "FaceAsset",
    "Framing",
    "Light",
    "Rendered",
    "Sample",
    "StudyTruth",
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
    "draw_posed",
    "emotion_of",
    "even_lightness",
    "eye_opening",
    "person_mask",
    "pose_of",
    "render",
    "rotation_of",
    "sample_face",
    "simulate_dyads",
    "simulate_study",
    "skin_lightness",
    "smooth_skin",
]
