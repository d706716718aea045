"""Faces driven by action units, and films of them; films are read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facemt_analysis import schema
from facemt_analysis.errors import FexError, MediaError, OptionError
from facemt_analysis.interactive import drive_mesh, mesh_movie
from facemt_analysis.interactive.drawn import Camera, draw_mesh
from facemt_analysis.measures import mesh_template
from facemt_analysis.simulate import au_displacement, au_vector

REST = mesh_template().vertices
SMILE = pd.DataFrame({"AU12": [0.0, 0.5, 1.0], "AU06": [0.0, 0.2, 0.8]})


def frames_of(path: Path) -> list[np.ndarray]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_a_driven_face_is_the_one_of_the_basis() -> None:
    faces = drive_mesh(SMILE)
    assert faces.shape == (3, 478, 3)
    np.testing.assert_array_equal(faces[0], REST)
    expected = REST + au_displacement(au_vector(AU12=1.0, AU06=0.8), shape=REST)
    np.testing.assert_allclose(faces[2], expected, atol=1e-12)


def test_gain_intensities_and_missing_rows() -> None:
    faces = drive_mesh(pd.DataFrame({"AU12": [0.25, np.nan]}), gain=2.0)
    np.testing.assert_allclose(faces[0], drive_mesh(pd.DataFrame({"AU12": [0.5]}))[0])
    assert np.isnan(faces[1]).all()
    same = drive_mesh(pd.DataFrame({"AU12_r": [2.5]}))
    np.testing.assert_allclose(same[0], faces[0])


def test_blendshapes_drive_by_their_action_units() -> None:
    values = pd.DataFrame(0.0, index=[0, 1], columns=schema.BLENDSHAPES)
    values.loc[1, ["eyeBlinkLeft", "eyeBlinkRight"]] = 1.0
    faces = drive_mesh(values)
    np.testing.assert_allclose(faces[1], drive_mesh(pd.DataFrame({"AU43": [1.0]}))[0])
    with pytest.raises(FexError, match="needs all 52"):
        drive_mesh(values[["jawOpen"]])


@pytest.mark.parametrize(
    ("frame", "options", "error"),
    [
        (pd.DataFrame({"valence": [0.0]}), {}, FexError),
        (SMILE, {"source": "blendshapes"}, FexError),
        (SMILE, {"source": "au"}, OptionError),
        (SMILE, {"gain": -1.0}, OptionError),
    ],
    ids=["nothing", "absent-source", "unknown-source", "gain"],
)
def test_wrong_drives(frame: pd.DataFrame, options: dict, error: type[Exception]) -> None:
    with pytest.raises(error):
        drive_mesh(frame, **options)


def test_a_face_is_drawn_upright_and_fills_the_picture() -> None:
    camera = Camera.around(REST[None], turn=0, nod=0, size=200)
    picture = draw_mesh(REST, camera).astype(int)
    drawn = np.abs(picture - picture[0, 0]).sum(axis=2) > 30
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert rows[-1] - rows[0] == pytest.approx(0.84 * 200, abs=3)  # the taller side
    shape = np.ptp(REST[:468], axis=0)
    assert (columns[-1] - columns[0]) / (rows[-1] - rows[0]) == pytest.approx(
        shape[0] / shape[1], abs=0.03
    )
    x, y, _ = camera.project(REST)[159]  # the subject's right upper lid: on the left, upper half
    assert x < 100
    assert y < 100
    open_, shut = (draw_mesh(face, camera) for face in
                   drive_mesh(pd.DataFrame({"AU43": [0.0, 1.0]})))  # fmt: skip
    white = [(image.min(axis=2) > 235)[60:100, 50:150].sum() for image in (open_, shut)]
    assert white[0] > 20
    assert white[1] == 0  # closed lids hide the eye


def test_colours_go_from_skin_to_the_strongest() -> None:
    camera = Camera.around(REST[None], turn=0, nod=0, size=120)
    plain, strong = (draw_mesh(REST, camera, parts=np.full(478, p)) for p in (0.0, 1.0))
    np.testing.assert_array_equal(plain, draw_mesh(REST, camera))
    cheek = camera.project(REST)[50, :2].round().astype(int)
    assert strong[cheek[1], cheek[0], 1] < plain[cheek[1], cheek[0], 1] - 80


def test_an_mp4_has_every_frame_and_shows_it(tmp_path: Path) -> None:
    faces = drive_mesh(pd.DataFrame({"AU26": np.repeat([0.0, 1.0], 5)}))
    path = mesh_movie(faces, tmp_path / "jaw.mp4", fps=10, size=160)
    shown = frames_of(path)
    assert len(shown) == 10
    assert shown[0].shape == (160, 160, 3)
    camera = Camera.around(faces, turn=-20.0, nod=4.0, size=160)
    for i in (0, 9):
        drawn = draw_mesh(faces[i], camera).astype(float)
        assert np.abs(shown[i] - drawn).mean() < 3
    assert np.abs(shown[0].astype(float) - shown[9]).mean() > 3
    assert [p.name for p in tmp_path.iterdir()] == ["jaw.mp4"]


def test_a_gif_keeps_the_time(tmp_path: Path) -> None:
    path = mesh_movie(drive_mesh(SMILE), tmp_path / "smile.gif", fps=10, size=96, ghost=REST)
    with Image.open(path) as film:
        durations = []
        for i in range(film.n_frames):
            film.seek(i)
            durations.append(film.info["duration"])
    assert durations == [100, 100, 100]


def test_a_gif_has_one_palette_that_is_true_to_all_frames(tmp_path: Path) -> None:
    faces = drive_mesh(pd.DataFrame({"AU26": np.linspace(0, 1, 20)}))
    values = np.repeat(np.linspace(0, 1, 20)[:, None], 478, axis=1)  # from skin to the strongest
    path = mesh_movie(faces, tmp_path / "jaw.gif", size=240, values=values)
    camera = Camera.around(faces, turn=-20.0, nod=4.0, size=240)
    with Image.open(path) as film:
        for i in (0, 10, 19):
            film.seek(i)
            shown = np.asarray(film.convert("RGB")).astype(float)
            drawn = draw_mesh(faces[i], camera, parts=values[i])
            assert np.abs(shown - drawn).max() <= 24
            assert np.abs(shown - drawn).mean() < 2
    assert path.stat().st_size < 20 * 10_000  # noise of dithering would be three times that


def test_a_table_is_shown_at_its_own_times(tmp_path: Path) -> None:
    # 5 Hz, a second long; the mouth opens at 0.6 s
    table = pd.DataFrame({"time": np.arange(6) / 5, "AU26": [0, 0, 0, 1.0, 1, 1]})
    shown = frames_of(mesh_movie(table, tmp_path / "a.mp4", fps=20, size=96))
    assert len(shown) == 21
    change = np.abs(np.diff(np.stack(shown).astype(float), axis=0)).mean(axis=(1, 2, 3))
    assert change.argmax() == 11  # from 0.55 to 0.60 s
    slow = frames_of(mesh_movie(table, tmp_path / "b.mp4", fps=20, size=96, speed=0.5))
    assert len(slow) == 41


def test_a_measured_mesh_goes_before_action_units(
    wide_table: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    table = wide_table(seconds=1.0, hz=10.0)
    shown = frames_of(table.mesh.movie(tmp_path / "m.mp4", fps=10, size=96))
    assert len(shown) == 10
    # the mesh of the table does not move but for noise, though its action units do
    assert np.abs(shown[0].astype(float) - shown[-1]).mean() < 4


def test_frames_without_a_face_are_empty(tmp_path: Path) -> None:
    faces = drive_mesh(pd.DataFrame({"AU12": [0.0, np.nan]}))
    first, second = frames_of(mesh_movie(faces, tmp_path / "gap.mp4", size=96))
    assert np.ptp(first.astype(int)) > 100
    assert np.ptp(second.astype(int)) < 12


@pytest.mark.parametrize(
    ("faces", "name", "options", "error", "message"),
    [
        (REST[None], "a.avi", {}, OptionError, r"\.mp4 or \.gif"),
        (REST, "a.gif", {}, FexError, "478, 3"),
        (REST[None], "a.gif", {"size": 97}, OptionError, "even"),
        (REST[None], "a.gif", {"fps": 120}, OptionError, "fps"),
        (REST[None], "a.gif", {"values": np.zeros(478)}, FexError, "values"),
        (REST[None] * np.nan, "a.gif", {}, FexError, "NaN"),
        (pd.DataFrame({"valence": [0.1]}), "a.gif", {}, FexError, "Driving"),
    ],
    ids=["ending", "one-mesh", "odd", "fast-gif", "values", "all-nan", "no-source"],
)
def test_wrong_films_leave_nothing(
    faces: object, name: str, options: dict, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        mesh_movie(faces, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_mp4_without_its_library_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MediaError, match=r"facemt-analysis\[detect\]"):
        mesh_movie(REST[None], tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []
