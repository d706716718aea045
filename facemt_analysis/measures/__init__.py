"""Measures of faces: what moved, when, how much; tables in, tables out.

Names are loaded when first used, SciPy with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.measures.affect import QUADRANTS, affect_quadrants, affect_trajectory
    from facemt_analysis.measures.affect_dynamics import affect_summary
    from facemt_analysis.measures.asymmetry import (
        asymmetry_index,
        asymmetry_summary,
        blendshape_asymmetry,
    )
    from facemt_analysis.measures.au_events import au_events, au_summary
    from facemt_analysis.measures.au_patterns import cooccurrence, smile_types
    from facemt_analysis.measures.blendshapes import blendshape_summary
    from facemt_analysis.measures.blinks import blink_summary, find_blinks
    from facemt_analysis.measures.confounds import find_confounds
    from facemt_analysis.measures.emotion import dominant_emotion, emotion_summary
    from facemt_analysis.measures.emotion_sequences import emotion_bouts, emotion_transitions
    from facemt_analysis.measures.event_counts import event_rates
    from facemt_analysis.measures.events import find_events
    from facemt_analysis.measures.expressions import EXPRESSION_SETS, expressivity, pspi
    from facemt_analysis.measures.eyelids import EyeClosure, eye_aspect_ratio, eye_closure
    from facemt_analysis.measures.fixations import find_fixations
    from facemt_analysis.measures.gaze_density import GazeDensity, gaze_heatmap
    from facemt_analysis.measures.gaze_directions import gaze_angles, gaze_vectors, recorded_frame
    from facemt_analysis.measures.gaze_dispersion import bcea, gaze_summary
    from facemt_analysis.measures.gaze_target import angle_to_target, away_episodes
    from facemt_analysis.measures.head_motion import head_velocity, pose_motion
    from facemt_analysis.measures.mesh_alignment import MeshAlignment, align_mesh, mesh_vertices
    from facemt_analysis.measures.mesh_model import MeshTemplate, mesh_regions, mesh_template
    from facemt_analysis.measures.mesh_movement import (
        mesh_displacement,
        mesh_summary,
        region_displacement,
    )
    from facemt_analysis.measures.mesh_symmetry import (
        mesh_asymmetry,
        mirror_distances,
        movement_asymmetry,
    )
    from facemt_analysis.measures.quality_checks import quality_findings
    from facemt_analysis.measures.quality_exclusion import Exclusion, exclude_flagged
    from facemt_analysis.measures.quality_limits import QualityLimits
    from facemt_analysis.measures.quality_reasons import REASONS, quality_flags
    from facemt_analysis.measures.quality_stretches import quality_stretches
    from facemt_analysis.measures.quality_summary import quality_report
    from facemt_analysis.measures.rotations import (
        angles_to_matrices,
        geodesic_angles,
        matrices_to_angles,
        rotation_convention,
        rotation_matrices,
    )
    from facemt_analysis.measures.speech import talking

__all__ = [
    "EXPRESSION_SETS",
    "QUADRANTS",
    "REASONS",
    "Exclusion",
    "EyeClosure",
    "GazeDensity",
    "MeshAlignment",
    "MeshTemplate",
    "QualityLimits",
    "affect_quadrants",
    "affect_summary",
    "affect_trajectory",
    "align_mesh",
    "angle_to_target",
    "angles_to_matrices",
    "asymmetry_index",
    "asymmetry_summary",
    "au_events",
    "au_summary",
    "away_episodes",
    "bcea",
    "blendshape_asymmetry",
    "blendshape_summary",
    "blink_summary",
    "cooccurrence",
    "dominant_emotion",
    "emotion_bouts",
    "emotion_summary",
    "emotion_transitions",
    "event_rates",
    "exclude_flagged",
    "expressivity",
    "eye_aspect_ratio",
    "eye_closure",
    "find_blinks",
    "find_confounds",
    "find_events",
    "find_fixations",
    "gaze_angles",
    "gaze_heatmap",
    "gaze_summary",
    "gaze_vectors",
    "geodesic_angles",
    "head_velocity",
    "matrices_to_angles",
    "mesh_asymmetry",
    "mesh_displacement",
    "mesh_regions",
    "mesh_summary",
    "mesh_template",
    "mesh_vertices",
    "mirror_distances",
    "movement_asymmetry",
    "pose_motion",
    "pspi",
    "quality_findings",
    "quality_flags",
    "quality_report",
    "quality_stretches",
    "recorded_frame",
    "region_displacement",
    "rotation_convention",
    "rotation_matrices",
    "smile_types",
    "talking",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "affect": ["QUADRANTS", "affect_quadrants", "affect_trajectory"],
        "affect_dynamics": ["affect_summary"],
        "asymmetry": ["asymmetry_index", "asymmetry_summary", "blendshape_asymmetry"],
        "au_events": ["au_events", "au_summary"],
        "au_patterns": ["cooccurrence", "smile_types"],
        "blendshapes": ["blendshape_summary"],
        "blinks": ["blink_summary", "find_blinks"],
        "confounds": ["find_confounds"],
        "emotion": ["dominant_emotion", "emotion_summary"],
        "emotion_sequences": ["emotion_bouts", "emotion_transitions"],
        "event_counts": ["event_rates"],
        "events": ["find_events"],
        "expressions": ["EXPRESSION_SETS", "expressivity", "pspi"],
        "eyelids": ["EyeClosure", "eye_aspect_ratio", "eye_closure"],
        "fixations": ["find_fixations"],
        "gaze_density": ["GazeDensity", "gaze_heatmap"],
        "gaze_directions": ["gaze_angles", "gaze_vectors", "recorded_frame"],
        "gaze_dispersion": ["bcea", "gaze_summary"],
        "gaze_target": ["angle_to_target", "away_episodes"],
        "head_motion": ["head_velocity", "pose_motion"],
        "mesh_alignment": ["MeshAlignment", "align_mesh", "mesh_vertices"],
        "mesh_model": ["MeshTemplate", "mesh_regions", "mesh_template"],
        "mesh_movement": ["mesh_displacement", "mesh_summary", "region_displacement"],
        "mesh_symmetry": ["mesh_asymmetry", "mirror_distances", "movement_asymmetry"],
        "quality_checks": ["quality_findings"],
        "quality_exclusion": ["Exclusion", "exclude_flagged"],
        "quality_limits": ["QualityLimits"],
        "quality_reasons": ["REASONS", "quality_flags"],
        "quality_stretches": ["quality_stretches"],
        "quality_summary": ["quality_report"],
        "rotations": [
            "angles_to_matrices",
            "geodesic_angles",
            "matrices_to_angles",
            "rotation_convention",
            "rotation_matrices",
        ],
        "speech": ["talking"],
    },
)
