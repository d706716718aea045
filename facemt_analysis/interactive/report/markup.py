"""HTML of a report: every text is escaped here, and nowhere else is a tag written around one.

The page loads nothing: style and script are part of it, pictures are data, and its own security
policy forbids the rest.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import pandas as pd

__all__ = [
    "Section", "definitions", "figure", "format_number", "measures", "note", "page", "paragraph",
    "preformatted", "table", "tiles",
]  # fmt: skip

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_DIGITS = 3


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Parameters
    ----------
    title
        Its heading, as it is (not escaped yet).
    body
        HTML.
    recording
        Parts that belong to one recording and show one moment together have one number.
    level
        Of the heading: 2 or 3.
    """

    title: str
    body: str
    recording: int | None = None
    level: int = 2


def page(
    title: str, lead: str, sections: Iterable[Section], *, model: str = "", footer: str = ""
) -> str:
    """Put a page together.

    Parameters
    ----------
    title, lead
        Heading and the sentence under it, as they are.
    sections
        In order.
    model
        JSON the script needs (triangles of the mesh).
    footer
        Last line, as it is.

    Examples
    --------
    >>> text = page("A & B", "", [Section("One", paragraph("x < y"))])
    >>> "<h1>A &amp; B</h1>" in text, "<p>x &lt; y</p>" in text
    (True, True)
    """
    parts: list[str] = []
    contents: list[str] = []
    for i, section in enumerate(sections):
        name = html.escape(section.title)
        mark = "" if section.recording is None else f' data-recording="{section.recording}"'
        heading = f"h{section.level}"
        parts.append(
            f'<section id="s{i}"{mark}>\n<{heading}>{name}</{heading}>\n{section.body}\n</section>'
        )
        if section.level == 2:
            contents.append(f'<a href="#s{i}">{name}</a>')
    data = f'<script type="application/json" id="model">{model}</script>\n' if model else ""
    under = f'<p class="lead">{html.escape(lead)}</p>\n' if lead else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{_resource('page.css')}</style>\n</head>\n"
        f"<body>\n<header>\n<h1>{html.escape(title)}</h1>\n{under}"
        f"<nav>{' '.join(contents)}</nav>\n</header>\n<main>\n" + "\n".join(parts) + "\n</main>\n"
        f"<footer>{html.escape(footer)}</footer>\n{data}<script>\n{_resource('page.js')}</script>\n</body>\n</html>\n"
    )


@lru_cache(maxsize=2)
def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph.

    >>> paragraph("a < b")
    '<p>a &lt; b</p>'
    """
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{html.escape(text)}</p>"


def note(text: str) -> str:
    """Write what a reader should know about what is not there."""
    return paragraph(text, "note")


def preformatted(text: str) -> str:
    """Write text to copy, line by line."""
    return f"<pre>{html.escape(text)}</pre>"


def tiles(numbers: Iterable[tuple[str, str]]) -> str:
    """Write large numbers with what they are.

    >>> tiles([("30 Hz", "frame rate")])
    '<div class="tiles"><div class="tile"><b>30 Hz</b><span>frame rate</span></div></div>'
    """
    inner = "".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(words)}</span></div>'
        for value, words in numbers
    )
    return f'<div class="tiles">{inner}</div>'


def definitions(facts: Mapping[str, str]) -> str:
    """Write names and what they are, one line each."""
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def measures(values: Mapping[str, tuple[float, bool]]) -> str:
    """Write measures as a grid: name → value, and whether it is a share.

    >>> measures({"Mean": (0.25, False)})
    '<div class="measures"><div data-value="0.25"><span>Mean</span><b>0.250</b></div></div>'
    """
    cells = []
    for name, (value, share) in values.items():
        shown = html.escape(format_number(value, percent=share))
        full = f' data-value="{value!r}"' if np.isfinite(value) else ""
        cells.append(f"<div{full}><span>{html.escape(name)}</span><b>{shown}</b></div>")
    return f'<div class="measures">{"".join(cells)}</div>'


def figure(content: str, caption: str, *, kind: str = "") -> str:
    """Frame a picture; `content` is HTML."""
    mark = f' class="{kind}"' if kind else ""
    return f"<figure{mark}>{content}<figcaption>{html.escape(caption)}</figcaption></figure>"


def table(
    frame: pd.DataFrame,
    names: Mapping[str, str] | None = None,
    *,
    percent: Sequence[str] = (),
    digits: Mapping[str, int] | None = None,
    moment: str | None = None,
) -> str:
    """Write a table that a click on a heading sorts.

    Parameters
    ----------
    frame
        Rows to write.
    names
        Columns to write, in order, and their headings; default all.
    percent
        Columns that are shares, written as percent.
    digits
        Decimals of columns; default 3 significant digits.
    moment
        Column with seconds: a click on a row shows that moment in the other parts of its recording.

    Notes
    -----
    Cells of numbers carry them in full as ``data-value``.

    Examples
    --------
    >>> table(pd.DataFrame({"x": [0.123456]}))[-76:]
    '<tr><td class="number" data-value="0.123456">0.123</td></tr></tbody></table>'
    """
    headings = {str(c): str(c) for c in frame.columns} if names is None else dict(names)
    places = digits or {}
    columns = {name: frame[name].tolist() for name in headings}
    numeric = {n: _is_number(frame[n]) for n in headings}
    head = "".join(
        f"<th{' class=' + chr(34) + 'number' + chr(34) if numeric[n] else ''}>{html.escape(t)}</th>"
        for n, t in headings.items()
    )
    moments = frame[moment].tolist() if moment is not None else None
    rows = []
    for i in range(len(frame)):
        cells = "".join(
            _cell(values[i], percent=n in percent, digits=places.get(n), number=numeric[n])
            for n, values in columns.items()
        )
        at = "" if moments is None else f' data-time="{float(moments[i])!r}"'
        rows.append(f"<tr{at}>{cells}</tr>")
    return (
        f'<table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _is_number(values: pd.Series) -> bool:
    kind = values.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _cell(value: object, *, percent: bool, digits: int | None, number: bool) -> str:
    if number:
        full = float("nan") if value is pd.NA else float(value)  # type: ignore[arg-type]
        if not np.isfinite(full):
            return '<td class="number">–</td>'
        shown = format_number(full, percent=percent, digits=digits)
        return f'<td class="number" data-value="{full!r}">{html.escape(shown)}</td>'
    text = "–" if value is None or value is pd.NA else str(value)
    return f"<td>{html.escape(text)}</td>"


def format_number(value: float, *, percent: bool = False, digits: int | None = None) -> str:
    """Write a number for people.

    >>> format_number(0.5, percent=True), format_number(1234), format_number(-0.01234)
    ('50 %', '1,234', '−0.0123')
    """
    number = float(value)
    if not np.isfinite(number):
        return "–"
    if percent:
        share = 100 * number
        return f"{share:.0f} %" if share in (0, 100) or 10 <= share <= 99 else f"{share:.1f} %"
    if digits is not None:
        text = f"{number:,.{digits}f}"
    elif number.is_integer() and abs(number) < 1e9:
        text = f"{int(number):,}"
    elif abs(number) >= 1000:
        text = f"{number:,.0f}"
    else:
        text = f"{number:#.{_DIGITS}g}" if abs(number) >= 0.1 else f"{number:.{_DIGITS}g}"
    return text.rstrip(".").replace("-", "−")
