"""The notebooks run from the top, without a warning; the files are those that the sources give."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]

STRICT = """\
import warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module="ipykernel")
"""
"""First cell of every run: warnings are errors, apart from those of the kernel itself."""

STORIES = [
    "first_look", "video_to_figure", "au_events", "affect_and_emotion", "gaze", "mesh",
    "quality_and_cleaning", "group_statistics", "many_recordings", "from_pyfeat_or_openface",
]  # fmt: skip


@pytest.fixture(scope="module")
def notebook_of() -> Callable[[str], Any]:
    return runpy.run_path(str(ROOT / "tools" / "make_notebooks.py"))["notebook_of"]


def test_every_story_has_its_notebook() -> None:
    assert [f"{i:02d}_{story}" for i, story in enumerate(STORIES, 1)] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_files_are_what_the_sources_give(path: Path, notebook_of: Callable[[str], Any]) -> None:
    source = ROOT / "notebooks" / "source" / f"{path.stem}.py"
    wanted = notebook_of(source.read_text(encoding="utf-8"))
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found == json.loads(nbformat.writes(wanted)), "run `python tools/make_notebooks.py`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_files_are_light_and_valid(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stat().st_size < 20_000
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert sum("plot" in cell.source for cell in code) >= 3  # every step has its picture


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default")  # of the client; the kernel has filters of its own
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for library in ("matplotlib", "statsmodels", "sklearn", "plotly"):
        pytest.importorskip(library)
    for folder in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(folder, str(tmp_path / folder))  # nothing of the user's
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    resources = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources=resources
    ).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    pictures = sum("image/png" in out.get("data", {}) for out in outputs)
    assert pictures >= 3
    assert not [out for out in outputs if out.output_type == "error"]
