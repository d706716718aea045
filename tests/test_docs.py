"""The documentation: links lead somewhere, every public name is there, examples run, it builds."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import runpy
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

import facemt_analysis

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("LICENSES/*.md"),
     *ROOT.glob("tools/**/*.md")]
)  # fmt: skip
NOT_PUBLIC = {"checks", "cli"}
"""Modules of ``facemt_analysis`` that others do not import."""


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Give what GitHub and MyST make of headings."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    found = set()
    for title in re.findall(r"^#+ (.+)$", text, flags=re.M):
        plain = unicodedata.normalize("NFC", re.sub(r"[`*]", "", title)).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return found


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.S)


@pytest.fixture(scope="module")
def docs() -> dict[str, Any]:
    """Give the script that builds the documentation, as a dict of its names."""
    for library in ("sphinx", "nbformat", "plotly", "ipywidgets", "anywidget", "torch"):
        pytest.importorskip(library)
    path = list(sys.path)
    try:
        return runpy.run_path(str(ROOT / "tools" / "build_docs.py"))
    finally:
        sys.path[:] = path


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            broken.append(target)
    assert not broken


def test_reference_has_every_package(docs: dict[str, Any]) -> None:
    modules = {name for _, name, _ in pkgutil.iter_modules(facemt_analysis.__path__)}
    public = {f"facemt_analysis.{name}" for name in modules - NOT_PUBLIC}
    assert set(docs["PACKAGES"]) == public


def test_reference_has_every_view(docs: dict[str, Any]) -> None:
    from facemt_analysis import accessors

    modules = {name for _, name, _ in pkgutil.iter_modules(accessors.__path__)}
    assert set(docs["VIEWS"]) == modules - {"base"}


def test_reference_has_every_public_name(docs: dict[str, Any]) -> None:
    pages = docs["api_pages"]()
    for package in docs["PACKAGES"]:
        page = pages[f"{package.rpartition('.')[2]}.rst"]
        directives = re.findall(r"^\.\. ([\w:]+):: (\S+)$", page, flags=re.M)
        written = [f"{package}.{n}" if kind == "py:data" else n for kind, n in directives]
        names = docs["public_names"](package)
        assert [name for name in written if name != package] == names
        exported = getattr(importlib.import_module(package), "__all__", [])
        assert {f"{package}.{name}" for name in exported} <= set(names)
    top = docs["top_level_page"]()
    assert all(f"`fm.{name}" in top for name in facemt_analysis.__all__)


def test_every_public_name_is_described(docs: dict[str, Any]) -> None:
    silent = []
    for package in docs["PACKAGES"]:
        for name in docs["public_names"](package):
            thing = docs["find"](name)
            text = inspect.getdoc(thing) if callable(thing) else " ".join(docs["words_of"](name))
            if not (text or "").strip():
                silent.append(name)
            if inspect.isclass(thing):
                silent += [
                    f"{name}.{method}"
                    for method, code in vars(thing).items()
                    if not method.startswith("_")
                    and (inspect.isfunction(code) or isinstance(code, property))
                    and not inspect.getdoc(getattr(thing, method))
                ]
    assert not silent


@pytest.mark.parametrize("name", ["README.md", "docs/index.md", "docs/statistics.md"])
def test_first_example_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("statsmodels")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    code = blocks(ROOT / name)[0]
    assert len(code.splitlines()) <= 10
    space: dict[str, Any] = {}
    exec(compile(code, name, "exec"), space)
    plt.close("all")
    assert space["fex"]["subject"].nunique() == 16
    if name == "README.md":
        assert "AU12" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_examples_are_python(page: Path) -> None:
    for block in blocks(page):
        if ">>>" not in block:
            compile(block, str(page), "exec")


def test_commands_exist() -> None:
    from facemt_analysis.cli import main

    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    said = set(re.findall(r"^(?:\S+/)?facemt ([a-z]+)", text, flags=re.M))
    assert {"demo", "detect", "info", "report", "benchmark"} <= said
    for command in said:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0, command


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_documentation_builds_without_warnings(docs: dict[str, Any], tmp_path: Path) -> None:
    # in a process of its own: Sphinx leaves its marks on the functions it documents
    command = [
        sys.executable,
        ROOT / "tools" / "build_docs.py",
        "--no-notebooks",
        "--out",
        tmp_path,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    from sphinx.util.inventory import InventoryFile

    with (tmp_path / "html" / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, path: path)
    found = {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}
    public = {name for package in docs["PACKAGES"] for name in docs["public_names"](package)}
    assert sorted(public - found) == []
    page = (tmp_path / "html" / "index.html").read_text("utf-8")
    assert "Tutorial" in page
    assert "how" in page
