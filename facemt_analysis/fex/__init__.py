"""The table of the package: one row per face per frame, with metadata that stays true."""

from __future__ import annotations

from facemt_analysis.fex.blocks import axis_major, choose_groups, fex_from_blocks
from facemt_analysis.fex.checks import find_problems
from facemt_analysis.fex.info import FexInfo, FrozenMapping, Operation
from facemt_analysis.fex.methods_text import methods_text
from facemt_analysis.fex.summary import TableSummary, describe_columns, summarize_table
from facemt_analysis.fex.table import Fex

__all__ = [
    "Fex",
    "FexInfo",
    "FrozenMapping",
    "Operation",
    "TableSummary",
    "axis_major",
    "choose_groups",
    "describe_columns",
    "fex_from_blocks",
    "find_problems",
    "methods_text",
    "summarize_table",
]
