"""Tables that several measures are tried on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from facemt_analysis import Fex, read_fex


@pytest.fixture(scope="session")
def real_faces(shared: Path) -> Fex:
    """The rows with a face of ten real recordings, whose frame rate is not known: 30 fps here."""
    tables = [read_fex(path, fps=30.0) for path in sorted((shared / "fex").glob("0*.csv"))]
    table: Fex = pd.concat(tables, ignore_index=True)
    return table[table["track"] >= 0].reset_index(drop=True)
