"""What else a detector reports about a simulated face: blendshapes, boxes, mesh and landmarks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from facemt_analysis import schema
from facemt_analysis.simulate.study_courses import proportional_noise, smooth_path
from facemt_analysis.simulate.study_population import AUS

__all__ = ["BLENDSHAPE_WEIGHTS", "FRAME_SIZE", "blendshapes", "faceboxes", "meshes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FRAME_SIZE = (720, 1280)
"""Height and width of the simulated camera's frames, px."""

BLENDSHAPE_WEIGHTS: dict[str, dict[str, float]] = {
    "AU01": {"browInnerUp": 0.8},
    "AU02": {"browInnerUp": 0.15, "browOuterUp*": 0.8},
    "AU04": {"browDown*": 0.7},
    "AU05": {"eyeWide*": 0.4},
    "AU06": {"cheekSquint*": 0.2, "eyeSquint*": 0.3},
    "AU07": {"eyeSquint*": 0.5},
    "AU09": {"noseSneer*": 0.5},
    "AU10": {"mouthUpperUp*": 0.5},
    "AU11": {"mouthUpperUp*": 0.1},
    "AU12": {"mouthSmile*": 0.85},
    "AU14": {"mouthDimple*": 0.4, "mouthPress*": 0.1},
    "AU15": {"mouthFrown*": 0.5},
    "AU17": {"mouthShrugLower": 0.6, "mouthShrugUpper": 0.2},
    "AU20": {"mouthStretch*": 0.5},
    "AU23": {"mouthRollLower": 0.2, "mouthRollUpper": 0.1, "mouthPucker": 0.1},
    "AU24": {"mouthPress*": 0.6},
    "AU25": {"mouthLowerDown*": 0.25, "jawOpen": 0.05},
    "AU26": {"jawOpen": 0.5},
    "AU28": {"mouthRollLower": 0.7, "mouthRollUpper": 0.6},
    "AU43": {"eyeBlink*": 0.85, "eyeLookDown*": 0.15},
}
"""AU → blendshape → coefficient at a score of 1; ``*``: the left and the right one. The pairs
are those whose definitions describe one movement (FACS manual; ARKit's documentation of blend
shape locations); amounts follow the relation in the measured recordings where they move."""

_REST = 0.003  # of blendshapes nobody moves
_NOISE = 0.4  # κ of the proportional noise
_ASYMMETRY = 0.25  # largest difference of one side from the mean, relative
_FULL_LOOK = 0.6  # rad at which an eyeLook blendshape would be 1
_FOCAL = 3000.0  # px: camera constant from the network's X, Y, Z to the frame
_PLACE = (0.02, 0.20)  # X and Y of a face in the middle of the frame
_FACE_WIDTH = 300.0  # px of the box at Z = 5
_EYES_TO_BOX = 0.62  # distance of the outer eye corners in widths of the box

_LEFT = np.array([i for i, b in enumerate(schema.BLENDSHAPES) if b.endswith("Left")])
_RIGHT = np.array([schema.BLENDSHAPES.index(schema.BLENDSHAPES[i][:-4] + "Right") for i in _LEFT])


def _matrix(weights: Mapping[str, Mapping[str, float]]) -> Floats:
    """(20, 52)."""
    out = np.zeros((len(AUS), len(schema.BLENDSHAPES)))
    for au, shapes in weights.items():
        for name, weight in shapes.items():
            sides = ("Left", "Right") if name.endswith("*") else ("",)
            for side in sides:
                column = schema.BLENDSHAPES.index(name.rstrip("*") + side)
                out[AUS.index(au), column] += weight
    return out


_WEIGHTS = _matrix(BLENDSHAPE_WEIGHTS)


def blendshapes(
    aus: Floats,
    gaze: Floats,
    asymmetry: Floats,
    normals: Floats,
    valid: Bools,
    fps: float,
    noise: float,
) -> Floats:
    """Blendshapes from action units and gaze.

    ``b = 0.003 + Σ w · AU`` by :data:`BLENDSHAPE_WEIGHTS`, at most 1; of a pair the left one is
    ``b (1 + a) / (1 + |a|)`` and the right one ``b (1 − a) / (1 + |a|)`` with a = 0.25 asymmetry;
    gaze moves eyeLookUp / Down of both eyes and eyeLookIn / Out of the two (0.6 rad is 1). Noise as
    for scores.

    Parameters
    ----------
    aus
        (recordings, frames, 20) noise-free.
    gaze
        (recordings, frames, 2) pitch and yaw, rad, noise-free.
    asymmetry
        (recordings,) −1…1: + = the person's left side moves more.
    normals
        (recordings, frames, 52) standard normal variates for the noise.
    valid
        (recordings, frames).
    fps
        Frames per second.
    noise
        Factor on the noise.
    """
    value = np.einsum("rnj,jk->rnk", aus, _WEIGHTS) + _REST
    pitch, yaw = gaze[..., 0] / _FULL_LOOK, gaze[..., 1] / _FULL_LOOK
    for name, amount in (
        ("eyeLookUpLeft", pitch), ("eyeLookUpRight", pitch),
        ("eyeLookDownLeft", -pitch), ("eyeLookDownRight", -pitch),
        # + yaw = to the subject's right: the left eye turns in
        ("eyeLookInLeft", yaw), ("eyeLookOutRight", yaw),
        ("eyeLookOutLeft", -yaw), ("eyeLookInRight", -yaw),
    ):  # fmt: skip
        value[..., schema.BLENDSHAPES.index(name)] += np.maximum(amount, 0.0)
    value = np.clip(value, 0.0, 1.0)
    a = _ASYMMETRY * asymmetry[:, None, None]
    value[..., _LEFT] *= (1 + a) / (1 + np.abs(a))
    value[..., _RIGHT] *= (1 - a) / (1 + np.abs(a))
    path = smooth_path(normals, 0.12, fps)
    return proportional_noise(value, path, _NOISE * noise, valid)


def faceboxes(place: Floats, valid: Bools, normals: Floats, fps: float) -> Floats:
    """Face boxes and scores.

    A pinhole: the centre is the middle of the frame + 3000 px · (X − 0.02, Y − 0.2) / Z, the width
    300 px · 5 / Z, the height 1.3 widths; each jitters by 1 px. Scores are 0.995 and more, 0.75 to
    0.95 beside a frame without a face.

    Parameters
    ----------
    place
        (recordings, frames, 3) X, Y, Z.
    valid
        (recordings, frames).
    normals
        (recordings, frames, 5) standard normal variates.
    fps
        Frames per second.

    Returns
    -------
    ndarray
        (recordings, frames, 5): x, y, width, height in px, score.
    """
    jitter = smooth_path(normals, 0.1, fps)
    width = _FACE_WIDTH * 5.0 / place[..., 2]
    height = 1.3 * width
    centre = _centre(place)
    lost = ~np.pad(valid, ((0, 0), (1, 1)), constant_values=True)
    beside = valid & (lost[:, :-2] | lost[:, 2:])
    unsure = 1 / (1 + np.exp(-jitter[..., 4]))  # 0…1
    score = np.where(beside, 0.75 + 0.2 * unsure, 1 - 0.005 * unsure)
    box = np.stack(
        [centre[..., 0] - width / 2, centre[..., 1] - height / 2, width, height], -1
    )  # fmt: skip
    return np.concatenate([box + jitter[..., :4], score[..., None]], -1)


def _centre(place: Floats) -> Floats:
    middle = np.array([FRAME_SIZE[1] / 2, FRAME_SIZE[0] / 2])
    return np.asarray(middle + _FOCAL * (place[..., :2] - _PLACE) / place[..., 2:])


def meshes(phasic: Floats, pose: Floats, normals: npt.NDArray[np.floating]) -> Floats:
    """478-point meshes of one average face.

    The neutral mesh plus the linear displacement of every action unit, turned by the head pose,
    seen from far away at the place and scale of the face box; every point jitters by 0.3 px.

    Parameters
    ----------
    phasic
        (frames, 20) AU scores above the person's resting level.
    pose
        (frames, 6) Pitch, Roll, Yaw (rad), X, Y, Z.
    normals
        (frames, 478, 3) standard normal variates.

    Returns
    -------
    ndarray
        (frames, 478, 3) px of the frame; z grows away from the camera.
    """
    from scipy.spatial.transform import Rotation

    from facemt_analysis.simulate.au_basis import au_basis
    from facemt_analysis.simulate.mesh import canonical_mesh

    basis = au_basis().reshape(len(AUS), -1)
    shape = canonical_mesh().neutral + (phasic @ basis).reshape(-1, schema.N_MESH, 3)
    shape -= canonical_mesh().neutral.mean(0)
    # the rotation vector of `rotation_of`: − pitch, − yaw, + roll
    turn = Rotation.from_rotvec(pose[:, [0, 2, 1]] * (-1.0, -1.0, 1.0)).as_matrix()
    shape = np.einsum("nij,npj->npi", turn, shape) * (1.0, -1.0, -1.0)
    scale = _EYES_TO_BOX * _FACE_WIDTH * 5.0 / pose[:, 5]
    shape *= scale[:, None, None]
    shape[..., :2] += _centre(pose[:, 3:])[:, None]
    return np.asarray(shape + 0.3 * normals)
