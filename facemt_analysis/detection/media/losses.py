"""What is missing of a video, as far as the file itself tells."""

from __future__ import annotations

from facemt_analysis.detection.media.container import Video
from facemt_analysis.detection.media.reader import Numbering, PictureReader

__all__ = ["losses"]

# Shorter than promised by less than this many seconds is no loss: containers round.
_TOLERANCE = 0.5


def losses(
    video: Video, reader: PictureReader, numbering: Numbering, *, to_the_end: bool
) -> list[str]:
    """Say what could not be read, one line for each kind of loss.

    Parameters
    ----------
    video, reader
        The open video and what has read it.
    numbering
        Whether packets and pictures correspond, so that lost pictures can be counted.
    to_the_end
        Whether reading went on until nothing came any more.
    """
    lost = reader.lost
    if to_the_end and reader.unfinished and numbering.tells_losses:
        lost += reader.unfinished
    found = []
    if to_the_end and (promised := _promised_packets(video)) > reader.packets.count:
        missing = promised - reader.packets.count + lost
        # a damaged AVI is searched for its next picture, so the lost ones may lie anywhere in it
        reason = "is damaged or cut off" if video.is_avi else "ends early"
        found.append(f"{missing} of {promised} frames are missing: the file {reason}")
        lost = 0
    elif to_the_end and video.promises_end and (gap := _gap(video, reader)) > _TOLERANCE:
        missing = round(gap * video.rate)
        found.append(
            f"about {_frames(missing)} missing: the file ends {gap:.1f} s earlier than it says"
        )
    lost = lost or (reader.errors if not found else 0)
    if lost:
        found.append(f"{_frames(lost)} could not be decoded: damaged data")
    elif reader.packets.corrupt and not found:
        found.append(f"{_frames(reader.packets.corrupt)} damaged in the file")
    if reader.concealed:
        found.append(f"{_frames(reader.concealed)} decoded with errors in the picture")
    return found


def _frames(n: int) -> str:
    return f"{n} frame" if n == 1 else f"{n} frames"


def _promised_packets(video: Video) -> int:
    """Coded pictures that the container lists; 0 where it has no list."""
    if video.is_mov:
        return len(video.stream.index_entries)
    return int(video.stream.frames) if video.is_avi else 0


def _gap(video: Video, reader: PictureReader) -> float:
    promised = video.promised_end
    return 0.0 if promised is None else promised - reader.packets.end
