"""``facemt detect``: find and measure faces in videos and images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.cli.words import (
    DONE,
    NOTHING_DONE,
    SOME_FAILED,
    Commands,
    positive_int,
    say,
)
from facemt_analysis.errors import MediaError

if TYPE_CHECKING:
    from facemt_analysis.fex import Fex

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    detect = commands.add_parser(
        "detect",
        help="find and measure faces in videos and images",
        description="Find faces in videos, images and folders and measure what they do.",
    )
    detect.set_defaults(run=_detect)
    detect.add_argument("sources", nargs="+", metavar="SOURCE", help="video, image or folder")
    detect.add_argument(
        "-o", "--out", required=True, type=Path,
        help="ending in .parquet or .csv: one file; else a folder with one file per recording",
    )  # fmt: skip
    detect.add_argument(
        "--weights", default="face_multitask_v2", metavar="W",
        help="name of published weights, 'open', or a .safetensors file (default: %(default)s)",
    )  # fmt: skip
    detect.add_argument(
        "--face-detector", metavar="F", help="retinaface or haar (default: what suits the weights)"
    )
    rate = detect.add_mutually_exclusive_group()
    rate.add_argument("--every", type=positive_int, default=1, metavar="N",
                      help="analyse every N-th frame")  # fmt: skip
    rate.add_argument("--fps", type=float, metavar="HZ", help="analyse HZ frames a second")
    detect.add_argument("--start", type=float, metavar="S", help="begin at this second")
    detect.add_argument("--stop", type=float, metavar="S", help="end before this second")
    detect.add_argument(
        "--frame-rate", type=float, metavar="HZ", help="clock of image folders that are film frames"
    )
    detect.add_argument(
        "--groups", type=lambda text: [g.strip() for g in text.split(",") if g.strip()],
        metavar="G,...", help=f"feature groups to keep, of {', '.join(schema.FEATURE_GROUPS)}",
    )  # fmt: skip
    detect.add_argument("--device", default="auto", help="auto, cpu, cuda, … (default: auto)")
    detect.add_argument("--batch-size", type=positive_int, default=16, metavar="N")
    detect.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _detect(arguments: argparse.Namespace) -> int:
    from facemt_analysis.detection import Detector, open_recordings
    from facemt_analysis.detection.media.stills import StillsRecording
    from facemt_analysis.detection.table import check_groups
    from facemt_analysis.io.output import open_output

    groups = check_groups(arguments.groups)
    sources = arguments.sources
    recordings = open_recordings(
        sources if len(sources) > 1 else sources[0], frame_rate=arguments.frame_rate
    )
    detector = Detector(
        arguments.weights,
        face_detector=arguments.face_detector,
        device=arguments.device,
        batch_size=arguments.batch_size,
    )
    sampling = {"every": arguments.every, "fps": arguments.fps, "start": arguments.start,
                "stop": arguments.stop}  # fmt: skip
    # one file has one set of columns: beside still images, rows of a video get an empty `image`
    stills = [isinstance(recording, StillsRecording) for recording in recordings]
    add_image = any(stills) and not all(stills)
    done = failures = 0
    with open_output(arguments.out) as output:
        for recording in recordings:
            rows = frames = faces = 0
            try:
                for chunk in detector.stream(
                    recording, **sampling, groups=groups, progress=not arguments.quiet
                ):
                    output.write(_with_image(chunk) if add_image else chunk)
                    rows += len(chunk)
                    frames += chunk["frame"].nunique()
                    faces += int((chunk["track"] >= 0).sum())
            except MediaError as error:
                failures += 1
                say(f"error: {error}")
                output.drop_recording()
                continue
            output.next_recording()
            done += 1
            for problem in recording.problems:
                failures += 1
                say(f"warning: {recording.name}: {problem}")
            print(f"{recording.name}: {frames} frames, {faces} faces, {rows} rows", flush=True)
    if not done:
        return NOTHING_DONE
    print(f"written: {arguments.out}")
    return SOME_FAILED if failures else DONE


def _with_image(chunk: Fex) -> Fex:
    """Add an empty column `image` where there is none."""
    if "image" in chunk.columns:
        return chunk
    wider = chunk.assign(image=pd.array([None] * len(chunk), dtype="string"))
    return wider[schema.canonical_order(wider.columns)]
