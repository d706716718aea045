"""Without scikit-learn, decoding says what to install."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from facemt_analysis.stats import decode


def test_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(ImportError, match=r"facemt-analysis\[decode\]"):
        decode(pd.DataFrame({"subject": [1], "AU12": [0.5], "c": ["x"]}), target="c")
