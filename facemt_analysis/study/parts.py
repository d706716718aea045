"""What has been measured of a recording so far, in files that a crash cannot spoil.

A folder ``NAME.parquet.parts`` beside the result holds Parquet files of a minute or so each, all
of them complete, so what was measured can be read whatever happened, as a table by
:func:`facemt_analysis.read_fex` on the folder. Faces in it are not numbered yet (`track` is 0).
A small JSON file beside each part says where it ends; a part without one is written again.

A process that was given up for lost may still be at work, as a Dask worker is for half a minute
after its scheduler died. Who begins to measure a segment says so in ``-owner.json``, and whoever
finds another's name there stops: parts that follow each other come from one process.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemt_analysis.errors import FexError
from facemt_analysis.io import read_fex
from facemt_analysis.io._atomic import atomic_file, writing
from facemt_analysis.io.parquet import write_parquet

if TYPE_CHECKING:
    from facemt_analysis.detection.units import Place
    from facemt_analysis.fex import Fex

__all__ = ["COMPLETE", "Parts", "Tally"]

COMPLETE = "complete.json"
"""Name of the file in a folder whose parts have become the result."""

_SUFFIX = ".parts"


@dataclass
class Tally:
    """What was measured: frames, faces, rows, and what could not be read."""

    frames: int = 0
    faces: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, rows: Fex) -> None:
        """Count the rows of some whole frames."""
        self.frames += int(rows["frame"].nunique())
        self.faces += int((rows["track"] >= 0).sum())
        self.rows += len(rows)

    def __add__(self, other: Tally) -> Tally:
        problems = [*dict.fromkeys([*self.problems, *other.problems])]
        return Tally(
            self.frames + other.frames, self.faces + other.faces, self.rows + other.rows, problems
        )


class Parts:
    """The parts of one recording.

    Parameters
    ----------
    result
        The file that the recording is going to have; the folder gets its name and ``.parts``.
    """

    def __init__(self, result: Path) -> None:
        self.folder = result.with_name(result.name + _SUFFIX)
        self._result = result
        self._owner = secrets.token_hex(8)

    def begin(self, identity: dict[str, Any], *, resume: bool) -> None:
        """Make the folder; what lies there is kept only if it is to be resumed and of the same job.

        Parameters
        ----------
        identity
            What the job is: source, options, weights. JSON.
        resume
            Whether to go on with what is there.

        Raises
        ------
        FexError
            If the folder cannot be made.
        """
        same = resume and _read(self.folder / "job.json") == json.loads(json.dumps(identity))
        if not same:
            self.remove()
        with writing(self.folder):
            self.folder.mkdir(exist_ok=True)
        _write(self.folder / "job.json", identity)

    def done(self, segment: int) -> Tally | None:
        """Tally of a segment that is complete; None of others."""
        found = _read(self._path(segment, "done.json"))
        return None if found is None else Tally(**found)

    def take(self, segment: int) -> None:
        """Begin to measure a segment: whoever does so elsewhere stops at the next part."""
        _write(self._path(segment, "owner.json"), self._owner)

    def so_far(self, segment: int) -> tuple[int, Place | None, Tally]:
        """Give the number of complete parts of a segment, where they end, and the tally."""
        from facemt_analysis.detection.units import Place

        number, place, tally = 0, None, Tally()
        while (found := _read(self._path(segment, f"{number:05d}.json"))) is not None:
            boxes = found["place"].pop("boxes")
            place = Place(
                **found["place"], boxes=None if boxes is None else tuple(map(tuple, boxes))
            )
            tally = Tally(**found["tally"])
            number += 1
        return number, place, tally

    def add(self, segment: int, number: int, rows: Fex, place: Place, tally: Tally) -> None:
        """Write a part, and then that it is there.

        Raises
        ------
        FexError
            If it cannot be written, or another process has taken the segment; the parts before
            stay.
        """
        self._check_owner(segment)
        write_parquet(rows, self._path(segment, f"{number:05d}.parquet"))
        content = {"place": asdict(place), "tally": asdict(tally)}
        _write(self._path(segment, f"{number:05d}.json"), content)

    def finish(self, segment: int, tally: Tally) -> None:
        """Say that a segment is complete.

        Raises
        ------
        FexError
            See `add`.
        """
        self._check_owner(segment)
        _write(self._path(segment, "done.json"), asdict(tally))

    def read(self, segment: int) -> Iterator[Fex]:
        """Read the parts of a segment one after the other."""
        for number in range(self.so_far(segment)[0]):
            yield read_fex(self._path(segment, f"{number:05d}.parquet"))

    def is_complete(self) -> bool:
        """Whether the result is written and the parts are cleared."""
        return (self.folder / COMPLETE).exists()

    def clear(self) -> None:
        """Remove the parts, whose rows are in the result; the tallies stay."""
        _write(self.folder / COMPLETE, {})
        for path in self.folder.glob("*.parquet"):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder and all in it."""
        if self.folder.exists():
            with writing(self.folder):
                shutil.rmtree(self.folder)

    def _check_owner(self, segment: int) -> None:
        if _read(self._path(segment, "owner.json")) != self._owner:
            raise FexError(
                f"Cannot go on with {self._result}: another process has begun to measure the same "
                "recording to the same place; let one of them finish."
            )

    def _path(self, segment: int, rest: str) -> Path:
        return self.folder / f"{segment:05d}-{rest}"


def _read(path: Path) -> Any:
    """Content of a JSON file; None where there is none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, content: object) -> None:
    # NaN of a recording without a clock is written as Python reads it
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
