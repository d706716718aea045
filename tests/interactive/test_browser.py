"""The scrubber and the mesh in JupyterLab in a real browser: what is on the screen is the data.

Needs Chromium, Playwright and JupyterLab: ``pip install jupyterlab playwright`` and a Chromium of
the system. Skipped where they are absent.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import facemt_analysis as fm
from facemt_analysis import schema
from facemt_analysis.detection.media import open_recordings
from facemt_analysis.measures import mesh_template

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("jupyterlab")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("ignore"),
]

_SCRUB = """\
import facemt_analysis as fm
fex = fm.read_fex("table.parquet")
view = fex.scrub("film.mp4", columns=["AU12", "AU06"])
view
"""
_MESH = """\
import facemt_analysis as fm
fm.read_fex("table.parquet").mesh.animate(aligned=False)
"""
_SOLID = "[...document.querySelectorAll('.js-plotly-plot')].findIndex(p => p._fullLayout?.scene)"
_CAMERA = "document.querySelector('.js-plotly-plot')._fullLayout.scene._scene.getCamera().eye"
# every number of a trace as plotly.js has decoded it
_POINTS = """([plot, trace]) => {
    const drawn = document.querySelectorAll('.js-plotly-plot')[plot]._fullData[trace];
    return ['x', 'y', 'z'].map(axis => Array.from(drawn[axis]));
}"""


def turned_faces(n: int) -> np.ndarray:
    """Meshes of a head that turns, as a detector gives them: px, y down, z away; (n, 478, 3)."""
    turns = np.linspace(-0.4, 0.4, n)
    faces = [
        mesh_template().vertices
        @ np.array([[np.cos(t), 0, -np.sin(t)], [0, 1, 0], [np.sin(t), 0, np.cos(t)]])
        for t in turns
    ]
    return 90 * np.stack(faces) * (1, -1, -1) + (150, 110, 0)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory, face_video: Path) -> Path:
    """A folder with notebooks, the film of the avatar and its table."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(face_video, folder / "film.mp4")
    (recording,) = open_recordings(face_video)
    rows = [
        {
            "input": "film.mp4", "frame": f.index, "time": f.time, "track": 0, "FaceRectX": 70.0,
            "FaceRectY": 50.0, "FaceRectWidth": 100.0, "FaceRectHeight": 100.0, "FaceScore": 0.9,
            "AU12": 0.9 if f.index in (4, 5, 6, 7) else 0.1, "AU06": 0.3, "valence": 0.1,
            "arousal": 0.2, "FrameWidth": 320.0, "FrameHeight": 240.0,
        }
        for f in recording.frames()
    ]  # fmt: skip
    flat = turned_faces(len(rows)).transpose(0, 2, 1).reshape(len(rows), -1)
    meshes = pd.DataFrame(flat, columns=schema.GROUPS["meshes"].columns)
    fm.Fex(pd.DataFrame(rows).join(meshes)).to_parquet(folder / "table.parquet")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name, code in (("scrub", _SCRUB), ("mesh", _MESH)):
        cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {},
                "outputs": [], "source": code}  # fmt: skip
        content = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4,
                   "nbformat_minor": 5}  # fmt: skip
        (folder / f"{name}.ipynb").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def lab(notebook: Path) -> Iterator[str]:
    """Address of a JupyterLab in that folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
         "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={notebook}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=notebook,
    )  # fmt: skip
    try:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{address}/api/status", timeout=2):
                    break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail("JupyterLab did not start")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def frame_on_screen(page: object) -> np.ndarray:
    """Pixels of the frame in the widget, as the browser has them."""
    source = page.locator("img.widget-image").first.evaluate(  # type: ignore[attr-defined]
        """async element => {
            const blob = await (await fetch(element.src)).blob();
            return Array.from(new Uint8Array(await blob.arrayBuffer()));
        }"""
    )
    return np.asarray(Image.open(BytesIO(bytes(source)))).astype(int)


@pytest.fixture
def run(lab: str) -> Iterator[Callable[[str], Any]]:
    """Open a notebook, run its cell and give the page; at the end nothing went wrong in it."""
    said: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--use-angle=swiftshader",
                  "--enable-unsafe-swiftshader"],
        )  # fmt: skip

        def start(name: str) -> Any:
            page = browser.new_page(viewport={"width": 1500, "height": 1200})
            page.set_default_timeout(120_000)
            page.goto(f"{lab}/lab/tree/{name}.ipynb?reset", wait_until="domcontentloaded")
            page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
            page.wait_for_timeout(2000)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
            page.locator(".jp-Cell .cm-content").first.click()
            page.keyboard.press("Shift+Enter")
            return page

        yield start
        browser.close()
    assert said == []


def points_on_screen(page: Any, plot: int, trace: int = 0) -> np.ndarray:
    """Vertices of a mesh as the browser has them: (k, 3)."""
    return np.array(page.evaluate(_POINTS, [plot, trace]), dtype=np.float64).T


def test_scrubbing_in_jupyterlab(run: Callable[[str], Any], notebook: Path) -> None:
    (recording,) = open_recordings(notebook / "film.mp4")
    frames = list(recording.frames())
    page = run("scrub")
    page.wait_for_selector("img.widget-image", timeout=120_000)
    for title in ("Time (s)", "Valence"):  # plotly draws when it has been loaded
        page.wait_for_selector(f"text={title}", timeout=120_000)
    words = page.locator("text=/frame \\d+ · /").first
    assert words.inner_text().startswith("frame 0 ")
    for part in ("box", "outline"):  # the bare frame
        page.get_by_role("button", name=part, exact=True).click()

    def shows(index: int) -> None:
        page.wait_for_function(
            f"() => document.body.innerText.includes('frame {index} ·')", timeout=20_000
        )
        page.wait_for_timeout(500)
        shown = frame_on_screen(page)
        apart = [float(np.abs(shown - frame.image).mean()) for frame in frames]
        assert int(np.argmin(apart)) == index
        assert apart[index] < 3  # JPEG

    shows(0)
    page.get_by_role("button", name="›", exact=True).click()
    shows(1)
    page.get_by_role("button", name="event ▸", exact=True).click()  # AU12 begins in frame 4
    shows(4)
    bare = frame_on_screen(page)
    page.get_by_role("button", name="box", exact=True).click()
    page.wait_for_timeout(1500)
    assert np.abs(frame_on_screen(page) - bare).max() > 100
    page.get_by_role("button", name="box", exact=True).click()
    # a drag across the timeline chooses a range, which is then marked
    plot = page.locator(".js-plotly-plot .nsewdrag").last
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], height)
    page.wait_for_timeout(300)
    page.mouse.down()
    for share in np.arange(0.2, 0.61, 0.04):  # as a hand does
        page.mouse.move(box["x"] + share * box["width"], height)
        page.wait_for_timeout(60)
    page.mouse.up()
    page.wait_for_function(r"() => /\d\.\d\d–\d\.\d\d s/.test(document.body.innerText)")
    page.get_by_placeholder("label").fill("smile")
    page.get_by_role("button", name="mark", exact=True).click()
    page.wait_for_selector("td:has-text('smile')", timeout=20_000)
    listed = page.locator("tr", has_text="smile").inner_text()
    start, stop = map(float, re.findall(r"(\d\.\d\d)–(\d\.\d\d) s", listed)[0])
    assert (start, stop) == pytest.approx((0.2 * 1.1, 0.6 * 1.1), abs=0.12)
    # a click sets the time
    for away in (0.45, 0.451):
        page.mouse.move(box["x"] + away * box["width"], height)
        page.wait_for_timeout(500)
    page.mouse.down()
    page.wait_for_timeout(60)
    page.mouse.up()
    page.wait_for_function("() => /frame (4|5) ·/.test(document.body.innerText)")
    # play to the end
    page.locator(".jupyter-widget-play button, .widget-play button").first.click()
    page.wait_for_function("() => document.body.innerText.includes('frame 11 ·')",
                           timeout=60_000)  # fmt: skip
    # the mesh of the frame beside it
    page.get_by_role("button", name="3D mesh", exact=True).click()
    meshes = turned_faces(len(frames)) * (1, -1, -1)
    page.wait_for_function(f"() => {_SOLID} >= 0", timeout=60_000)
    for step, index in (("«", 1), ("›", 2)):
        page.get_by_role("button", name=step, exact=True).click()
        shows(index)
        shown = points_on_screen(page, page.evaluate(_SOLID))
        assert_same_face(shown, meshes[index])


def assert_same_face(shown: np.ndarray, mesh: np.ndarray) -> None:
    """Compare but for place and size."""
    assert shown.shape == mesh.shape
    a, b = (points - points.mean(axis=0) for points in (shown, mesh))
    np.testing.assert_allclose(a / np.ptp(a[:, 1]), b / np.ptp(b[:, 1]), atol=1e-5)


def test_the_mesh_in_jupyterlab(run: Callable[[str], Any], notebook: Path) -> None:
    page = run("mesh")
    page.wait_for_selector(".js-plotly-plot .gl-container canvas", timeout=120_000)
    page.wait_for_function(f"() => {_CAMERA}", timeout=60_000)
    fex = fm.read_fex(notebook / "table.parquet")
    meshes = fex.mesh.vertices() * (1, -1, -1)
    np.testing.assert_allclose(points_on_screen(page, 0), meshes[0], atol=1e-4)
    # the slider shows another frame
    rail = page.locator(".slider-rail-touch-rect").first
    rail.scroll_into_view_if_needed()
    box = rail.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.wait_for_timeout(1500)
    np.testing.assert_allclose(points_on_screen(page, 0), meshes[-1], atol=1e-4)
    # a drag turns the face
    scene = page.locator(".js-plotly-plot .gl-container canvas").first.bounding_box()
    assert scene is not None
    before = page.evaluate(_CAMERA)
    x, y = scene["x"] + scene["width"] / 2, scene["y"] + scene["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(1, 9):
        page.mouse.move(x + 15 * k, y)
        page.wait_for_timeout(60)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert abs(page.evaluate(_CAMERA)["x"] - before["x"]) > 0.2
    # played from the first frame to the last
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    page.wait_for_timeout(1000)
    np.testing.assert_allclose(points_on_screen(page, 0), meshes[0], atol=1e-4)
    page.locator(".updatemenu-button").first.click()
    page.wait_for_timeout(4000)
    np.testing.assert_allclose(points_on_screen(page, 0), meshes[-1], atol=1e-4)
    image = np.asarray(Image.open(BytesIO(page.locator(".js-plotly-plot").first.screenshot())))
    assert len(np.unique(image.reshape(-1, image.shape[-1]), axis=0)) > 200  # a lit face, no blank
