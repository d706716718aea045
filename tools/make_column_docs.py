"""Write docs/columns.md from the schema, the one place that knows columns.

Run ``python tools/make_column_docs.py`` after changing the schema; a test compares.
"""

from __future__ import annotations

import math
from pathlib import Path

from facemt_analysis import schema

PAGE = Path(__file__).parents[1] / "docs" / "columns.md"

HEAD = """# Columns of a Fex

One row per face per frame; a frame without a face keeps one row (features NaN, `FaceScore` 0,
`track` -1). Features are float32. Any column that is not listed here (`subject`, `condition`, …) is
a label of yours. *Made from `facemt_analysis/schema.py`; do not edit by hand.*

"""


def span(columns: tuple[str, ...]) -> str:
    """Name columns; long numbered runs by their ends."""
    if len(columns) <= 24:
        return " ".join(f"`{c}`" for c in columns)
    stems = list(dict.fromkeys(c.rsplit("_", 1)[0] for c in columns))
    if len(stems) > 8:
        return " ".join(f"`{c}`" for c in columns)
    last = len(columns) // len(stems) - 1
    return ", ".join(f"`{stem}_0` … `{stem}_{last}`" for stem in stems)


def bounds(group: schema.Group) -> str:
    """Give the range of a group in words."""
    if not math.isfinite(group.low) and not math.isfinite(group.high):
        return "-"
    return f"{group.low:.4g} to {group.high:.4g}"


def page() -> str:
    """Give the whole page."""
    lines = [
        "| group (property) | accessor | columns | unit | range | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for group in schema.GROUPS.values():
        columns = span(group.columns)
        if group.optional:
            columns = f"{columns} (some weights or tools also: {span(group.optional)})".strip()
        accessor = f"`fex.{group.accessor}`" if group.accessor else ""
        lines.append(
            f"| `fex.{group.name}` | {accessor} | {columns} | {group.unit} | {bounds(group)} "
            f"| {group.meaning} |"
        )
    lines += [
        "",
        "## Action units",
        "",
        "| column | name | muscular basis | face |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{column}` | {unit.name} | {unit.muscle} | {unit.region} |"
        for column, unit in schema.ACTION_UNITS.items()
    ]
    lines += [
        "",
        "Names and muscular basis: Ekman, P., Friesen, W. V. & Hager, J. C. (2002). "
        "*Facial Action Coding System: The Manual.*",
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
