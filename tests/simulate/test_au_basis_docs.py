"""The documentation of the AU basis is the one in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from facemt_analysis.simulate import AU_SPECS

PAGE = Path(__file__).parents[2] / "docs" / "au_basis.md"


@pytest.mark.skipif(not PAGE.exists(), reason="docs/ is not part of this installation")
@pytest.mark.parametrize("name", list(AU_SPECS))
def test_page_has_every_definition(name):
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| **{name}**"))
    spec = AU_SPECS[name]
    assert spec.source in row
    for pull in spec.pulls:
        assert ", ".join(map(str, pull.vertices)) in row
        assert f"({pull.reach:g})" in row
    if spec.jaw:
        assert f"jaw {spec.jaw:g}°" in row
