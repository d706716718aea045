"""Finding the key picture from which to decode, and its number, without decoding."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import floor

import av

from facemt_analysis.detection.media.container import Video
from facemt_analysis.detection.media.packets import PacketReader, Stamped
from facemt_analysis.detection.media.reader import Entry, Numbering, WrongEntryError
from facemt_analysis.detection.media.sampling import Selector

__all__ = ["Jumper"]

# Pictures of one group that can precede its key picture in time but follow it in the file: fewer
# than the longest hierarchy that encoders use.
_MAX_LEADING = 40
_MAX_TRIES = 8
# Fewer packets than this are decoded rather than jumped over.
_WORTH_A_JUMP = 12


class Jumper:
    """Sends a container towards the pictures that are wanted.

    Parameters
    ----------
    video
        The open video, at its beginning.
    numbering
        What is known about counting its packets.
    """

    def __init__(self, video: Video, numbering: Numbering) -> None:
        self._video = video
        self._numbering = numbering

    @cached_property
    def _table(self) -> KeyTable | None:
        return KeyTable.of(self._video)

    def enter(self, time: float) -> Entry | None:
        """Go to the last key picture at or before a time; None: begin where the container stands.

        Raises
        ------
        WrongEntryError
            When that fails; the container has to be opened anew.
        """
        lost = self._numbering.lost_at_start
        if lost is None:
            return None
        if self._table is not None:
            return self._to_row(self._table, lost, 0, stamp=self._stamp(time))
        entry = enter_by_scan(self._video, self._stamp(time), lost)
        if entry is None:
            raise WrongEntryError
        return entry

    def skip(self, selector: Selector, read: int) -> Entry | None:
        """Jump over pictures nobody wants, in a container with an index; None: go on decoding.

        Parameters
        ----------
        selector
            Knows what is wanted next.
        read
            Packets read so far.

        Raises
        ------
        WrongEntryError
            As `enter`.
        """
        if not selector.is_sparse(_WORTH_A_JUMP, float(self._video.rate)):
            return None
        lost = self._numbering.lost_at_start
        if lost is None or self._table is None:
            return None
        if selector.next_time > 0:
            return self._to_row(self._table, lost, read, stamp=self._stamp(selector.next_time))
        return self._to_row(self._table, lost, read, index=selector.next_index)

    def _stamp(self, time: float) -> int:
        ticks = (Fraction(time) + self._video.origin) / self._video.tick
        return floor(ticks + Fraction(1, 1000))  # a float may lie just below the tick it stands for

    def _to_row(
        self, table: KeyTable, lost: int, read: int, *, stamp: int | None = None,
        index: int | None = None,
    ) -> Entry | None:  # fmt: skip
        if stamp is not None:
            row = table.last_before_stamp(stamp)
        else:
            row = table.last_before_index((index or 0) + lost)
        if row <= 0 or table.positions[row] < read + _WORTH_A_JUMP:
            return None
        entry = enter_by_table(self._video, table, row, lost, stamp=stamp, index=index)
        if entry is None:
            raise WrongEntryError
        return entry


@dataclass(frozen=True)
class KeyTable:
    """Key pictures by the index of the container: some 24 bytes each.

    Parameters
    ----------
    dts
        Decoding timestamps, rising.
    positions
        Packets before each key picture.
    shown
        Pictures to be shown that come before each in the file.
    delay
        Presentation minus decoding time of the first key picture, in the stream's units.
    """

    dts: array[int]
    positions: array[int]
    shown: array[int]
    delay: int

    @classmethod
    def of(cls, video: Video) -> KeyTable | None:
        """Read the table of a container that has one; None for others.

        A QuickTime or AVI file that is not in fragments lists all its pictures in one place.
        """
        stream = video.stream
        hides = stream.codec_context.name in ("vp8", "vp9", "libvpx", "libvpx-vp9")
        if not (video.is_mov or video.is_avi) or not stream.frames or hides:
            return None
        dts, positions, shown_before = array("q"), array("q"), array("q")
        shown = position = 0
        for entry in stream.index_entries:
            if not entry.size:
                continue
            if entry.is_keyframe:
                dts.append(entry.timestamp)
                positions.append(position)
                shown_before.append(shown)
            shown += not entry.is_discard
            position += 1
        if not dts or any(b <= a for a, b in pairwise(dts)):
            return None
        delay = 0 if video.is_avi else max(0, (stream.start_time or 0) - dts[0])
        return cls(dts, positions, shown_before, delay)

    def last_before_stamp(self, stamp: int) -> int:
        """Row of the last key picture that may be shown at or before a timestamp."""
        return bisect_right(self.dts, stamp - self.delay) - 1

    def last_before_index(self, index: int) -> int:
        """Row of the last key picture that has at most `index` pictures before it in the file."""
        return bisect_right(self.shown, index) - 1


def enter_by_table(
    video: Video, table: KeyTable, row: int, lost_at_start: int, *, stamp: int | None = None,
    index: int | None = None,
) -> Entry | None:  # fmt: skip
    """Send the container to a key picture at or before a timestamp or number.

    Parameters
    ----------
    video
        The open video.
    table
        Its key pictures.
    row
        Where to begin the search, backwards.
    lost_at_start
        From `Numbering`.
    stamp, index
        The key picture is shown at or before this timestamp or has at most this number.

    Returns
    -------
    Entry or None
        None when the file does not behave as its index says; where the container stands is not
        defined then.
    """
    for _ in range(_MAX_TRIES):
        if row < 0:
            return None
        try:
            video.container.seek(table.dts[row] + table.delay, stream=video.stream)
        except av.FFmpegError:
            return None
        packets = iter(PacketReader(video))
        key = next(packets, None)
        if key is None or not key.key or key.pts is None or key.dts is None:
            return None
        landed = bisect_right(table.dts, key.dts) - 1
        if landed < 0 or table.dts[landed] != key.dts:
            return None
        place = _Key(key.pts, key.dts, table.positions[landed], table.shown[landed])
        entry = _entry(key, place, packets, lost_at_start)
        if entry is None:
            return None
        early = entry.stamp <= stamp if stamp is not None else entry.index <= (index or 0)
        if early:
            return entry
        row = min(landed, row) - 1
    return None


def _entry(
    key: Stamped, place: _Key, packets: Iterator[Stamped], lost_at_start: int
) -> Entry | None:
    """Read on until all pictures that are shown before the key picture have been counted."""
    read = [key]
    leading = 0
    for packet in packets:
        if packet.pts is None:
            return None
        read.append(packet)
        leading += packet.shown and packet.pts < place.stamp
        beyond = packet.dts is not None and packet.dts >= place.stamp
        if beyond or packet.key or len(read) > _MAX_LEADING:
            break
    index = max(0, place.shown - lost_at_start + leading)
    return Entry(index, place.stamp, place.position, tuple(read))


def enter_by_scan(video: Video, stamp: int, lost_at_start: int) -> Entry | None:
    """Do as `enter_by_table` in a container without an index, reading (not decoding) it once.

    The container has to stand at its beginning.
    """
    key = _scan(video, stamp)
    if key is None or key.position == 0:
        return None
    target = key.stamp if key.dts is None else key.dts
    for again in (False, True):
        try:
            # the second time from the beginning: some containers cannot be sent to a place
            video.container.seek(
                target if not again else (video.stream.start_time or 0), stream=video.stream
            )
        except av.FFmpegError:
            continue
        packets = iter(PacketReader(video))
        found = _read_up_to(packets, key)
        if found is not None:
            return _entry(found, key, packets, lost_at_start)
    return None


@dataclass(frozen=True)
class _Key:
    stamp: int
    dts: int | None
    position: int
    shown: int


def _scan(video: Video, stamp: int) -> _Key | None:
    """Last key picture that is shown at or before a timestamp; None where that cannot be told."""
    reader = PacketReader(video)
    best: _Key | None = None
    shown = 0
    for packet in reader:
        if packet.pts is None or reader.jumps:
            return None
        if packet.key:
            if packet.pts <= stamp:
                best = _Key(packet.pts, packet.dts, reader.count - 1, shown)
            else:
                break
        elif packet.dts is not None and packet.dts > stamp:
            break
        shown += packet.shown
    return best


def _read_up_to(packets: Iterator[Stamped], key: _Key) -> Stamped | None:
    for packet in packets:
        if packet.key and packet.pts == key.stamp:
            return packet
        if packet.key and packet.pts is not None and packet.pts > key.stamp:
            return None
    return None
