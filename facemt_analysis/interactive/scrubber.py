"""The scrubber: a recording frame by frame beside its signals, in a notebook.

A thin skin: what is shown at a time comes from :mod:`timebase`, :mod:`video_source`,
:mod:`raster` and :mod:`panels`, the widgets from :mod:`controls`; here is what happens when they
are used.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from facemt_analysis import schema
from facemt_analysis.checks import pick_columns
from facemt_analysis.errors import FacemtError
from facemt_analysis.interactive.annotations import Annotations
from facemt_analysis.interactive.controls import (
    ANY,
    JUMPS,
    STEPS,
    Controls,
    default_columns,
    face_options,
)
from facemt_analysis.interactive.panels import (
    affect_point,
    bar_values,
    mesh_parts,
    timeline_figure,
)
from facemt_analysis.interactive.raster import banner, draw_marks, to_jpeg
from facemt_analysis.interactive.timebase import Timebase
from facemt_analysis.interactive.video_source import (
    Shown,
    Videos,
    VideoSource,
    find_video,
    missing_words,
)
from facemt_analysis.measures.rotations import rotation_convention
from facemt_analysis.plotting.overlay_marks import overlay_marks

__all__ = ["Scrubber", "scrub"]

_MOST_LINES = 8
# Seconds of decoding before the nearest frame reached so far is shown.
_PATIENCE = 0.11


def scrub(
    fex: pd.DataFrame,
    video: Videos = None,
    *,
    columns: str | Sequence[str] | None = None,
    events: pd.DataFrame | None = None,
    width: int = 640,
) -> Scrubber:
    """Walk through recordings frame by frame; what ``fex.scrub`` shows.

    Parameters
    ----------
    fex
        Table with ``time``; one recording is shown at a time.
    video
        The video; a folder with the videos; a mapping of recordings to files; None: files of the
        recordings' names in the working directory. Without a video everything else works.
    columns
        Features in the timeline to begin with; default: some that the table has.
    events
        Events to jump between (``onset`` in s; ``input`` and ``feature`` where there are several),
        e.g. ``fex.au.events()``; default: those of the action units.
    width
        Frames are shown at most so wide, px.

    Returns
    -------
    Scrubber
        Displays itself; its ``annotations`` are what was marked.

    Raises
    ------
    FexError
        If rows have no time, or a feature is not in the table.
    """
    return Scrubber(fex, video, columns=columns, events=events, width=width)


class Scrubber(widgets.VBox):  # type: ignore[misc]
    """A widget; :func:`scrub` documents its parameters."""

    def __init__(
        self,
        fex: pd.DataFrame,
        video: Videos = None,
        *,
        columns: str | Sequence[str] | None = None,
        events: pd.DataFrame | None = None,
        width: int = 640,
    ) -> None:
        self._fex = fex
        self._video = video
        self._marks = Annotations()
        self._selected: tuple[float, float] | None = None
        self._shown_time = float("nan")
        info = getattr(fex, "info", None)
        self._convention = rotation_convention(getattr(info, "conventions", None))
        self._events = _default_events(fex) if events is None else events
        self._base = Timebase.of(fex)
        chosen = pick_columns(self._base.table, default_columns(self._base.table, columns))
        features: Iterable[object] = (
            self._events["feature"].unique() if "feature" in self._events.columns else ()
        )
        names = fex["input"].dropna().unique() if "input" in fex.columns else [""]
        self.controls = Controls(
            self._base, [str(n) for n in names], chosen, sorted(map(str, features)), width
        )
        self._source = self._open_source()
        self._time = float(self._base.times[0])
        self._timeline = go.FigureWidget()
        super().__init__(self.controls.layout())
        self._wire()
        self._set_speed()
        self._list_marks()
        self._redraw()

    # ------------------------------------------------------------------ for code
    @property
    def time(self) -> float:
        """Seconds in the recording that is shown; set it to jump."""
        return self._time

    @time.setter
    def time(self, value: float) -> None:
        self._time = float(value)
        self._set_slider(self._base.index_at(self._time))
        self._show()

    @property
    def recording(self) -> str | None:
        """Name of the recording that is shown; set it to change to another."""
        return self._base.recording

    @recording.setter
    def recording(self, value: str) -> None:
        self._change_recording(value)

    @property
    def track(self) -> int | None:
        """The face whose numbers are shown."""
        chosen = self.controls.track.value
        return None if chosen is None else int(chosen)

    @property
    def shown_time(self) -> float:
        """Time of the frame that is on the screen, s; NaN where there is no video."""
        return self._shown_time

    @property
    def annotations(self) -> pd.DataFrame:
        """What was marked, as a table of events; set it to go on from one."""
        return self._marks.table()

    @annotations.setter
    def annotations(self, table: pd.DataFrame) -> None:
        self._marks = Annotations.from_table(table)
        self._list_marks()

    def mark(self, start: float, stop: float, label: str = "") -> None:
        """Mark a stretch of the recording that is shown."""
        self._marks = self._marks.add(self.recording, start, stop, label, self.track)
        self._list_marks()

    def save_annotations(self, path: str | PathLike[str], **options: Any) -> None:
        """Write what was marked in this recording; the ending says how.

        See :func:`facemt_analysis.io.write_events` for formats and options.
        """
        from facemt_analysis.io import write_events

        table = self.annotations
        if self.recording is not None:
            table = table[table["input"] == self.recording]
        write_events(table, path, **options)

    def close(self) -> None:
        """Let go of the video and the widgets."""
        if hasattr(self, "_source"):  # widgets close themselves when they cannot be made
            self._source.close()
        super().close()

    # ------------------------------------------------------------------ what is shown
    def _redraw(self) -> None:
        """Draw the timeline anew, then the moment."""
        columns = list(self.controls.features.value)[:_MOST_LINES]
        courses = self._base.courses(columns, track=self.track) if columns else []
        self._timeline = go.FigureWidget(timeline_figure(courses, time=self._time))
        for trace in self._timeline.data:
            trace.on_click(self._clicked)
        # not on_selection: what is pointed at meanwhile may take its message's place
        self._timeline.layout.on_change(self._dragged, "selections")
        self.controls.timeline_box.children = [self._timeline]
        self._show()

    def _show(self) -> None:
        """Show the moment: frame with overlays, cursor, numbers of the face."""
        controls = self.controls
        rows = self._base.rows_at(self._time)
        found = self._source.at(self._time, patience=_PATIENCE)
        if not found.exact:  # far from a key picture: what has been reached, said to be that
            self._show_frame(found)
            controls.where.value = f"{self._words(rows)} · decoding …"
            found = self._source.at(self._time)
        self._show_frame(found)
        controls.where.value = self._words(rows)
        self._timeline.layout.shapes[0].update(x0=self._time, x1=self._time)
        face = self._base.face(rows, self.track)
        x, y = affect_point(face)
        controls.affect.data[0].update(x=x, y=y)
        if controls.bars is not None:
            controls.bars.data[0].y = bar_values(face, controls.bar_columns)
        if controls.mesh is not None and controls.mesh_on.value:
            for trace, points in zip(controls.mesh.data, mesh_parts(face), strict=True):
                trace.update(x=points[:, 0], y=points[:, 1], z=points[:, 2])
        self._source.fetch_ahead(self._base.step(self._time, 1))

    def _show_frame(self, found: Shown) -> None:
        """Put a frame on the screen, with the overlays of its own time."""
        parts = [part for part, box in self.controls.toggles.items() if box.value]
        rows = self._base.rows_at(self._time if found.exact else found.time)
        image = found.image
        for _, each in rows.iterrows():
            marks = overlay_marks(each, parts, convention=self._convention)
            image = draw_marks(image, marks, scale=found.scale)
        if not found.exact:
            image = banner(image, f"{found.time:.3f} s – on the way to {self._time:.3f} s")
        self.controls.frame.value = to_jpeg(image)
        self._shown_time = found.time

    def _words(self, rows: pd.DataFrame) -> str:
        frame = f"frame {int(rows['frame'].iloc[0])} · " if "frame" in rows.columns else ""
        faces = int((rows["track"] >= 0).sum()) if "track" in rows.columns else len(rows)
        problem = f" · {html.escape(self._source.problem)}" if self._source.problem else ""
        return f"{frame}{self._time:.3f} s · {faces} face{'s' * (faces != 1)}{problem}"

    def _list_marks(self) -> None:
        rows = "".join(
            f"<tr><td>{html.escape(r.recording)}</td><td>{r.onset:.2f}–{r.offset:.2f} s</td>"
            f"<td>{html.escape(r.label)}</td></tr>"
            for r in self._marks.ranges
        )
        self.controls.listed.value = f"<table>{rows}</table>" if rows else "nothing is marked yet"

    # ------------------------------------------------------------------ what happens
    def _wire(self) -> None:
        controls = self.controls
        controls.slider.observe(self._moved, "value")
        controls.speed.observe(self._set_speed, "value")
        controls.recording.observe(lambda c: self._change_recording(c["new"]), "value")
        for widget in (controls.track, controls.features):
            widget.observe(lambda _: self._redraw(), "value")
        controls.mesh_on.observe(lambda _: controls.show_mesh(), "value")
        for widget in (*controls.toggles.values(), controls.mesh_on):
            widget.observe(lambda _: self._show(), "value")
        for text, button in controls.steps.items():
            button.on_click(self._stepper(STEPS[text]))
        for text, button in controls.jumps.items():
            button.on_click(self._jumper(JUMPS[text]))
        controls.mark.on_click(self._mark_selected)
        controls.undo.on_click(self._unmark)
        controls.save.on_click(self._save)

    def _moved(self, change: dict[str, Any]) -> None:
        self._time = float(self._base.times[int(change["new"])])
        self._show()

    def _stepper(self, frames: int) -> Callable[[object], None]:
        def step(_: object) -> None:
            self.time = self._base.step(self._time, frames)

        return step

    def _jumper(self, direction: int) -> Callable[[object], None]:
        def jump(_: object) -> None:
            events, wanted = self._events, self.controls.event_feature.value
            if wanted != ANY:
                events = events[events["feature"] == wanted]
            onset = self._base.next_event(events, self._time, direction)
            if onset is not None:
                self.time = onset

        return jump

    def _clicked(self, _trace: object, points: Any, _state: object) -> None:
        if points.xs:
            self.time = float(points.xs[0])

    def _dragged(self, layout: go.Layout, _: object) -> None:
        # as plain data: plotly's objects of selections that the browser made stay empty
        drawn = layout.to_plotly_json().get("selections")
        if drawn:
            start, stop = sorted((float(drawn[-1]["x0"]), float(drawn[-1]["x1"])))
            self._selected = (start, stop)
            self.controls.range.value = f"{start:.2f}–{stop:.2f} s"

    def _mark_selected(self, _: object) -> None:
        start, stop = self._selected or (self._time, self._base.step(self._time, 1))
        try:
            self.mark(start, stop, self.controls.label.value)
        except FacemtError as error:
            self.controls.message.value = html.escape(str(error))

    def _unmark(self, _: object) -> None:
        if len(self._marks):
            self._marks = self._marks.remove(-1)
            self._list_marks()

    def _save(self, _: object) -> None:
        path = self.controls.path.value
        try:
            self.save_annotations(path)
            self.controls.message.value = f"written: {html.escape(path)}"
        except (FacemtError, OSError) as error:
            self.controls.message.value = html.escape(str(error))

    def _change_recording(self, name: str) -> None:
        if name == (self._base.recording or ""):
            return
        controls = self.controls
        base = Timebase.of(self._fex, name)
        controls.player.playing = False
        self._source.close()
        self._base, self._time, self._selected = base, float(base.times[0]), None
        self._source = self._open_source()
        controls.recording.value = name
        self._set_slider(0, last=len(base.times) - 1)
        controls.track.options = face_options(base)
        self._set_speed()
        self._redraw()

    def _set_slider(self, index: int, *, last: int | None = None) -> None:
        """Move the slider to a frame without jumping to the frame's own time."""
        slider = self.controls.slider
        slider.unobserve(self._moved, "value")
        if last is not None:
            self.controls.player.max = slider.max = last
        slider.value = index
        slider.observe(self._moved, "value")

    def _set_speed(self, _: object = None) -> None:
        steps = np.diff(self._base.times)
        usual = float(np.median(steps)) if len(steps) else 0.04
        self.controls.player.interval = max(15, round(1000 * usual / self.controls.speed.value))

    def _open_source(self) -> VideoSource:
        name = self._base.recording
        return VideoSource(
            find_video(self._video, name), self._base.table, width=self.controls.width,
            missing=missing_words(self._video, name),
        )  # fmt: skip


def _default_events(fex: pd.DataFrame) -> pd.DataFrame:
    """Events of the action units, where there are any to find."""
    from facemt_analysis.measures import au_events

    if not schema.columns_in("aus", fex.columns.tolist()):
        return pd.DataFrame({"onset": np.empty(0)})
    return au_events(fex)
