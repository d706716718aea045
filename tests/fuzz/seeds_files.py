"""A small checkpoint, and a miniature of every table and annotation file that can be read."""

from __future__ import annotations

import importlib.util
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.fex import Fex, FexInfo
from facemt_analysis.io.events import write_events
from facemt_analysis.io.pyfeat import COLUMNS
from facemt_analysis.io.pyfeat_v1 import EMOTION_NAMES
from fuzz.seeds import Seed

__all__ = ["checkpoint_seeds", "file_seeds", "small_checkpoint"]

_TABLE = ("read_fex", "read_fex", "read_fex", "parts", "info")
_N = 6


def file_seeds(folder: Path) -> list[Seed]:
    """Tables and events; each format as often as it has kinds."""
    return [*_native(folder), *_foreign(), *_commercial(), *_events(folder)]


# ------------------------------------------------------------------ checkpoints
def small_checkpoint(path: Path) -> Path:
    """Write a network of the smallest backbone with random weights, in half precision."""
    import torch

    from facemt_analysis.network import CONVENTIONS, FaceMultitask, ModelConfig, save_checkpoint

    torch.manual_seed(0)
    config = ModelConfig.v25(
        backbone="convnextv2_atto", image_size=64, afg_channels=16, unified_lmk_dim=8
    )
    return save_checkpoint(
        FaceMultitask(config), path, dtype=torch.float16, licence="none, random",
        conventions=CONVENTIONS["face_multitask_v28"].to_json(),
    )  # fmt: skip


def checkpoint_seeds(weights: Path) -> list[Seed]:
    """The checkpoint, and an archive as torch writes it, which is never opened."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"a": 1}))
    doors = ("load_checkpoint", "load_checkpoint", "load_checkpoint", "info", "detector")
    return [
        Seed("small.safetensors", weights.read_bytes(), doors),
        Seed("renamed.safetensors", archive.getvalue(), ("load_checkpoint",)),
    ]


# ------------------------------------------------------------------ tables
def _fex() -> Fex:
    rng = np.random.default_rng(0)
    values: dict[str, object] = {
        "input": ["a.mp4"] * _N + ["b.mp4"] * _N,
        "frame": [*range(_N)] * 2,
        "time": [i / 25 for i in range(_N)] * 2,
        "track": [0, 0, -1, 0, 0, 0] * 2,
    }
    names = [
        c
        for g in ("faceboxes", "poses", "aus", "emotions", "va", "gazes")
        for c in schema.GROUPS[g].columns
    ]
    empty = np.array([0, 0, 1, 0, 0, 0] * 2, bool)
    for name in names:
        low, high = np.clip(schema.range_of(name), -10, 10)
        column = rng.uniform(low, high, 2 * _N).astype(np.float32)
        values[name] = np.where(empty, 0 if name == "FaceScore" else np.nan, column)
    frame = pd.DataFrame(values).astype(dict.fromkeys(names, np.float32))
    frame = frame.assign(
        condition=pd.Categorical(["x", "y"] * _N, categories=["y", "x"], ordered=True),
        subject=["ä", None] * _N,
    )
    log = FexInfo().with_log("smooth", window=5).log
    return Fex(frame, info=FexInfo(tool="facemt_analysis 0", weights="open", log=log))


def _native(folder: Path) -> Iterator[Seed]:
    fex = _fex()
    fex.to_parquet(folder / "native.parquet")
    native = (folder / "native.parquet").read_bytes()
    yield Seed("native.parquet", native, _TABLE)
    yield Seed("native2.parquet", native, _TABLE)
    part = fex[fex["input"] == "b.mp4"]
    part.to_parquet(folder / "b.mp4.parquet")
    yield Seed("a.mp4.parquet", native, _TABLE, {"b.mp4.parquet": _read(folder / "b.mp4.parquet")})
    plain = pd.DataFrame(fex).set_index("time")
    for codec in ("snappy", "gzip"):
        plain.to_parquet(folder / "plain.parquet", compression=codec)
        yield Seed(f"{codec}.parquet", _read(folder / "plain.parquet"), _TABLE)
    yield Seed("table.csv", _csv(fex), _TABLE)
    semicolons = fex.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    yield Seed("semicolons.csv", semicolons.encode("utf-8-sig"), _TABLE)


def _foreign() -> Iterator[Seed]:
    rng = np.random.default_rng(1)

    def random(*names: str) -> dict[str, object]:
        return {name: rng.random(_N).round(3) for name in names}

    eyes = [f"gaze_{e}_{a}" for e in (0, 1) for a in "xyz"]
    openface = {
        "frame": np.arange(1, _N + 1), "face_id": 0, "timestamp": np.arange(_N) / 25,
        "confidence": 0.98, "success": [1, 1, 0, 1, 1, 1],
        **random(*eyes, "gaze_angle_x", "gaze_angle_y"),
        **random(*(f"pose_{t}{a}" for t in "TR" for a in "xyz")),
        **random(*(f"{a}_{i}" for a in "xy" for i in range(68))),
        **random("AU01_r", "AU12_r"), "AU12_c": 1.0, "AU28_c": 0.0,
    }  # fmt: skip
    yield Seed("openface.csv", _csv(openface), _TABLE)
    lists = {
        "timestamp": "2026-01-01 10:00:00", "video_path": "/clips/a.mp4",
        "frame_index": np.arange(_N), "face_id": 0,
        "face_detection": [[10.0, 20.0, 110.0, 170.0, 0.9]] * _N,
        "landmarks": [[[i + 0.5, 2.0 * i] for i in range(98)]] * _N,
        "emotion": 1, "gaze_yaw": 0.1, "gaze_pitch": -0.2,
        "action_units": [[[0.1 * i for i in range(8)]]] * _N,
    }  # fmt: skip
    yield Seed("openface3.csv", _csv(lists), _TABLE)

    first = {
        **random(*(c for g in ("faceboxes", "landmarks", "poses", "aus")
                   for c in schema.GROUPS[g].columns)),
        **random(*EMOTION_NAMES), "input": "a.mp4", "frame": np.arange(_N),
    }  # fmt: skip
    yield Seed("pyfeat1.csv", _csv(first), _TABLE)
    second = random(*COLUMNS) | {"input": "a.mp4", "frame": np.arange(_N), "Identity": "Person_0"}
    second |= {"approx_time": "00:00"}
    yield Seed("pyfeat2.csv", _csv(second, rows=3), _TABLE)
    mesh = random(*(f"{a}_{i}" for i in range(schema.N_MESH) for a in "xyz"))
    box = random("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore")
    mp = {**box, **mesh, **random("Pitch", "Roll", "Yaw", "AU12"), "frame": np.arange(_N)}
    yield Seed("mpdetector.csv", _csv(mp | {"input": "a.mp4"}, rows=3), _TABLE)

    libreface = {"frame_idx": np.arange(_N), "frame_time_in_ms": np.arange(_N) / 25}
    libreface |= random("pitch", "yaw", "roll", "gaze_yaw", "gaze_pitch", "au_12_intensity")
    libreface |= {"au_1": 1, "au_12": 0, "facial_expression": ["Happiness", "Neutral"] * 3}
    yield Seed("libreface.csv", _csv(libreface), _TABLE)
    pyafar = {"Frame": [0, 1, 1, 2, 4, 5], "Person_ID": [1, 1, 2, 1, 1, 1]}
    pyafar |= random("Pitch", "Yaw", "Roll", "Occ_au_12", "Occ_au_3", "Int_au_6")
    yield Seed("pyafar.csv", _csv(pyafar), _TABLE)
    shapes = {"frame_idx": np.arange(_N), "timestamp_ms": np.arange(_N) * 40, "video": "a.mp4"}
    yield Seed("mediapipe.csv", _csv(shapes | random(*schema.BLENDSHAPES)), _TABLE)


def _commercial() -> Iterator[Seed]:
    about = ["Video analysis detailed log", "", "Face Model:\tGeneral", "Calibration:\tNone",
             "Start time:\t18.11.2015 14:41:35.299", "Filename:\tC:\\clips\\talk.mp4",
             "Frame rate:\t25,000000", "", ""]  # fmt: skip
    names = ["Video Time", "Neutral", "Happy", "Valence", "Arousal", "Gender",
             "Y - Head Orientation", "X - Head Orientation", "Z - Head Orientation", "Quality",
             "Action Unit 01 - Inner Brow Raiser",
             "Action Unit 12 - Lip Corner Puller"]  # fmt: skip
    rows = [[f"00:00:00.{40 * i:03d}", "0.57", "0.4", "-0.6", "0.2", "Male", "1.7", "2.5", "-3.1",
             "0.93", "0.1", "0.2"] for i in range(_N)]  # fmt: skip
    rows[2][1:] = ["FIND_FAILED"] * (len(names) - 1)
    lines = [*about, *("\t".join(row) for row in (names, *rows))]
    yield Seed("facereader.txt", "\r\n".join([*lines, ""]).encode("utf-8-sig"), _TABLE)

    header = ["Row", "Timestamp", "EventSource", "SourceStimuliName", "SampleNumber", "Joy",
              "Anger", "Valence", "Brow Furrow", "Brow Raise", "Smile", "Pitch", "Yaw",
              "Roll"]  # fmt: skip
    data = [[i, 33.4 * i, "Affectiva AFFDEX", "Intro", i, *([12.5] * 9)] for i in range(_N)]
    lines = ["#INFO", "#Version,9.3", "#METADATA", "#Device,,,Affectiva AFFDEX", "#DATA"]
    lines += [",".join(map(str, row)) for row in (header, *data)]
    yield Seed("imotions.csv", "\n".join([*lines, ""]).encode(), _TABLE)
    header = ["Name", "StimulusName", "Timestamp", "FrameNo", "AU1 Evidence", "Yaw Degrees"]
    data = [["Ann", "A", 40 * i, i, 0.5, 3.0] for i in range(_N)]
    lines = ["#Study : x", "", *("\t".join(map(str, row)) for row in (header, *data))]
    yield Seed("facet.txt", "\n".join([*lines, ""]).encode(), _TABLE)


# ------------------------------------------------------------------ events
def _events(folder: Path) -> Iterator[Seed]:
    doors = ("read_events",)
    onset = np.array([0.5, 1.5, 4.0])
    events = pd.DataFrame(
        {"input": "talk.mp4", "track": [0, 0, 1], "feature": ["AU12", "AU04", "AU12"],
         "onset": onset, "offset": onset + 0.8, "label": ["smile", "frown", "ä"], "peak": 0.5}
    )  # fmt: skip
    for name in ("talk.eaf", "talk.TextGrid", "talk_events.tsv", "talk.csv"):
        if name.endswith((".eaf", ".TextGrid")) and not importlib.util.find_spec("pympi"):
            continue
        write_events(events, folder / name)
        data = _read(folder / name)
        yield Seed(name, data, doors)
        if name.endswith(".TextGrid"):
            yield Seed("wide.TextGrid", data.decode().encode("utf-16"), doors)
            short = [line.partition("=")[2] or line for line in data.decode().split("\n")]
            yield Seed("short.TextGrid", "\n".join(s.strip() for s in short).encode(), doors)
    write_events(events[:2], folder / "annotations.csv", format="pyfeat-live", fps=25)
    yield Seed("annotations.csv", _read(folder / "annotations.csv"), ("live_events",))
    captions = "WEBVTT\n\nNOTE by hand\n\n1\n00:00:00.500 --> 00:00:01.300\n<v Ann>Hello\n\n" \
               "00:01.500 --> 00:02.300 align:start\nhow are\nyou?\n"  # fmt: skip
    yield Seed("talk.vtt", captions.encode(), doors)


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _csv(values: pd.DataFrame | dict[str, object], rows: int | None = None) -> bytes:
    index = None if isinstance(values, pd.DataFrame) else range(_N)
    return bytes(pd.DataFrame(values, index=index)[:rows].to_csv(index=False).encode())
