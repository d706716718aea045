"""EYEDIAP: people follow a point on a screen or a ball (Funes Mora et al., 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from facemt_analysis.benchmark.base import Benchmark, Sample
from facemt_analysis.benchmark.datasets.gaze_frames import angles_from_image_axes
from facemt_analysis.benchmark.layout import incomplete, need, subfolders
from facemt_analysis.benchmark.tasks.gaze import GazeTask
from facemt_analysis.detection.media import open_recordings

__all__ = ["EYEDIAP"]

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class EYEDIAP(Benchmark):
    """Mean angular error of the line from between the eyes to the target, VGA camera.

    Tables are read by the ends of their lines: the last three numbers of a line of
    ``screen_coordinates.txt`` or ``ball_tracking.txt`` are the target, the last six of
    ``eye_tracking.txt`` the left and the right eye, in metres of the world. The rotation of
    ``rgb_vga_calibration.txt`` takes directions of the camera to the world; the camera's axes are x
    to the right of the image, y down, z away, unless ``axes`` says otherwise. Check the signs on a
    session of your own before you quote a number: what was at hand to build this reader does not
    state them.

    Parameters
    ----------
    axes
        Signs of the camera's axes, e.g. ``"+--"`` where y points up and z to the person.
    every
        Take every n-th frame only (30 a second).
    """

    name: ClassVar[str] = "eyediap"
    title: ClassVar[str] = "EYEDIAP, gaze"
    licence: ClassVar[str] = "non-commercial research under an agreement with Idiap"
    citation: ClassVar[str] = (
        "Funes Mora, Monay & Odobez (2014), EYEDIAP, ETRA, https://doi.org/10.1145/2578153.2578190"
    )
    tree: ClassVar[str] = """
Data/1_A_CS_S/rgb_vga.mov   (or 1_A_CS_S/…)
Data/1_A_CS_S/rgb_vga_calibration.txt   ([R] and three lines)
Data/1_A_CS_S/eye_tracking.txt          (a line of names; frame;…;left x;y;z;right x;y;z)
Data/1_A_CS_S/screen_coordinates.txt    (or ball_tracking.txt: frame;…;x;y;z)
"""

    axes: str = field(default="+++", metadata={"help": "signs of the camera's axes"})
    every: int = field(default=15, metadata={"help": "take every n-th frame"})

    @property
    def task(self) -> GazeTask:
        """Direction of gaze in the camera's frame."""
        return GazeTask()

    def samples(self, root: Path) -> Iterator[Sample]:
        """Give the frames with eyes and target, session by session; a subject is a person."""
        base = root / "Data" if (root / "Data").is_dir() else root
        sessions = [p for p in subfolders(base) if (p / "eye_tracking.txt").is_file()]
        if not sessions:
            incomplete("there is no session", root, self.tree)
        signs = np.array([-1.0 if sign == "-" else 1.0 for sign in self.axes])
        for session in sessions:
            turn = self._rotation(need(session / "rgb_vga_calibration.txt", root, self.tree), root)
            eyes = self._table(session / "eye_tracking.txt", 6, root)
            target = session / "screen_coordinates.txt"
            if not target.exists():
                target = need(session / "ball_tracking.txt", root, self.tree)
            targets = self._table(target, 3, root)
            (recording,) = open_recordings(need(session / "rgb_vga.mov", root, self.tree))
            for frame in recording.frames(every=self.every):
                if frame.index not in eyes or frame.index not in targets:
                    continue
                between = eyes[frame.index].reshape(2, 3).mean(axis=0)
                towards = signs * ((targets[frame.index] - between) @ turn)
                if not np.isfinite(towards).all() or not np.linalg.norm(towards):
                    continue
                yield Sample(
                    f"{session.name}/{frame.index}", frame.image, angles_from_image_axes(towards),
                    session.name.split("_")[0],
                )  # fmt: skip

    def _table(self, path: Path, width: int, root: Path) -> dict[int, Numbers]:
        """Frame → last numbers of its line."""
        table: dict[int, Numbers] = {}
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            parts = [part.strip() for part in line.strip().strip(";").split(";")]
            if not parts[0].isdigit():
                continue
            try:
                table[int(parts[0])] = np.array(parts[-width:], np.float64)
            except ValueError:
                incomplete(f"{path.name} has the line {line.strip()!r:.60}", root, self.tree)
        return table

    def _rotation(self, path: Path, root: Path) -> Numbers:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        try:
            start = lines.index("[R]") + 1
            rows = [line.replace(";", " ").split() for line in lines[start : start + 3]]
            return np.array(rows, np.float64).reshape(3, 3)
        except ValueError:
            incomplete(f"{path.name} holds no rotation under [R]", root, self.tree)
