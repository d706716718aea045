"""Coded pictures in the order of the file, with sound timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.packet import Packet

from facemt_analysis.detection.media.container import Video

__all__ = ["PacketReader", "Stamped", "is_shown"]

# A reader gives up where a file fails this often in a row.
_MAX_ERRORS = 100


@dataclass(frozen=True, slots=True)
class Stamped:
    """One coded picture.

    Parameters
    ----------
    packet
        FFmpeg's packet.
    pts, dts
        Timestamps of presentation and decoding in the stream's units, jumps of the clock taken
        out; None where the file has none.
    shown
        Whether a picture comes of it: not of hidden reference pictures nor of what an edit list
        cuts off.
    """

    packet: Packet[Any]
    pts: int | None
    dts: int | None
    shown: bool

    @property
    def key(self) -> bool:
        """Whether decoding can begin here."""
        return self.packet.is_keyframe

    @property
    def stamp(self) -> int | None:
        """Best timestamp there is."""
        return self.dts if self.pts is None else self.pts


class PacketReader:
    """Reads the coded pictures of a video from where the container stands.

    A clock that jumps back by more than a second (spliced transport streams) is made to go on
    where it was. Damaged stretches are skipped.

    Parameters
    ----------
    video
        The open video.
    sound_too
        Also look at the sound, to learn where it ends.

    Attributes
    ----------
    count
        Coded pictures read, hidden ones included.
    end
        Latest end of any packet in seconds on the container's clock (not counted from its start).
    jumps
        How often the clock jumped back.
    corrupt
        Pictures that the container marks as damaged.
    """

    def __init__(self, video: Video, *, sound_too: bool = False) -> None:
        self._video = video
        self._streams = [video.stream, *(video.container.streams.audio if sound_too else ())]
        self._second = round(1 / video.tick)
        self._step = max(1, round(1 / (video.rate * video.tick)))
        self._shift = 0
        self._last_dts: int | None = None
        self.count = 0
        self.end = 0.0
        self.jumps = 0
        self.corrupt = 0

    def __iter__(self) -> Iterator[Stamped]:
        failures = 0
        while failures < _MAX_ERRORS:
            try:
                for packet in self._video.container.demux(self._streams):
                    failures = 0
                    self._note_end(packet)
                    if packet.stream_index == self._video.stream.index and packet.size:
                        self.count += 1
                        self.corrupt += packet.is_corrupt
                        yield self._stamped(packet)
                return
            except av.FFmpegError:
                failures += 1

    def _note_end(self, packet: Packet[Any]) -> None:
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None and packet.size:
            end = float((stamp + (packet.duration or 0)) * packet.time_base)
            self.end = max(self.end, end)

    def _stamped(self, packet: Packet[Any]) -> Stamped:
        if packet.dts is not None:
            if self._last_dts is not None:
                back = self._last_dts - (packet.dts + self._shift)
                if back > self._second:
                    self._shift += back + self._step
                    self.jumps += 1
            self._last_dts = packet.dts + self._shift
        pts, dts = packet.pts, packet.dts
        if self._video.is_avi:  # it knows no presentation times, and FFmpeg's guesses are off
            pts = dts
        if self._shift:
            pts = None if pts is None else pts + self._shift
            dts = None if dts is None else dts + self._shift
        packet.pts, packet.dts = pts, dts  # the decoder hands them on to the picture
        return Stamped(packet, pts, dts, is_shown(packet))


def is_shown(packet: Packet[Any]) -> bool:
    """Whether a picture to be shown comes of a packet.

    VP8 and VP9 have packets with nothing but a hidden reference picture (RFC 6386, 9.1; VP9
    bitstream specification, 6.2); their first byte says so.
    """
    if packet.is_discard:
        return False
    codec = packet.stream.codec_context.name
    if codec not in ("vp8", "vp9", "libvpx", "libvpx-vp9"):
        return True
    data = memoryview(packet)
    first = data[0]
    if "9" not in codec:
        return bool(first >> 4 & 1)
    if data[-1] & 0xE0 == 0xC0 or first >> 4 & 3 == 3:  # a superframe; a profile of another layout
        return True
    return bool(first >> 3 & 1 or first >> 1 & 1)
