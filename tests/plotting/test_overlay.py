"""Overlays: what is drawn is where the row says, turned as the renderer turns heads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import FancyArrowPatch, Rectangle

from facemt_analysis import schema
from facemt_analysis.errors import FexError
from facemt_analysis.plotting import plot_overlay
from facemt_analysis.simulate import avatar_asset, render, rotation_of


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.full((120, 160, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def row() -> pd.Series:
    drawn = render(avatar_asset(), pose=np.radians([5, 20, -8]), gaze=np.radians([-6, 12]), size=64)
    mesh = drawn.mesh + np.array([30, 20, 0])
    values = {"FaceRectX": 28.0, "FaceRectY": 22.0, "FaceRectWidth": 60.0, "FaceRectHeight": 62.0}
    for axis, name in enumerate("xyz"):
        values |= {f"mesh_{name}_{i}": mesh[i, axis] for i in range(478)}
    for axis, name in enumerate("xy"):
        values |= {f"{name}_{k}": mesh[i, axis] for k, i in enumerate(schema.DLIB68_FROM_MESH)}
    values |= dict(zip(("Pitch", "Yaw", "Roll"), drawn.pose, strict=True))
    values |= dict(zip(("gaze_pitch", "gaze_yaw"), drawn.gaze, strict=True))
    return pd.Series(values)


def named(ax, name: str) -> list:
    return [artist for artist in ax.get_children() if artist.get_gid() == name]


def way(arrow: FancyArrowPatch) -> np.ndarray:
    start, end = np.array(arrow._posA_posB)
    return end - start


def test_box_and_points_are_the_rows(image: np.ndarray, row: pd.Series) -> None:
    ax = plot_overlay(image, row)
    (box,) = named(ax, "box")
    assert isinstance(box, Rectangle)
    assert box.get_bbox().bounds == (28, 22, 60, 62)
    (mesh,) = named(ax, "mesh")
    np.testing.assert_array_equal(mesh.get_xdata(), row[[f"mesh_x_{i}" for i in range(478)]])
    drawn = np.concatenate([line.get_xydata() for line in named(ax, "outline")])
    known = {(row[f"x_{i}"], row[f"y_{i}"]) for i in range(68)}
    assert {tuple(point) for point in drawn} == known


def test_the_frame_is_shown_pixel_by_pixel(image: np.ndarray, row: pd.Series) -> None:
    ax = plot_overlay(image, row)
    np.testing.assert_array_equal(ax.images[0].get_array(), image)
    assert ax.get_xlim() == (-0.5, 159.5)
    assert ax.get_ylim() == (119.5, -0.5)


def test_arrows_point_as_the_renderer_turns_the_head(image: np.ndarray, row: pd.Series) -> None:
    ax = plot_overlay(image, row)
    turn = rotation_of(row[["Pitch", "Yaw", "Roll"]].to_numpy(float))
    eyes = np.hypot(row["x_36"] - row["x_45"], row["y_36"] - row["y_45"])
    (nose,) = named(ax, "pose")
    ahead = turn @ (0.0, 0.0, 1.0)
    np.testing.assert_allclose(way(nose), 1.5 * eyes * ahead[:2] * (1, -1), atol=1e-6)
    pitch, yaw = row["gaze_pitch"], row["gaze_yaw"]
    assert len(named(ax, "gaze")) == 2
    looks = turn @ (-np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch))
    for arrow in named(ax, "gaze"):
        np.testing.assert_allclose(way(arrow), 1.1 * eyes * looks[:2] * (1, -1), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "angle", "side"),
    [("Yaw", 0.3, (-1, 0)), ("Pitch", 0.3, (0, -1)), ("gaze_yaw", 0.3, (-1, 0)),
     ("gaze_pitch", 0.3, (0, -1))],
)  # fmt: skip
def test_signs(
    image: np.ndarray, row: pd.Series, name: str, angle: float, side: tuple[int, int]
) -> None:
    """Plus is up, and to the subject's right, which is the left of the picture."""
    still = row.copy()
    still[["Pitch", "Yaw", "Roll", "gaze_pitch", "gaze_yaw"]] = 0.0
    still[name] = angle
    ax = plot_overlay(image, still)
    for arrow in named(ax, "gaze" if name.startswith("gaze") else "pose"):
        direction = way(arrow) / np.linalg.norm(way(arrow))
        np.testing.assert_allclose(direction, side, atol=1e-9)


def test_without_a_face_only_the_frame_is_drawn(image: np.ndarray, row: pd.Series) -> None:
    ax = plot_overlay(image, row * np.nan)
    assert not ax.lines
    assert not ax.patches
    assert len(plot_overlay(image, {}).images) == 1


def test_parts_can_be_left_out(image: np.ndarray, row: pd.Series) -> None:
    ax = plot_overlay(image, row, box=False, mesh=False, gaze=False)
    assert not [*named(ax, "box"), *named(ax, "mesh"), *named(ax, "gaze")]
    assert named(ax, "outline")
    assert named(ax, "pose")


def test_gaze_starts_at_the_eyes_without_a_mesh(image: np.ndarray, row: pd.Series) -> None:
    bare = row.drop([c for c in row.index if c.startswith("mesh")])
    ax = plot_overlay(image, bare)
    starts = [np.array(arrow._posA_posB[0]) for arrow in named(ax, "gaze")]
    for start, eye in zip(starts, (range(36, 42), range(42, 48)), strict=True):
        expected = [np.mean([row[f"{axis}_{i}"] for i in eye]) for axis in "xy"]
        np.testing.assert_allclose(start, expected)


def test_a_grey_picture_is_refused(row: pd.Series) -> None:
    with pytest.raises(FexError, match="uint8 RGB"):
        plot_overlay(np.zeros((4, 4), np.uint8), row)
