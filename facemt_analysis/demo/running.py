"""The demonstration from clip to report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis.demo.accuracy import compare, one_face

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from facemt_analysis.fex import Fex

__all__ = ["CLIP", "TRUTH", "DemoResult", "run"]

CLIP = Path(__file__).parent / "data" / "demo.mp4"
"""The bundled clip: 8 s of a face that is nobody."""

TRUTH = Path(__file__).parent / "data" / "demo_truth.parquet"
"""What is true of each of its frames, as a Fex."""

_DPI = 300


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration found and wrote.

    Parameters
    ----------
    out
        The folder.
    fex
        The detected table.
    truth
        What is true, one row per frame analysed.
    accuracy
        One row per number, see `facemt_analysis.demo.accuracy.compare`.
    files
        Everything written, in the order of writing.
    seconds
        Time that detection took, loading the weights included.
    """

    out: Path
    fex: Fex
    truth: Fex
    accuracy: pd.DataFrame
    files: tuple[Path, ...]
    seconds: float


def run(
    out: str | Path, *, weights: str = "open", every: int = 1, progress: bool = False
) -> DemoResult:
    """Detect the bundled clip, compare with the truth, and write table, figures and report.

    Nothing is fetched: the clip, its truth, the face detector (OpenCV's Haar cascade) and the
    weights `open` are part of the installation.

    Parameters
    ----------
    out
        Folder, made if it is not there: ``demo.parquet`` (the Fex), ``accuracy.csv``,
        ``figures/*.png`` and ``*.pdf``, ``report.html``. Files of these names are replaced.
    weights
        Name of weights or path of a ``.safetensors`` checkpoint.
    every
        Analyse every N-th of the 200 frames.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    DemoResult

    Raises
    ------
    WeightsUnavailable
        If the weights are not there; nothing is written then.
    CheckpointError
        If they cannot be run.
    FacemtError
        If `out` is a file, or matplotlib is not installed.

    Examples
    --------
    >>> from facemt_analysis.demo import run
    >>> result = run("demo")                                             # doctest: +SKIP
    >>> result.accuracy.query("task == 'emotion'")["value"].item() > 0.5  # doctest: +SKIP
    True
    """
    from facemt_analysis.demo.report import demo_html
    from facemt_analysis.detection import Detector
    from facemt_analysis.io import read_fex

    folder = Path(out)
    _check(folder)
    started = time.perf_counter()
    detector = Detector(weights, face_detector="haar")
    fex = detector.detect(CLIP, every=every, progress=progress)
    seconds = time.perf_counter() - started
    truth = read_fex(TRUTH)
    truth = truth[truth["frame"].isin(fex["frame"])].reset_index(drop=True)
    accuracy = compare(fex, truth)
    folder.mkdir(parents=True, exist_ok=True)
    fex.to_parquet(folder / "demo.parquet")
    accuracy.to_csv(folder / "accuracy.csv", index=False)
    files = [folder / "demo.parquet", folder / "accuracy.csv"]
    figures = _figures(fex, truth)
    files += _write_figures(figures, folder / "figures")
    files.append(folder / "report.html")
    page = demo_html(figures, fex, accuracy, seconds, video=CLIP)
    files[-1].write_text(page, encoding="utf-8")
    return DemoResult(folder, fex, truth, accuracy, tuple(files), seconds)


def _check(folder: Path) -> None:
    """Find out what would fail before a minute of work is spent."""
    from facemt_analysis.errors import FacemtError

    if folder.exists() and not folder.is_dir():
        raise FacemtError(f"{folder} is a file, but the demo writes a folder; choose another name.")
    try:
        import matplotlib  # noqa: F401  ICN: only whether it is there
    except ImportError as error:
        raise FacemtError(
            "The demo draws figures, which needs matplotlib, but it is not installed; "
            'pip install "facemt-analysis[all]".'
        ) from error


def _figures(fex: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Figure]:
    from facemt_analysis.demo.figures import MOMENTS, draw_figures
    from facemt_analysis.detection import open_recordings

    (recording,) = open_recordings(CLIP)
    times = truth["time"].to_numpy()
    frames = truth["frame"].tolist()
    wanted = {frames[int(np.abs(times - second).argmin())]: second for _, second in MOMENTS}
    stills: dict[float, npt.NDArray[np.uint8]] = {
        wanted[frame.index]: frame.image for frame in recording.frames() if frame.index in wanted
    }
    return draw_figures(one_face(fex, frames), truth, stills)


def _write_figures(figures: dict[str, Figure], folder: Path) -> list[Path]:
    from facemt_analysis.plotting import paper

    folder.mkdir(exist_ok=True)
    files = []
    with paper("double"):
        for name, figure in figures.items():
            for suffix, options in _FORMATS.items():
                path = folder / f"{name}.{suffix}"
                figure.savefig(path, format=suffix, **options)
                files.append(path)
    return files


_FORMATS: dict[str, dict[str, Any]] = {
    "png": {"dpi": _DPI},
    "pdf": {"dpi": _DPI, "metadata": {"CreationDate": None}},
}
