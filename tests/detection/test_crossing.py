"""Two real faces that pass one in front of the other keep their tracks, with the open weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from facemt_analysis import Detector

from .crossing import crossing_film, switches


@pytest.mark.parametrize(
    ("rise", "front", "follow"), [(0, 0, True), (40, 1, False)], ids=["followed", "every frame"]
)
def test_faces_that_cross_keep_their_tracks(
    shared: Path, tmp_path: Path, rise: float, front: int, follow: bool
) -> None:
    film = tmp_path / "crossing.mp4"
    centres = crossing_film(film, shared / "media", seconds=2.0, rise=rise, front=front)
    fex = Detector("open", follow=follow).detect(film, progress=False)
    changes, told_apart = switches(fex, centres)
    assert changes == 0
    assert told_apart > 80
    assert fex.loc[fex["track"] >= 0, "track"].nunique() == 2
