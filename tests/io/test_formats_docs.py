"""docs/formats.md names every format, option and map that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facemt_analysis.io.formats import FORMATS
from facemt_analysis.io.imotions import AFFDEX_UNITS

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()
        if line.startswith("|")]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_has_a_row(form) -> None:
    row = next(row for row in ROWS if row[0] == form.name)
    assert re.findall(r"`(\w+)`", row[4]) == list(form.options)


def test_the_map_of_affdex() -> None:
    table = {row[0].strip("`"): row[1] for row in ROWS if re.fullmatch(r"`AU\d\d`", row[0])}
    written = {re.sub(r"\W", "", name).lower(): ours for ours, name in table.items()}
    assert written == dict(AFFDEX_UNITS)


def test_every_column_of_openface_is_counted() -> None:
    start = ROWS.index(["columns", "n", "what", "Fex"])
    counts = [row[1] for row in ROWS[start + 2 :] if len(row) == 4]
    total = 0
    for count in counts:
        if not count.isdigit():
            break
        total += int(count)
    assert total == 714
