"""What all views on a Fex share."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, ClassVar

from facemt_analysis import schema

if TYPE_CHECKING:
    import pandas as pd

    from facemt_analysis.fex import Fex

__all__ = ["Accessor"]


class Accessor:
    """A view on a Fex that groups methods; it holds the table and nothing else.

    A method picks columns, calls one public function of the engine and hands back what that gave:
    no algorithm lives here.

    Parameters
    ----------
    fex
        The table.

    Raises
    ------
    MissingGroupError
        If the table has no column of the view's :attr:`group`; an ``AttributeError``, so that
        ``hasattr(fex, "gaze")`` tells.
    """

    group: ClassVar[str | None] = None
    """Feature group the view needs; None: it works on any table."""

    def __init__(self, fex: Fex) -> None:
        if self.group is not None:
            fex.require(self.group)
        self._fex = fex

    def _wrap(self, frame: pd.DataFrame, operation: str, /, **arguments: Any) -> Fex:
        """Make a Fex of changed data and write the operation, by its full name, into its log."""
        from facemt_analysis.fex import Fex

        return Fex(frame, info=self._fex.info.with_log(operation, **arguments))

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"  .{name}" for name in self._methods())])

    def _repr_html_(self) -> str:
        methods = ", ".join(f"<code>.{html.escape(m)}()</code>" for m in self._methods())
        return f"<div>{html.escape(self._title())}<br>{methods}</div>"

    def _title(self) -> str:
        name = type(self).__name__
        if self.group is None:
            return f"{name} of a Fex with {len(self._fex):,} rows"
        columns = schema.columns_in(self.group, self._fex.columns.tolist())
        shown = ", ".join(columns[:8]) + (f" … ({len(columns)})" if len(columns) > 8 else "")
        return f"{name}: {shown}; {schema.GROUPS[self.group].unit}"

    @classmethod
    def _methods(cls) -> list[str]:
        return [n for n in dir(cls) if not n.startswith("_") and callable(getattr(cls, n))]
