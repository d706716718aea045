"""What a video file holds, for `describe`."""

from __future__ import annotations

from itertools import chain, islice, pairwise

import av
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from facemt_analysis.detection.media.container import Video, has_decoder
from facemt_analysis.detection.media.files import shown
from facemt_analysis.detection.media.packets import PacketReader, Stamped
from facemt_analysis.detection.media.pixels import PixelConverter, orientation_of
from facemt_analysis.detection.media.recording import MediaInfo
from facemt_analysis.errors import MediaError

__all__ = ["survey"]

# Packets from whose intervals it is told whether the frame rate varies.
_LOOK_AT = 250
# Pictures that may come before one that is shown earlier; no codec here holds back more.
_REORDERED = 16
# ITU-T H.273, tables 3 and 4.
_MATRICES = {
    0: "RGB", 1: "BT.709", 4: "FCC", 5: "BT.601", 6: "BT.601", 7: "SMPTE 240M", 8: "YCgCo",
    9: "BT.2020", 10: "BT.2020",
}  # fmt: skip
_HDR = {16: "HDR (PQ)", 18: "HDR (HLG)"}


def survey(video: Video, name: str) -> MediaInfo:
    """Describe a video that has just been opened; decodes up to its first picture.

    Raises
    ------
    MediaError
        When no picture can be decoded.
    """
    stream, context = video.stream, video.stream.codec_context
    packets = list(islice(PacketReader(video), _LOOK_AT))
    frame = _first_picture(video, packets)
    orientation = orientation_of(frame)
    size = PixelConverter(video.pixel_aspect).square_size(frame.width, frame.height)
    width, height = size[::-1] if orientation.transpose else size
    stamped = bool(packets) and packets[0].stamp is not None
    duration = video.length if stamped else None
    frames = listed = video.pictures
    if frames is None and duration is not None:
        frames = round(duration * video.rate)
    return MediaInfo(
        name, video.path, "video", width, height, frames,
        frames_exact=listed is not None,
        duration=duration,
        rate=float(video.rate) if stamped else None,
        variable_rate=_varies(packets) if stamped else None,
        container=video.container.format.name,
        codec=context.codec.canonical_name,
        pixel_format=frame.format.name,
        stored_size=(frame.width, frame.height),
        rotation=orientation.degrees,
        mirrored=orientation.mirrored,
        pixel_aspect=float(video.pixel_aspect),
        colour=_colour(frame),
        audio=tuple(_audio(s) for s in video.container.streams.audio),
        other_video=tuple(
            _other(s) for s in video.container.streams.video if s.index != stream.index
        ),
        size_bytes=video.path.stat().st_size,
    )  # fmt: skip


def _first_picture(video: Video, packets: list[Stamped]) -> av.VideoFrame:
    for packet in chain(packets, PacketReader(video), [None]):
        try:
            for frame in video.stream.decode(packet.packet if packet else None):
                return frame
        except av.FFmpegError:
            continue
    raise MediaError(f"{shown(video.path)}: no frame can be decoded.")


def _varies(packets: list[Stamped]) -> bool | None:
    """Whether the intervals differ by more than rounding to whole units explains."""
    known = sorted(p.stamp for p in packets if p.shown and p.stamp is not None)
    if len(packets) == _LOOK_AT:  # pictures between the last ones may come in later packets
        known = known[:-_REORDERED]
    steps = [b - a for a, b in pairwise(known)]
    return max(steps) - min(steps) > 1 if steps else None


def _colour(frame: av.VideoFrame) -> str:
    parts = [_MATRICES.get(int(frame.colorspace), "unspecified matrix")]
    parts += {1: ["limited range"], 2: ["full range"]}.get(int(frame.color_range), [])
    parts += [_HDR[int(frame.color_trc)]] if int(frame.color_trc) in _HDR else []
    return ", ".join(parts)


def _audio(stream: AudioStream) -> str:
    if not has_decoder(stream):
        return "unknown codec"
    context = stream.codec_context
    return f"{context.codec.canonical_name}, {context.sample_rate} Hz, {context.channels} channels"


def _other(stream: VideoStream) -> str:
    if not has_decoder(stream):
        return "unknown codec"
    context = stream.codec_context
    kind = "cover, " if stream.disposition & Disposition.attached_pic else ""
    return f"{kind}{context.codec.canonical_name}, {context.width}x{context.height}"
