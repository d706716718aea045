"""Settings of Sphinx; ``tools/build_docs.py`` puts the pages together and runs it."""

from __future__ import annotations

import re
from typing import Any

import facemt_analysis

project = "facemt_analysis"
version = release = facemt_analysis.__version__
copyright = "the facemt_analysis developers"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
html_theme = "furo"
html_title = f"facemt_analysis {version}"
html_copy_source = False
html_show_sourcelink = False

nb_execution_mode = "off"  # tools/build_docs.py has run them
nb_merge_streams = True
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]

napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in words
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"


def _number_references(*arguments: Any) -> None:
    """Make lists of references: as footnotes, their numbers would meet on one page."""
    lines: list[str] = arguments[-1]
    inside = False
    for i, line in enumerate(lines):
        if reference := re.match(r"\.\. \[(\d+)\] (.*)", line):
            lines[i] = f"{reference[1]}. {reference[2]}"
            inside = True
        elif inside and line.strip():
            lines[i] = f"   {line.strip()}"
        else:
            inside = False
            lines[i] = re.sub(r"\[(\d+)\]_", r"[\1]", line)


def setup(app: Any) -> None:
    """Connect what Sphinx has no setting for."""
    app.connect("autodoc-process-docstring", _number_references)
