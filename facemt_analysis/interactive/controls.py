"""The widgets of the scrubber and where they stand; what they do is the scrubber's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ipywidgets as widgets
import pandas as pd
import plotly.graph_objects as go

from facemt_analysis import schema
from facemt_analysis.interactive.panels import affect_figure, bars_figure
from facemt_analysis.interactive.timebase import Timebase
from facemt_analysis.plotting.overlay_marks import OVERLAY_PARTS

__all__ = ["Controls", "default_columns", "drawable"]

_PREFERRED = (("AU06", "AU12"), ("valence", "arousal"), ("Happy",), ("Yaw", "Pitch"))
_SPEEDS = {"¼×": 0.25, "½×": 0.5, "1×": 1.0, "2×": 2.0, "4×": 4.0}
STEPS = {"«": -10, "‹": -1, "›": 1, "»": 10}
"""Words of the buttons that step → frames."""
JUMPS = {"◂ event": -1, "event ▸": 1}
"""Words of the buttons that jump between events → direction."""
ANY = "any event"


def _button(text: str, tip: str) -> widgets.Button:
    width = "36px" if len(text) == 1 else "76px"
    return widgets.Button(description=text, tooltip=tip, layout={"width": width})


@dataclass
class Controls:
    """All widgets by what they are for.

    Parameters
    ----------
    base
        The recording to begin with.
    recordings
        Names to choose from.
    columns
        Features chosen to begin with.
    event_features
        Features whose events one can jump between.
    width
        Of the frame, px.
    """

    base: Timebase
    recordings: Sequence[str]
    columns: Sequence[str]
    event_features: Sequence[str]
    width: int
    frame: widgets.Image = field(init=False)
    bars: go.FigureWidget | None = field(init=False)
    bar_columns: list[str] = field(init=False)
    mesh: go.FigureWidget | None = field(init=False)
    steps: Mapping[str, widgets.Button] = field(init=False)
    jumps: Mapping[str, widgets.Button] = field(init=False)
    toggles: Mapping[str, widgets.ToggleButton] = field(init=False)

    def __post_init__(self) -> None:
        table, last = self.base.table, len(self.base.times) - 1
        self.frame = widgets.Image(format="jpeg", layout={"max_width": f"{self.width}px"})
        self.where = widgets.HTML()
        self.slider = widgets.IntSlider(0, 0, last, readout=False, layout={"width": "100%"})
        self.player = widgets.Play(value=0, min=0, max=last, interval=40)
        widgets.jslink((self.player, "value"), (self.slider, "value"))
        self.speed = widgets.Dropdown(options=_SPEEDS, value=1.0, layout={"width": "70px"})
        self.recording = widgets.Dropdown(options=list(self.recordings))
        self.track = widgets.Dropdown(
            options=face_options(self.base), description="face", layout={"width": "140px"}
        )
        self.toggles = {
            part: widgets.ToggleButton(
                value=part in ("box", "outline"), description=part, layout={"width": "72px"}
            )
            for part in OVERLAY_PARTS
        }
        self.steps = {
            text: _button(text, f"{abs(n)} frame{'s' * (abs(n) > 1)} {'on' if n > 0 else 'back'}")
            for text, n in STEPS.items()
        }
        self.jumps = {
            text: _button(text, "next event" if n > 0 else "previous event")
            for text, n in JUMPS.items()
        }
        self.event_feature = widgets.Dropdown(
            options=[ANY, *self.event_features], layout={"width": "110px"}
        )
        options = [c for c in schema.feature_columns(table.columns) if drawable(c)]
        self.features = widgets.SelectMultiple(
            options=options, value=list(self.columns), rows=9, layout={"width": "150px"}
        )
        self.affect = go.FigureWidget(affect_figure(None))
        names = table.columns.tolist()
        self.bar_columns = schema.columns_in("aus", names) or schema.columns_in(
            "intensities", names
        )
        self.bars = (
            go.FigureWidget(bars_figure(None, self.bar_columns)) if self.bar_columns else None
        )
        self.mesh_on = widgets.ToggleButton(value=False, description="3D mesh")
        self.mesh = _mesh_widget() if "mesh_x_0" in names else None
        self.mesh_box = widgets.VBox([self.mesh_on])
        self.timeline_box = widgets.VBox()
        self.range = widgets.HTML("drag in the timeline to choose a range")
        self.label = widgets.Text(placeholder="label", layout={"width": "180px"})
        self.mark = _button("mark", "mark the range, or this frame")
        self.undo = _button("undo", "take the last mark away")
        self.path = widgets.Text(value="annotations.eaf", layout={"width": "220px"})
        self.save = _button("save", "write .eaf, .tsv, .TextGrid or .csv")
        self.message = widgets.HTML()
        self.listed = widgets.HTML()

    def layout(self) -> list[widgets.Widget]:
        """Rows from top to bottom."""
        beside: list[widgets.Widget] = [self.affect]
        if self.bars is not None:
            beside.append(self.bars)
        if self.mesh is not None:
            beside.append(self.mesh_box)
        row = widgets.HBox
        return [
            row([self.recording, self.track, *self.toggles.values()]),
            row([self.player, *self.steps.values(), self.speed, *self.jumps.values(),
                 self.event_feature, self.where]),
            row([widgets.VBox([self.frame, self.slider], layout={"min_width": "320px"}),
                 self.features, widgets.VBox(beside)]),
            self.timeline_box,
            row([self.range, self.label, self.mark, self.undo, self.path, self.save,
                 self.message]),
            self.listed,
        ]  # fmt: skip

    def show_mesh(self) -> None:
        """Show the mesh where it is on."""
        on = self.mesh is not None and self.mesh_on.value
        self.mesh_box.children = [self.mesh_on, *([self.mesh] if on else [])]


def face_options(base: Timebase) -> list[tuple[str, int | None]]:
    """Faces to choose from, as a drop-down takes them."""
    return [(str(track), track) for track in base.tracks] or [("–", None)]


def drawable(column: str) -> bool:
    """Whether a feature is worth a line over time: not a coordinate in the picture."""
    return schema.group_of(column) not in ("landmarks", "meshes", "faceboxes")


def default_columns(table: pd.DataFrame, columns: str | Sequence[str] | None) -> list[str]:
    """Features to begin with: those asked for, or some that people look at first."""
    if columns is not None:
        return [columns] if isinstance(columns, str) else list(columns)
    for names in _PREFERRED:
        if set(names) <= set(table.columns):
            return list(names)
    return [c for c in schema.feature_columns(table.columns) if drawable(c)][:2]


def _mesh_widget() -> go.FigureWidget:
    from facemt_analysis.interactive.mesh import mesh_figure
    from facemt_analysis.measures.mesh_model import mesh_template

    figure = mesh_figure(mesh_template().vertices)
    # room for a face of any pose: outer eye corners are 1 apart
    axis = {"range": [-1.1, 1.1]}
    scene = {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "cube"}
    figure.update_layout(height=260, width=270, margin=dict.fromkeys("lrtb", 0), scene=scene)
    return go.FigureWidget(figure)
