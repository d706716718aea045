"""Which pictures on the way to one of them have to be decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

import av
from av.packet import Packet
from av.video.stream import VideoStream

__all__ = ["Way"]

Picture: TypeAlias = "Packet[VideoStream]"

# So many pictures, at most, come before one in the file and after it on the screen (ITU-T H.264 and
# H.265: sixteen pictures are kept for reordering).
_MOST_REORDERED = 16


class Way:
    """Packets in the order of the file, each with whether it is only passed.

    A picture is passed when another one is to be shown later, but not after the target: it has to
    be decoded only if others refer to it.

    Parameters
    ----------
    packets
        From a key picture on.

    Attributes
    ----------
    target
        Timestamp at which somebody looks; None: every picture counts.
    expected
        The latest timestamp of a picture up to the target that has been read.
    """

    def __init__(self, packets: Iterator[Picture]) -> None:
        self._packets = packets
        self._waiting: deque[Picture] = deque()
        self.target: int | None = None
        self.expected: int | None = None

    def lead_to(self, target: int) -> None:
        """Set or move on the target."""
        if target != self.target:
            self.target, self.expected = target, None

    def __iter__(self) -> Iterator[tuple[Picture, bool]]:
        while self._waiting or self._read():
            packet = self._waiting.popleft()
            yield packet, self._is_passed(packet)

    def _read(self) -> bool:
        try:
            packet = next(self._packets, None)
        except av.FFmpegError:  # the file cannot be read any further
            packet = None
        if packet is not None:
            self._waiting.append(packet)
        return packet is not None

    def _is_passed(self, packet: Picture) -> bool:
        target, own = self.target, packet.pts
        if target is None or own is None or own > target:
            return False
        if self.expected is not None and own < self.expected:
            return True
        later = seen = 0
        while later <= _MOST_REORDERED and (seen < len(self._waiting) or self._read()):
            other = self._waiting[seen]
            seen += 1
            if other.pts is None or other.is_discard:
                continue
            if own < other.pts <= target:
                return True
            later += other.pts > target
        self.expected = own
        return False
