"""Build the documentation: one command, no network, warnings are errors.

    python tools/build_docs.py                  # into build/docs/html
    python tools/build_docs.py --no-notebooks   # without running the notebooks: no pictures there

The pages in ``docs/`` are plain Markdown. This script puts them beside the notebooks and a page
per public package, adds the tables of contents, and runs Sphinx.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import make_notebooks

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "docs"

PACKAGES = {
    "facemt_analysis.fex": "Fex: the table",
    "facemt_analysis.accessors": "Views: fex.au, fex.gaze …",
    "facemt_analysis.detection": "Detection: media in, a Fex out",
    "facemt_analysis.network": "Network and weights",
    "facemt_analysis.io": "Files",
    "facemt_analysis.study": "Studies larger than memory",
    "facemt_analysis.signal": "Signals over time",
    "facemt_analysis.measures": "Measures",
    "facemt_analysis.stats": "Statistics",
    "facemt_analysis.plotting": "Figures",
    "facemt_analysis.interactive": "Interactive: scrubber, mesh, report",
    "facemt_analysis.simulate": "Simulation",
    "facemt_analysis.datasets": "Data sets",
    "facemt_analysis.benchmark": "Benchmarks",
    "facemt_analysis.demo": "The demo",
    "facemt_analysis.schema": "Schema: columns, units, ranges",
    "facemt_analysis.errors": "Errors",
}
"""Public packages and modules, in the order of the reference."""

VIEWS = (
    "au", "emotion", "affect", "gaze", "pose", "mesh", "blendshape", "signal", "quality", "stats",
)  # fmt: skip

HOWTO = (
    "look", "label", "exclude", "baseline", "export", "folder", "detect_many", "many_recordings",
    "weights", "fine_tuning", "add_benchmark",
)  # fmt: skip

REFERENCE = ("columns", "formats", "open_weights", "which_weights", "benchmarks")
"""Pages of ``docs/`` for looking things up; those in no list are explanations."""


def public_names(package: str) -> list[str]:
    """List what is public, in the order of the package: ``module.name``."""
    if package == "facemt_analysis.accessors":
        names = []
        for view in VIEWS:
            module = importlib.import_module(f"{package}.{view}")
            names += [f"{module.__name__}.{name}" for name in module.__all__]
        return names
    return [f"{package}.{name}" for name in importlib.import_module(package).__all__]


def find(name: str) -> Any:
    """Get the object of a public name."""
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def entry(name: str) -> str:
    """Write the directive that documents a public name."""
    thing = find(name)
    if inspect.isclass(thing):
        kind = "exception" if issubclass(thing, BaseException) else "class"
        others = [c.__name__ for c in thing.__mro__ if not c.__module__.startswith("facemt_")]
        return f".. auto{kind}:: {name}\n   :members:\n   :inherited-members: {', '.join(others)}\n"
    if callable(thing):
        return f".. autofunction:: {name}\n"
    text = "\n".join(f"   {line}".rstrip() for line in words_of(name))
    package, _, last = name.rpartition(".")
    return f".. py:data:: {last}\n   :module: {package}\n\n{text}\n"


def words_of(name: str) -> list[str]:
    """Get what is written under a constant, in the module that defines it."""
    from sphinx.pycode import ModuleAnalyzer

    last = name.rpartition(".")[2]
    for module in [m for m in sorted(sys.modules) if m.startswith("facemt_analysis")]:
        if vars(sys.modules[module]).get(last) is find(name):
            found = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", last))
            if found:
                return list(found)
    raise SystemExit(f"{name} has no docstring.")


def api_pages() -> dict[str, str]:
    """Write the reference, reStructuredText by the name of its file."""
    pages = {}
    for package, title in PACKAGES.items():
        summary = inspect.getdoc(importlib.import_module(package)) or ""
        head = f"{title}\n{'=' * len(title)}\n\n.. currentmodule:: {package}\n\n``{package}``\n\n"
        body = "\n".join(entry(name) for name in public_names(package))
        pages[f"{package.rpartition('.')[2]}.rst"] = f"{head}{summary}\n\n{body}"
    return pages


def top_level_page() -> str:
    """Write the first page of the reference: the names of ``fm`` and where they are described."""
    import facemt_analysis

    home = {find(name): name for package in PACKAGES for name in public_names(package)
            if callable(find(name))}  # fmt: skip
    lines = ["# API reference", "", "```python", "import facemt_analysis as fm", "```", ""]
    for name in facemt_analysis.__all__:
        thing = getattr(facemt_analysis, name)
        text = (inspect.getdoc(thing) or "").partition("\n")[0]
        if inspect.ismodule(thing):
            link = f"[`fm.{name}`]({name}.rst)"
        else:
            link = f"{{any}}`fm.{name} <{home[thing]}>`"
        lines.append(f"- {link}: {text}")
    lines += ["", "Everything by package; all that is listed is public, the rest may change.", ""]
    return "\n".join(lines)


def contents(caption: str, pages: list[str]) -> str:
    """Write a table of contents for the side of the page."""
    return "\n".join([f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n", *pages, "```\n"])


def assemble(source: Path, *, run_notebooks: bool) -> None:
    """Put all pages into one folder."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("__pycache__"))
    notebooks = []
    (source / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks" / "source").glob("*.py")):
        notebook = make_notebooks.notebook_of(path.read_text(encoding="utf-8"))
        if run_notebooks:
            print(f"running {path.stem}", flush=True)
            make_notebooks.execute(notebook, source)
        make_notebooks.save(notebook, source / "notebooks" / f"{path.stem}.ipynb")
        notebooks.append(f"notebooks/{path.stem}")
    (source / "api").mkdir()
    for name, text in api_pages().items():
        (source / "api" / name).write_text(text, encoding="utf-8")
    listed = [f"api/{Path(name).stem}" for name in api_pages()]
    (source / "api" / "index.md").write_text(
        top_level_page() + contents("", [Path(name).stem for name in api_pages()]).replace(
            ":caption: \n", ""), encoding="utf-8")  # fmt: skip
    shutil.copy(ROOT / "CHANGELOG.md", source / "changelog.md")
    for page in source.rglob("*.md"):
        page.write_text(without_far_links(page, source), encoding="utf-8")
    known = {"index", "changelog", *REFERENCE, *listed}
    explanations = [p.stem for p in sorted(source.glob("*.md")) if p.stem not in known]
    with (source / "index.md").open("a", encoding="utf-8") as index:
        index.write(contents("Tutorial", notebooks))
        index.write(contents("How to", [f"howto/{name}" for name in HOWTO]))
        index.write(contents("Explanation", explanations))
        index.write(contents("Reference", ["api/index", *REFERENCE, "changelog"]))


def without_far_links(page: Path, source: Path) -> str:
    """Leave the words of links to files beside ``docs/``: the pages have no such neighbours."""

    def words(link: re.Match[str]) -> str:
        target = (page.parent / link[2]).resolve()
        return link[0] if target.is_relative_to(source.resolve()) else link[1]

    return re.sub(
        r"(?<!!)\[([^\]]+)\]\(((?!https?:)[^)#\s]+)[^)]*\)", words, page.read_text("utf-8")
    )


def build(*, run_notebooks: bool = True, out: Path = BUILD) -> int:
    """Assemble and run Sphinx; 0 if nothing was wrong."""
    from sphinx.cmd.build import build_main

    assemble(out / "source", run_notebooks=run_notebooks)
    html = out / "html"
    shutil.rmtree(html, ignore_errors=True)
    options = ["-q", "-b", "html", "-W", "--keep-going", "-d", str(out / "doctrees"), "-E"]
    return build_main([*options, str(out / "source"), str(html)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-notebooks", action="store_true", help="do not run the notebooks")
    parser.add_argument("--out", type=Path, default=BUILD, help="folder (default: build/docs)")
    arguments = parser.parse_args()
    failed = build(run_notebooks=not arguments.no_notebooks, out=arguments.out)
    if failed:
        raise SystemExit(failed)
    print(f"{(BUILD / 'html' / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
