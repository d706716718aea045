"""Recordings in, upright RGB frames with their own time out.

Everything streams: a recording is read frame by frame, and memory does not grow with its length.

Time
----
The time of a frame is its presentation timestamp minus the start of the container, in seconds:
the first sample of whatever starts first, sound or picture, is at 0, so that video, audio and the
events of an experiment that was recorded with them share one clock. Variable frame rate needs no
special care. Sources without a clock (images, arrays, bare video streams) have NaN unless a
`frame_rate` is given.

Pictures
--------
Frames are what a player shows: rotated and mirrored as the file asks, with square pixels, colours
converted with the stream's own matrix and range. Untagged video counts as BT.709 from 720 lines (or
1280 columns) up and as BT.601 below, as players do. Transparency of video is ignored; transparent
images lie on white. Interlaced video is left interlaced, high dynamic range is not tone mapped.
"""

from __future__ import annotations

from facemt_analysis.detection.media.images import MAX_PIXELS, read_image
from facemt_analysis.detection.media.recording import Frame, MediaInfo, Recording
from facemt_analysis.detection.media.sources import open_recordings

__all__ = ["MAX_PIXELS", "Frame", "MediaInfo", "Recording", "open_recordings", "read_image"]
