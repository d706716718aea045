"""Statistics across subjects: tables in, tidy tables out; the subject is the unit.

Names are loaded when first used, SciPy and statsmodels with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.stats.aggregation import summarize
    from facemt_analysis.stats.alignment import DtwResult, dtw
    from facemt_analysis.stats.bootstrap import cluster_bootstrap
    from facemt_analysis.stats.cluster import cluster_permutation
    from facemt_analysis.stats.cluster_array import ClusterArrays, cluster_permutation_array
    from facemt_analysis.stats.cluster_result import CLUSTER_COLUMNS, ClusterResult
    from facemt_analysis.stats.cluster_runs import tfce
    from facemt_analysis.stats.comparing import compare
    from facemt_analysis.stats.contrasts import resolve_contrasts
    from facemt_analysis.stats.corrections import adjust_p
    from facemt_analysis.stats.coverage import missing_cells
    from facemt_analysis.stats.decoding import DecodingResult, decode
    from facemt_analysis.stats.design import find_factors
    from facemt_analysis.stats.functional import (
        FpcaResult,
        FunctionalAnovaResult,
        fpca,
        functional_anova,
    )
    from facemt_analysis.stats.functional_engine import (
        fpca_array,
        functional_anova_array,
        smooth_courses,
    )
    from facemt_analysis.stats.group_synchrony import GroupSynchrony, group_synchrony
    from facemt_analysis.stats.isc_engine import isc_array, isc_null
    from facemt_analysis.stats.isc_intervals import bootstrap_isc, jackknife_isc
    from facemt_analysis.stats.isc_tables import ISC_COLUMNS, IscResult, isc
    from facemt_analysis.stats.lagged_correlation import (
        WindowedCorrelation,
        windowed_crosscorrelation,
    )
    from facemt_analysis.stats.mixed_models import mixed
    from facemt_analysis.stats.mixed_result import MixedResult
    from facemt_analysis.stats.named_measures import available_measures
    from facemt_analysis.stats.rater_agreement import AGREEMENT_COLUMNS, agreement
    from facemt_analysis.stats.recurrence import RecurrenceResult, recurrence_quantification
    from facemt_analysis.stats.results import COLUMNS
    from facemt_analysis.stats.synchrony_result import (
        DYAD_COLUMNS,
        SYNCHRONY_COLUMNS,
        SynchronyResult,
    )
    from facemt_analysis.stats.synchrony_tables import synchrony
    from facemt_analysis.stats.t_power import (
        detectable_effect,
        power,
        required_subjects,
        sensitivity,
    )
    from facemt_analysis.stats.words import (
        describe,
        format_p,
        paper_table,
        sentence,
        to_latex,
        to_markdown,
    )

__all__ = [
    "AGREEMENT_COLUMNS",
    "CLUSTER_COLUMNS",
    "COLUMNS",
    "DYAD_COLUMNS",
    "ISC_COLUMNS",
    "SYNCHRONY_COLUMNS",
    "ClusterArrays",
    "ClusterResult",
    "DecodingResult",
    "DtwResult",
    "FpcaResult",
    "FunctionalAnovaResult",
    "GroupSynchrony",
    "IscResult",
    "MixedResult",
    "RecurrenceResult",
    "SynchronyResult",
    "WindowedCorrelation",
    "adjust_p",
    "agreement",
    "available_measures",
    "bootstrap_isc",
    "cluster_bootstrap",
    "cluster_permutation",
    "cluster_permutation_array",
    "compare",
    "decode",
    "describe",
    "detectable_effect",
    "dtw",
    "find_factors",
    "format_p",
    "fpca",
    "fpca_array",
    "functional_anova",
    "functional_anova_array",
    "group_synchrony",
    "isc",
    "isc_array",
    "isc_null",
    "jackknife_isc",
    "missing_cells",
    "mixed",
    "paper_table",
    "power",
    "recurrence_quantification",
    "required_subjects",
    "resolve_contrasts",
    "sensitivity",
    "sentence",
    "smooth_courses",
    "summarize",
    "synchrony",
    "tfce",
    "to_latex",
    "to_markdown",
    "windowed_crosscorrelation",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "aggregation": ["summarize"],
        "alignment": ["DtwResult", "dtw"],
        "bootstrap": ["cluster_bootstrap"],
        "cluster": ["cluster_permutation"],
        "cluster_array": ["ClusterArrays", "cluster_permutation_array"],
        "cluster_result": ["CLUSTER_COLUMNS", "ClusterResult"],
        "cluster_runs": ["tfce"],
        "comparing": ["compare"],
        "contrasts": ["resolve_contrasts"],
        "corrections": ["adjust_p"],
        "coverage": ["missing_cells"],
        "decoding": ["DecodingResult", "decode"],
        "design": ["find_factors"],
        "functional": ["FpcaResult", "FunctionalAnovaResult", "fpca", "functional_anova"],
        "functional_engine": ["fpca_array", "functional_anova_array", "smooth_courses"],
        "group_synchrony": ["GroupSynchrony", "group_synchrony"],
        "isc_engine": ["isc_array", "isc_null"],
        "isc_intervals": ["bootstrap_isc", "jackknife_isc"],
        "isc_tables": ["ISC_COLUMNS", "IscResult", "isc"],
        "lagged_correlation": ["WindowedCorrelation", "windowed_crosscorrelation"],
        "mixed_models": ["mixed"],
        "mixed_result": ["MixedResult"],
        "named_measures": ["available_measures"],
        "rater_agreement": ["AGREEMENT_COLUMNS", "agreement"],
        "recurrence": ["RecurrenceResult", "recurrence_quantification"],
        "results": ["COLUMNS"],
        "synchrony_result": ["DYAD_COLUMNS", "SYNCHRONY_COLUMNS", "SynchronyResult"],
        "synchrony_tables": ["synchrony"],
        "t_power": ["detectable_effect", "power", "required_subjects", "sensitivity"],
        "words": ["describe", "format_p", "paper_table", "sentence", "to_latex", "to_markdown"],
    },
)
