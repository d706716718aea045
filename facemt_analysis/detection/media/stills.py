"""Still images: one alone, a folder of them, a list of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.images import opened_image, read_image
from facemt_analysis.detection.media.kinds import Kind, kind_of
from facemt_analysis.detection.media.names import distinct_names
from facemt_analysis.detection.media.recording import Frame, Image, MediaInfo, Recording
from facemt_analysis.detection.media.sampling import Sampling, Selector
from facemt_analysis.errors import MediaError

__all__ = ["StillsRecording", "check_still"]


class StillsRecording(Recording):
    """Image files as the frames of one recording.

    The index of a frame is the position of its file; one that cannot be read is left out, named in
    `problems`, and keeps its index, so that the others keep theirs.

    Parameters
    ----------
    name
        Name of the recording.
    files
        The images in order.
    path
        Folder of the images, or the image itself.
    frame_rate
        Frames per second, if the images are frames of a film. Without it they have no time, and
        neighbours are taken for unrelated.
    """

    def __init__(
        self, name: str, files: Sequence[Path], path: Path, frame_rate: float | None = None
    ) -> None:
        super().__init__(name, path)
        self.files = tuple(files)
        self._rate = frame_rate
        self._names = distinct_names(self.files)

    @property
    def has_clock(self) -> bool:
        """Whether a frame rate was given."""
        return self._rate is not None

    @property
    def continuous(self) -> bool:
        """Whether a frame rate was given: then the images are frames of a film."""
        return self._rate is not None

    def describe(self) -> MediaInfo:
        """Describe the first image that can be read, and how many there are."""
        for file in self.files:
            try:
                height, width = _read(file).shape[:2]
                with opened_image(file) as image:
                    info = image.format, image.mode, image.size
                break
            except MediaError:
                continue
        else:
            raise MediaError(f"{self.name}: none of the {len(self.files)} images can be read.")
        n = len(self.files)
        return MediaInfo(
            self.name, self.path, "image" if n == 1 else "images", width, height, n,
            duration=None if self._rate is None else n / self._rate,
            rate=self._rate,
            variable_rate=None if self._rate is None else False,
            codec=info[0],
            pixel_format=info[1],
            stored_size=info[2],
            size_bytes=sum(file.stat().st_size for file in self.files if file.exists()),
        )  # fmt: skip

    @property
    def sources(self) -> tuple[Path, ...]:
        """The images."""
        return tuple(self.files)

    def _extent(self) -> tuple[int | None, float | None]:
        return len(self.files), self._rate

    def _frames(self, sampling: Sampling) -> Generator[Frame, None, None]:
        selector = Selector(sampling)
        for index, (file, name) in enumerate(zip(self.files, self._names, strict=True)):
            time = float("nan") if self._rate is None else index / self._rate
            if selector.ended(time):
                return
            if not selector.keeps(index, time):
                continue
            try:
                image = _read(file)
            except MediaError as error:
                self._problems.append(str(error))
                continue
            yield Frame(index, time, image, name)


def check_still(path: Path) -> None:
    """Refuse a file that cannot be an image, without decoding it.

    Raises
    ------
    MediaError
        As `read_image`; for HEIC with a word of help.
    """
    with _explained(path), opened_image(path):
        pass


def _read(path: Path) -> Image:
    with _explained(path):
        return read_image(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say of a HEIC image that it is one."""
    try:
        yield
    except MediaError as error:
        if path.is_file() and kind_of(path) is Kind.HEIC:
            raise MediaError(
                f"{shown(path)}: HEIC images cannot be read; convert them to JPEG or PNG first."
            ) from error
        raise
