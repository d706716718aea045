"""Long films made from a clip in seconds: a piece is encoded, and its packets are repeated."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

__all__ = ["PIECE", "looped", "repeated"]

RATE = 25
PIECE = 20  # s that are encoded


def looped(
    clip: Path, path: Path, *, seconds: int = 3600, size: tuple[int, int] = (1920, 1080),
    keyframe: float = 2.0, crf: int = 23, preset: str = "veryfast", piece: int = PIECE,
) -> Path:  # fmt: skip
    """Make a film of a clip that runs there and back, at 25 frames a second.

    Parameters
    ----------
    clip
        What is seen; ten seconds of it are enough.
    path
        The film.
    seconds
        Its length; a multiple of `piece`.
    size
        Width and height, px.
    keyframe
        Seconds between key pictures; no more than `piece`, which begins with one.
    crf, preset
        Quality and pains of x264.
    piece
        Seconds that are encoded; the rest repeats them.
    """
    if seconds % piece:
        raise SystemExit(f"The film lasts a multiple of {piece} s, not {seconds} s.")
    with av.open(str(clip)) as source:
        frames = []
        for frame in source.decode(video=0):
            frames.append(frame)
            if 2 * len(frames) > piece * RATE:  # it does not get any further
                break
    there_and_back = [*frames, *frames[-2:0:-1]] or frames
    encoded = path.with_name(f"piece-{path.name}")
    with av.open(str(encoded), "w") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        gop = str(round(keyframe * RATE))
        stream.options = {
            "g": gop, "keyint_min": gop, "sc_threshold": "0", "crf": str(crf), "preset": preset,
        }  # fmt: skip
        for i in range(piece * RATE):
            frame = there_and_back[i % len(there_and_back)].reformat(*size, "yuv420p")
            frame.pts, frame.time_base, frame.pict_type = i, Fraction(1, RATE), 0
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    repeated(encoded, seconds // piece, path)
    encoded.unlink()
    return path


def repeated(video: Path, copies: int, path: Path) -> Path:
    """Write a video several times over, without coding it again."""
    with av.open(str(path), "w") as out:
        stream, shift = None, 0
        for _ in range(copies):
            with av.open(str(video)) as source:
                coded = source.streams.video[0]
                stream = stream or out.add_stream_from_template(coded)
                end = shift
                for packet in source.demux(coded):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    end = max(end, packet.pts + packet.duration)
                    packet.stream = stream
                    out.mux(packet)
                shift = end
    return path
