"""The report of a table: one HTML file.

:mod:`markup` escapes and frames, :mod:`overview` and :mod:`parts` write the sections, each from
data to HTML; `page.css` and `page.js` are what the page looks like and does.
"""

from __future__ import annotations

from facemt_analysis.interactive.report.markup import Section
from facemt_analysis.interactive.report.writing import report_html, write_report

__all__ = ["Section", "report_html", "write_report"]
