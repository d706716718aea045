"""The shell's door: ``facemt detect``, ``facemt info``, ….

Progress and messages go to stderr, results to stdout. Exit codes: 0 done; 1 some recordings
failed or are incomplete (each named with its reason, the rest done); 2 nothing could be done;
130 interrupted, 143 terminated. An error the user can cause is one line: ``error: what, where,
what to do``.
"""

from __future__ import annotations

from facemt_analysis.cli.entry import main

__all__ = ["main"]
