"""Decoded pictures in order of presentation, each with its number in the stream."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

import av

from facemt_analysis.detection.media.container import Video, open_video
from facemt_analysis.detection.media.packets import PacketReader, Stamped

__all__ = ["Entry", "Numbering", "Picture", "PictureReader", "WrongEntryError"]

# Coded pictures from which it is learnt how pictures and packets correspond.
_LEARN_FROM = 48


class Numbering:
    """Whether the number of a picture can be told by counting packets, learnt from the beginning.

    In most files each packet gives one picture, and pictures come in order of their timestamps; the
    first few packets may lack what they refer to and give none. Then a picture has the same number
    whether the stream was decoded up to it or not. Elsewhere only decoding from the beginning
    tells.

    Parameters
    ----------
    path
        The video.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def lost_at_start(self) -> int | None:
        """Packets before the first picture; None when packets cannot be counted."""
        return self._learnt[0]

    @property
    def tells_losses(self) -> bool:
        """Whether a packet without a picture is a loss: not where that is how the stream works."""
        lost, damaged = self._learnt
        return lost is not None or damaged

    @cached_property
    def _learnt(self) -> tuple[int | None, bool]:
        decoded: list[int | None] = []
        with open_video(self._path) as video:
            video.stream.thread_type = "SLICE"  # errors come with the packet that causes them
            packets = list(islice(PacketReader(video), _LEARN_FROM))
            errors = 0
            for packet in (*packets, None):
                try:
                    frames = video.stream.decode(packet.packet if packet else None)
                except av.FFmpegError:
                    errors += 1
                else:
                    decoded += [frame.pts for frame in frames]
        stamps = sorted(p.pts for p in packets if p.shown and p.pts is not None)
        if not decoded or None in decoded or len(stamps) != sum(p.shown for p in packets):
            return None, errors > 0
        lost = sum(s < (decoded[0] or 0) for s in stamps)
        expected = stamps[lost:]
        if errors:  # some pictures are lost; the others have to come in the right order
            expected = [s for s in expected if s in set(decoded)]
        same = decoded == expected and len(set(decoded)) == len(decoded)
        return (lost if same else None), errors > 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame with its number and its timestamp (None where the file has none)."""

    index: int
    stamp: int | None
    frame: av.VideoFrame


@dataclass(frozen=True)
class Entry:
    """A key picture from which decoding can begin.

    Parameters
    ----------
    index, stamp
        Number and timestamp of the key picture.
    position
        Packets of the file before it.
    packets
        What has been read of the file from the key picture on.
    """

    index: int
    stamp: int
    position: int
    packets: tuple[Stamped, ...]


class PictureReader:
    """Decodes from where the container stands to its end.

    Parameters
    ----------
    video
        The open video.
    numbering
        What is known about counting its packets; consulted only when it matters.
    sound_too
        Passed on to `PacketReader`.

    Attributes
    ----------
    packets
        The reader of the coded pictures.
    lost
        Pictures within what was read that could not be decoded.
    errors
        Packets that the decoder refused.
    concealed
        Pictures that the decoder marked as damaged.
    """

    def __init__(self, video: Video, numbering: Numbering, *, sound_too: bool = False) -> None:
        self._video = video
        self._numbering = numbering
        self.packets = PacketReader(video, sound_too=sound_too)
        self._source: Iterator[Stamped] = iter(self.packets)
        self._pending: list[int] = []  # timestamps of packets whose pictures have not come yet
        self._ready: deque[av.VideoFrame] = deque()
        self._next = 0
        self._first_stamp: int | None = None
        self._started = False
        self._flushed = False
        self.lost = 0
        self.errors = 0
        self.concealed = 0

    def __iter__(self) -> Iterator[Picture]:
        while (frame := self._decode()) is not None:
            picture = self._number(frame)
            if picture is not None:
                yield picture

    def begin_at(self, entry: Entry) -> None:
        """Go on from a key picture; the container stands behind the packets of the entry."""
        self._source = chain(entry.packets, self.packets)
        self.packets.count = entry.position + len(entry.packets)
        self._pending.clear()
        self._ready.clear()
        self._next = entry.index
        self._first_stamp = entry.stamp
        self._started = False
        self._flushed = False

    def _decode(self) -> av.VideoFrame | None:
        stream = self._video.stream
        while not self._ready:
            if self._flushed:
                return None
            packet = next(self._source, None)
            try:
                if packet is None:
                    self._flushed = True
                    self._ready.extend(stream.decode(None))
                else:
                    if packet.shown and packet.stamp is not None:
                        heapq.heappush(self._pending, packet.stamp)
                    if not self._is_cut_off(packet):
                        self._ready.extend(stream.decode(packet.packet))
            except av.FFmpegError:
                # pictures that precede the entry point may fail: they lack what they refer to
                self.errors += self._started or self._first_stamp is None
        return self._ready.popleft()

    def _is_cut_off(self, packet: Stamped) -> bool:
        """Whether this is the piece of a picture at the end of a truncated QuickTime file.

        Decoding it fails, and with it, in a decoder of several threads, the pictures before it.
        """
        return self._video.is_mov and packet.packet.is_corrupt

    def _number(self, frame: av.VideoFrame) -> Picture | None:
        stamp = frame.pts
        pending = self._pending
        if self._first_stamp is not None and not self._started:
            # pictures before the key picture lack what they refer to
            if stamp is None or stamp < self._first_stamp:
                return None
            if stamp > self._first_stamp:
                raise WrongEntryError
        skipped = 0
        if self._video.is_avi or stamp is None:
            stamp = heapq.heappop(pending) if pending else None
        else:
            while pending and pending[0] < stamp:
                heapq.heappop(pending)
                skipped += 1
            if pending and pending[0] == stamp:
                heapq.heappop(pending)
        if skipped and self._started and self._numbering.tells_losses:
            self.lost += skipped
            # a stream whose packets cannot be counted is numbered by what was decoded of it
            self._next += skipped if self._numbering.lost_at_start is not None else 0
        self._started = True
        self.concealed += bool(frame.is_corrupt)
        self._next += 1
        return Picture(self._next - 1, stamp, frame)

    @property
    def unfinished(self) -> int:
        """Packets read last of which no picture came."""
        return len(self._pending)


class WrongEntryError(Exception):
    """Decoding from a key picture did not give that picture first."""
