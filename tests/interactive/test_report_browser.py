"""The report in a real browser: from disk, without a network, its parts show one moment.

Needs Chromium of the system and Playwright; skipped where they are absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import facemt_analysis as fm
from facemt_analysis.measures import au_events

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def fex(wide_report: tuple[fm.Fex, str]) -> fm.Fex:
    return wide_report[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        engine = running.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield engine
        engine.close()


@pytest.fixture(scope="module")
def path(wide_report: tuple[fm.Fex, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("report") / "report & more.html"
    written.write_text(wide_report[1], encoding="utf-8")
    return written


@pytest.fixture
def view(browser: Any, path: Path) -> Iterator[Any]:
    """The page, opened from disk with the network off; at the end: nothing was said or asked."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    tab = context.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on(
        "request", lambda r: said.append(r.url) if not r.url.startswith(("file:", "data:")) else 0
    )
    tab.goto(path.as_uri())
    yield tab
    context.close()
    assert [text for text in said if not text.startswith(("file:", "data:"))] == []


_VALUES = "[...document.querySelectorAll('svg.curves text.value')].map(t => t.textContent)"


def test_pointing_reads_the_values_of_that_moment(view: Any, fex: fm.Fex) -> None:
    svg = view.locator("svg.curves")
    wide = svg.bounding_box()["width"]
    share = 0.3  # of the time; the cursor's place follows from the drawing's own numbers
    left, right = (float(svg.get_attribute(f"data-{side}")) / 1000 for side in ("left", "right"))
    svg.hover(position={"x": wide * (left + share * (right - left)), "y": 60})
    shown = view.evaluate(_VALUES)
    time = float(shown[-1].removesuffix(" s"))
    last = float(fex["time"].max())
    assert time == pytest.approx(share * last, abs=0.02)
    row = fex.iloc[int((fex["time"] - time).abs().argmin())]
    assert float(shown[0]) == pytest.approx(row["AU01"], abs=0.06)  # between two frames
    assert shown[27].startswith("valence ")
    assert shown[31].endswith("°")
    # in the gap there is nothing to read
    svg.hover(position={"x": wide * (left + 0.5 * (right - left)), "y": 60})
    assert view.evaluate(_VALUES)[0] == "–"


def test_a_click_on_an_event_moves_lines_and_face(view: Any, fex: fm.Fex) -> None:
    events = au_events(fex[fex["track"] == 0]).sort_values(["onset", "feature"])
    row = view.locator("section:has(h2:text-is('Events of action units')) tbody tr").nth(3)
    row.click()
    apex = float(events["apex"].iloc[3])
    assert view.evaluate(_VALUES)[-1] == f"{apex:.2f} s"
    moment = view.locator(".mesh output").text_content()
    assert float(moment.removesuffix(" s")) == pytest.approx(apex, abs=0.1)


def test_the_face_is_drawn_turns_and_plays(view: Any) -> None:
    canvas = view.locator(".mesh canvas")
    canvas.scroll_into_view_if_needed()
    picture = "document.querySelector('.mesh canvas').toDataURL()"
    before = view.evaluate(picture)
    colours = view.evaluate(
        "(() => {const c = document.querySelector('.mesh canvas');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return new Set(Array.from({length: d.length / 4}, (_, i) => d[4 * i])).size})()"
    )
    assert colours > 30  # lit skin, not a blank
    box = canvas.bounding_box()
    view.mouse.move(box["x"] + 100, box["y"] + 100)
    view.mouse.down()
    view.mouse.move(box["x"] + 180, box["y"] + 100)
    view.mouse.up()
    turned = view.evaluate(picture)
    assert turned != before
    view.locator(".mesh input[type=checkbox]").check()
    assert view.evaluate(picture) != turned
    start = view.locator(".mesh output").text_content()
    view.locator(".mesh button").click()
    view.wait_for_function(
        "s => document.querySelector('.mesh output').textContent !== s", arg=start
    )
    view.locator(".mesh button").click()
    assert view.locator(".mesh button").text_content() == "▶ play"


def test_tables_are_sorted_by_a_click(view: Any) -> None:
    section = view.locator("section:has(h2:text-is('Action units'))")
    head = section.locator("thead th").nth(1)
    read = "rows => rows.map(r => Number(r.cells[1].dataset.value))"
    head.click()
    up = section.locator("tbody tr").evaluate_all(read)
    assert up == sorted(up)
    head.click()
    assert section.locator("tbody tr").evaluate_all(read) == sorted(up, reverse=True)


def test_it_prints(view: Any, tmp_path: Path) -> None:
    view.emulate_media(media="print")
    assert view.locator("nav").is_hidden()
    paper = view.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    # nothing is wider than the page
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
