"""The sample study: sixteen simulated people see a neutral and a funny film."""

from __future__ import annotations

from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from facemt_analysis import schema
from facemt_analysis.fex import Fex
from facemt_analysis.io import read_fex

if TYPE_CHECKING:
    from facemt_analysis.simulate.study_truth import StudyTruth

__all__ = ["SAMPLE_STUDY", "load_sample_study", "make_sample_study", "sample_study_path"]

SAMPLE_STUDY = MappingProxyType(
    {
        "n_subjects": 16,
        "conditions": ("neutral", "funny"),
        "duration": 10.0,
        "fps": 12.0,
        "rest": 1.0,
        "isc": MappingProxyType({"neutral": 0.1, "funny": 0.4}),
        "feature_groups": ("faceboxes", "poses", "aus", "emotions", "va", "gazes"),
        "seed": 20,
    }
)
"""Arguments of :func:`facemt_analysis.simulate_study` that give the sample study."""

_DECIMALS = {"faceboxes": 0, "poses": 3, "aus": 2, "emotions": 2, "va": 2, "gazes": 3}
_SCORE_DECIMALS = 3


def make_sample_study() -> tuple[Fex, StudyTruth]:
    """Simulate the sample study, with its known answer.

    Returns
    -------
    fex : Fex
        What :func:`load_sample_study` reads, rounded in the same way: scores to 0.01, angles to
        0.001 rad, boxes to 1 px.
    truth : StudyTruth
        What was planted.

    Examples
    --------
    >>> fex, truth = make_sample_study()
    >>> round(float(truth.effects.query("feature == 'AU12'")["planted"].iloc[0]), 6)
    1.2
    """
    from facemt_analysis.simulate.study import simulate_study

    arguments: dict[str, Any] = dict(SAMPLE_STUDY)
    fex, truth = simulate_study(**arguments)
    rounded = {
        column: fex[column].round(
            _SCORE_DECIMALS if column == "FaceScore" else _DECIMALS[str(schema.group_of(column))]
        )
        for column in schema.feature_columns(fex.columns)
    }
    return fex.assign(**rounded), truth


def load_sample_study() -> Fex:
    """Read the sample study.

    Returns
    -------
    Fex
        3,840 rows: 16 people (``subject``) who see a neutral and a funny film (``condition``), 10 s
        each at 12 Hz, after a second of rest. Boxes, head pose, action units, emotions, valence,
        arousal and gaze; some frames without a face. In the funny film people smile more (AU12,
        dz = 1.2), with the eyes (AU06, 1.0), are happier (1.2), of higher valence (1.0) and
        arousal (0.5); and they do so at the same moments (intersubject correlation 0.4, against 0.1
        in the neutral one). :func:`make_sample_study` gives all that was planted.

    Notes
    -----
    The data is simulated: nobody was filmed. CC0 1.0.

    Examples
    --------
    >>> fex = load_sample_study()
    >>> len(fex), fex["subject"].nunique(), fex["condition"].unique().tolist()
    (3840, 16, ['neutral', 'funny'])
    """
    with resources.as_file(sample_study_path()) as path:
        return read_fex(path)


def sample_study_path() -> Any:
    """Where the file is in the installed package."""
    return resources.files("facemt_analysis.datasets").joinpath("data/sample_study.parquet")
