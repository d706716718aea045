"""When expressions are strongest, and the frames of the video at those times."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from facemt_analysis import schema
from facemt_analysis.interactive.report.markup import figure, note
from facemt_analysis.interactive.report.recordings import Seen
from facemt_analysis.measures.au_events import AU_ON
from facemt_analysis.measures.events import find_events
from facemt_analysis.plotting.overlay_marks import overlay_marks

__all__ = ["AU_GROUPS", "Peak", "au_group", "find_peaks", "stills_html"]

AU_GROUPS = {"aus": AU_ON, "intensities": 1.0}
"""Groups with action units → from where on an action unit is on: a score, or FACS intensity A."""

_APART = 0.5  # s between moments
_WIDTH = 400  # px of a still
_PARTS = ("outline", "gaze", "pose")
_MARGIN = 0.55  # of the face box on each side of it


@dataclass(frozen=True)
class Peak:
    """A moment at which something is at its strongest.

    Parameters
    ----------
    time
        Seconds.
    features
        Columns and their values there, the strongest first.
    """

    time: float
    features: tuple[tuple[str, float], ...]

    @property
    def words(self) -> str:
        """Features and values.

        >>> Peak(2.0, (("AU12", 0.981),)).words
        'AU12 Lip corner puller 0.98'
        """
        return ", ".join(f"{named(name)} {value:.2f}" for name, value in self.features)


def named(column: str) -> str:
    """Name an action unit beside its column."""
    unit = schema.ACTION_UNITS.get(column.removesuffix("_r"))
    return f"{column} {unit.name}" if unit else column


def au_group(seen: Seen) -> str | None:
    """Say which group of a recording holds action units; None: neither does."""
    return next((group for group in AU_GROUPS if seen.has(group)), None)


def find_peaks(seen: Seen, *, most: int = 8) -> list[Peak]:
    """Find the strongest moments of a face: of each action unit and each emotion but Neutral one.

    Parameters
    ----------
    seen
        The recording; its rows have a time.
    most
        How many moments.

    Returns
    -------
    list of Peak
        In the order of time, half a second apart at least. A moment is the apex of an event (so
        that single frames do not count); where a face has no event, its greatest values.
    """
    group = au_group(seen)
    columns: dict[str, float] = {}
    if group is not None:
        aus = schema.columns_in(group, seen.face.columns.tolist())
        columns |= dict.fromkeys(aus, AU_GROUPS[group])
    if seen.has("emotions"):
        emotions = schema.columns_in("emotions", seen.face.columns.tolist())
        columns |= {name: AU_ON for name in emotions if name != "Neutral"}
    if not columns:
        return []
    events = find_events(seen.face, list(columns), on=columns)[["feature", "apex", "peak"]]
    if events.empty:
        events = _greatest(seen, list(columns))
    strength = events["peak"] / [schema.range_of(name)[1] for name in events["feature"]]
    order = strength.sort_values(ascending=False, kind="stable").index
    chosen: list[tuple[float, list[tuple[str, float]]]] = []
    told: set[str] = set()
    for name, time, peak in events.loc[order].itertuples(index=False):
        if name in told:
            continue
        told.add(name)
        near = [features for at, features in chosen if abs(at - time) < _APART]
        if near:
            value = _value_near(seen, name, next(at for at, f in chosen if f is near[0]))
            if len(near[0]) < 3 and value >= peak / 2:  # else it is over, or has not begun
                near[0].append((name, value))
        elif len(chosen) < most:
            chosen.append((float(time), [(name, float(peak))]))
    return [Peak(time, tuple(features)) for time, features in sorted(chosen, key=lambda c: c[0])]


def _greatest(seen: Seen, columns: Sequence[str]) -> pd.DataFrame:
    rows = []
    for name in columns:
        values = seen.face[name].to_numpy(np.float64, na_value=np.nan)
        if np.isfinite(values).any():
            at = int(np.nanargmax(values))
            rows.append((name, seen.moments[at], values[at]))
    table = pd.DataFrame(rows, columns=["feature", "apex", "peak"])
    return table.sort_values("peak", ascending=False, kind="stable").head(3).reset_index(drop=True)


def _value_near(seen: Seen, column: str, time: float) -> float:
    return float(seen.face[column].iloc[int(np.abs(seen.moments - time).argmin())])


def stills_html(seen: Seen, peaks: Sequence[Peak], video: Path | None) -> str:
    """Show the frames of the video at some moments, with what was found drawn over them.

    Parameters
    ----------
    seen, peaks
        The recording, and the moments.
    video
        Its file; None: there is none, and the page says so.

    Returns
    -------
    str
        A grid of pictures, or a note why there are none.
    """
    if not peaks:
        return note("There are no action units or emotions by which moments could be chosen.")
    moments = "; ".join(f"{peak.time:.2f} s: {peak.words}" for peak in peaks)
    if video is None:
        return note(
            f"The video of this recording was not given or is not there, so that its frames are "
            f"not shown. The strongest moments: {moments}."
        )
    try:
        from facemt_analysis.interactive.video_source import VideoSource
    except ImportError as error:
        return note(
            f"Frames need the libraries that read videos ({error.name}); "
            'pip install "facemt-analysis[detect]". '
            f"The strongest moments: {moments}."
        )
    source = VideoSource(video, seen.rows, width=1280)
    try:
        pictures = []
        for peak in peaks:
            shown = source.at(peak.time)
            if source.problem:
                return note(
                    f"Frames are not shown: {source.problem} The strongest moments: {moments}."
                )
            row = seen.face.iloc[int(np.abs(seen.moments - peak.time).argmin())]
            image = _cropped(shown.image, row, shown.scale)
            pictures.append(_still(image, peak))
    finally:
        source.close()
    return f'<div class="stills">{"".join(pictures)}</div>'


def _still(image: npt.NDArray[np.uint8], peak: Peak) -> str:
    from facemt_analysis.interactive.report.pictures import jpeg_tag

    caption = f"{peak.time:.2f} s: {peak.words}"
    made = figure(jpeg_tag(image, f"Frame at {caption}"), caption)
    return made.replace("<figure>", f'<figure data-time="{html.escape(repr(peak.time))}">', 1)


def _cropped(image: npt.NDArray[np.uint8], row: pd.Series, scale: float) -> npt.NDArray[np.uint8]:
    """Cut out the face with some room around it, in 4:3 where the frame is wide enough."""
    from PIL import Image

    from facemt_analysis.interactive.raster import draw_marks

    drawn = draw_marks(image, overlay_marks(row, _PARTS), scale=scale)
    high, wide = drawn.shape[:2]
    names = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight")
    box = np.array([row.get(name, np.nan) for name in names], dtype=np.float64) * scale
    left, top, width, height = 0, 0, wide, high
    if np.isfinite(box).all():
        height = min(round(box[3] * (1 + 2 * _MARGIN)), high)
        width = min(round(max(height * 4 / 3, box[2])), wide)
        left = int(np.clip(box[0] + box[2] / 2 - width / 2, 0, wide - width))
        top = int(np.clip(box[1] + box[3] / 2 - height / 2, 0, high - height))
    part = drawn[top : top + height, left : left + width]
    small = min(1.0, _WIDTH / max(width, 1))
    picture = Image.fromarray(part)
    size = (max(round(width * small), 1), max(round(height * small), 1))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS))
