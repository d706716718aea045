"""Faster ways that not every machine can go."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

__all__ = ["Shortcut", "ShortcutWarning"]

Given = ParamSpec("Given")
Result = TypeVar("Result")


class ShortcutWarning(RuntimeWarning):
    """A faster way failed on this machine; the plain way gives the same results."""


class Shortcut(Generic[Given, Result]):
    """Go the fast way until it fails for the first time, and from then on the plain way.

    Parameters
    ----------
    name
        What the fast way is, for the warning.
    fast, plain
        Take the same arguments and give the same result. What a machine cannot do must show as a
        RuntimeError (torch's errors are), which sends the same arguments the plain way.

    Examples
    --------
    >>> def fast(x):
    ...     raise RuntimeError("no such card")
    >>> double = Shortcut("doubling on the card", fast, lambda x: x + x)
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     double(1), double(2), len(told)
    (2, 4, 1)
    """

    def __init__(
        self, name: str, fast: Callable[Given, Result], plain: Callable[Given, Result]
    ) -> None:
        self.works = True
        self._name = name
        self._fast = fast
        self._plain = plain

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Give the result."""
        if self.works:
            try:
                return self._fast(*args, **kwargs)
            except RuntimeError as error:
                first, self.works = self.works, False
                if first:  # of several threads that fail at once, one tells
                    self._tell(error)
        return self._plain(*args, **kwargs)

    def _tell(self, error: RuntimeError) -> None:
        reason = " ".join(str(error).split())
        warnings.warn(
            f"{self._name[:1].upper()}{self._name[1:]} failed on this machine and is left out, "
            f"which is slower; results are the same. The reason: {reason:.300}",
            ShortcutWarning,
            stacklevel=3,
        )
