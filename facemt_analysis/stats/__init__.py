"""Statistics across subjects: tables in, tidy tables out; the subject is the unit.

Names are loaded when first used, SciPy and statsmodels with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.stats.aggregation import summarize
    from facemt_analysis.stats.cluster import cluster_permutation
    from facemt_analysis.stats.cluster_array import ClusterArrays, cluster_permutation_array
    from facemt_analysis.stats.cluster_result import CLUSTER_COLUMNS, ClusterResult
    from facemt_analysis.stats.cluster_runs import tfce
    from facemt_analysis.stats.compare import compare
    from facemt_analysis.stats.contrasts import resolve_contrasts
    from facemt_analysis.stats.corrections import adjust_p
    from facemt_analysis.stats.coverage import missing_cells
    from facemt_analysis.stats.named_measures import available_measures
    from facemt_analysis.stats.results import COLUMNS

__all__ = [
    "CLUSTER_COLUMNS",
    "COLUMNS",
    "ClusterArrays",
    "ClusterResult",
    "adjust_p",
    "available_measures",
    "cluster_permutation",
    "cluster_permutation_array",
    "compare",
    "missing_cells",
    "resolve_contrasts",
    "summarize",
    "tfce",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "aggregation": ["summarize"],
        "cluster": ["cluster_permutation"],
        "cluster_array": ["ClusterArrays", "cluster_permutation_array"],
        "cluster_result": ["CLUSTER_COLUMNS", "ClusterResult"],
        "cluster_runs": ["tfce"],
        "compare": ["compare"],
        "contrasts": ["resolve_contrasts"],
        "corrections": ["adjust_p"],
        "coverage": ["missing_cells"],
        "named_measures": ["available_measures"],
        "results": ["COLUMNS"],
    },
)
