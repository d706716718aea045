"""Make the notebooks from the scripts in ``notebooks/source``, without outputs.

    python tools/make_notebooks.py            # write notebooks/*.ipynb
    python tools/make_notebooks.py --execute  # with outputs, into build/notebooks

A script has cells that begin with ``# %%``, or ``# %% [markdown]`` with the text in comments. The
identifier of a cell is made from its text, so that one change is one change in the file.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def cells_of(script: str) -> list[tuple[str, str]]:
    """Split a script into cells: ``markdown`` or ``code``, and the text."""
    cells = []
    for part in ("\n" + script).split("\n# %%")[1:]:
        head, _, body = part.partition("\n")
        lines = body.strip("\n").split("\n")
        if "[markdown]" in head:
            cells.append(("markdown", "\n".join(line.removeprefix("#")[1:] for line in lines)))
        else:
            cells.append(("code", "\n".join(lines)))
    return cells


def notebook_of(script: str) -> nbformat.NotebookNode:
    """Make a notebook without outputs."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    seen: dict[str, int] = {}
    for kind, text in cells_of(script):
        key = hashlib.sha256(f"{kind}\n{text}".encode()).hexdigest()[:10]
        seen[key] = seen.get(key, 0) + 1
        name = key if seen[key] == 1 else f"{key}-{seen[key]}"
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        notebook.cells.append(make(text, id=name))
    return notebook


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run a notebook from the top; its outputs are in it then."""
    from nbclient import NotebookClient

    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()


def save(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook."""
    path.write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--execute", action="store_true", help="run them, into build/notebooks")
    run = parser.parse_args().execute
    folder = ROOT.parent / "build" / "notebooks" if run else ROOT
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "source").glob("*.py")):
        notebook = notebook_of(path.read_text(encoding="utf-8"))
        if run:
            execute(notebook, folder)
        save(notebook, folder / f"{path.stem}.ipynb")


if __name__ == "__main__":
    main()
