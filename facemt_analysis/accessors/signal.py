"""``fex.signal``: cleaning and shaping over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from facemt_analysis.accessors.base import Accessor

if TYPE_CHECKING:
    import pandas as pd

    from facemt_analysis.fex import Fex
    from facemt_analysis.signal.baselines import BaselineMethod, BaselineMode
    from facemt_analysis.signal.filters import FilterKind
    from facemt_analysis.signal.gaps import FillMethod
    from facemt_analysis.signal.sampling import SampleMethod
    from facemt_analysis.signal.selection import Where
    from facemt_analysis.signal.smoothing import SmoothMethod

__all__ = ["SignalAccessor"]

Columns = str | Iterable[str] | None


class SignalAccessor(Accessor):
    """Signals over time, never across faces, recordings or long gaps.

    Every method gives a new Fex and writes what was done into the log of ``fex.info``. They are the
    functions of :mod:`facemt_analysis.signal`, which say more.

    Examples
    --------
    >>> import facemt_analysis as fm
    >>> fex, _ = fm.simulate_study(2, duration=5, seed=1)
    >>> clean = fex.signal.interpolate(max_gap=0.2).signal.smooth("AU12", window=0.5)
    >>> [operation.name for operation in clean.info.log[-2:]]
    ['signal.interpolate', 'signal.smooth']
    """

    def interpolate(
        self, columns: Columns = None, *, max_gap: float = 0.2, method: FillMethod = "linear"
    ) -> Fex:
        """Fill gaps of up to `max_gap` seconds inside tracks; see :func:`signal.interpolate`."""
        from facemt_analysis.signal import interpolate

        columns = _listed(columns)
        result = interpolate(self._fex, columns, max_gap=max_gap, method=method)
        return self._log(result, "interpolate", columns, max_gap=max_gap, method=method)

    def smooth(
        self,
        columns: Columns = None,
        *,
        method: SmoothMethod = "savgol",
        window: float = 0.3,
        polyorder: int = 2,
        max_gap: float = 0.0,
    ) -> Fex:
        """Smooth over windows of `window` seconds; see :func:`signal.smooth`."""
        from facemt_analysis.signal import smooth

        columns = _listed(columns)
        options: dict[str, Any] = {"method": method, "window": window, "max_gap": max_gap}
        result = smooth(self._fex, columns, polyorder=polyorder, **options)
        if method == "savgol":
            options["polyorder"] = polyorder
        return self._log(result, "smooth", columns, **options)

    def filter(
        self,
        columns: Columns = None,
        *,
        low: float | None = None,
        high: float | None = None,
        order: int = 4,
        kind: FilterKind = "butter",
        detrend: bool = False,
        max_gap: float = 0.0,
    ) -> Fex:
        """Keep frequencies from `low` to `high` Hz, without a shift; see :func:`signal.filter`."""
        from facemt_analysis.signal import filter

        columns = _listed(columns)
        options: dict[str, Any] = {
            "low": low, "high": high, "order": order, "kind": kind, "detrend": detrend,
            "max_gap": max_gap,
        }  # fmt: skip
        return self._log(filter(self._fex, columns, **options), "filter", columns, **options)

    def resample(
        self,
        hz: float,
        columns: Columns = None,
        *,
        max_gap: float = 0.0,
        method: SampleMethod = "cubic",
    ) -> Fex:
        """Put recordings on a regular time axis, without aliasing; see :func:`signal.resample`."""
        from facemt_analysis.signal import resample

        columns = _listed(columns)
        result = resample(self._fex, hz, columns, max_gap=max_gap, method=method)
        return self._log(result, "resample", columns, hz=hz, max_gap=max_gap, method=method)

    def baseline(
        self,
        columns: Columns = None,
        *,
        window: tuple[float, float] | None = None,
        where: Where | None = None,
        method: BaselineMethod = "mean",
        quantile: float | None = None,
        by: str | Sequence[str] | None = None,
        mode: BaselineMode = "subtract",
        min_frames: int = 10,
        undefined: Literal["raise", "nan"] = "raise",
    ) -> Fex:
        """Express signals relative to each person's baseline; see :func:`signal.baseline`."""
        from facemt_analysis.signal import baseline
        from facemt_analysis.signal.baselines import default_by
        from facemt_analysis.signal.selection import where_text

        columns = _listed(columns)
        by = default_by(self._fex) if by is None else by
        options: dict[str, Any] = {
            "window": window, "method": method, "quantile": quantile, "by": by, "mode": mode,
            "min_frames": min_frames,
        }  # fmt: skip
        result = baseline(self._fex, columns, where=where, undefined=undefined, **options)
        return self._log(result, "baseline", columns, where=where_text(where), **options)

    def standardize(
        self,
        columns: Columns = None,
        *,
        method: Literal["mean", "median"] = "mean",
        by: str | Sequence[str] | None = None,
        undefined: Literal["raise", "nan"] = "raise",
    ) -> Fex:
        """Give signals mean 0 and SD 1 within each person; see :func:`signal.standardize`."""
        from facemt_analysis.signal import standardize
        from facemt_analysis.signal.baselines import default_by

        columns = _listed(columns)
        by = default_by(self._fex) if by is None else by
        result = standardize(self._fex, columns, method=method, by=by, undefined=undefined)
        return self._log(result, "standardize", columns, method=method, by=by)

    def epochs(
        self,
        events: pd.DataFrame,
        tmin: float,
        tmax: float,
        *,
        baseline: tuple[float | None, float | None] | None = None,
        columns: Columns = None,
        hz: float | None = None,
        on: str | Sequence[str] | None = None,
        max_gap: float = 0.0,
        method: SampleMethod = "cubic",
        min_valid: float = 0.0,
        missing: Literal["raise", "drop"] = "raise",
    ) -> Fex:
        """Take stretches around events out of recordings; see :func:`signal.epochs`."""
        from facemt_analysis.signal import epochs

        columns = _listed(columns)
        options: dict[str, Any] = {
            "baseline": baseline, "hz": hz, "max_gap": max_gap, "min_valid": min_valid,
            "missing": missing,
        }  # fmt: skip
        result = epochs(
            self._fex, events, tmin, tmax, columns=columns, on=on, method=method, **options
        )
        options |= {"events": f"{len(events)} events", "tmin": tmin, "tmax": tmax}
        return self._log(result, "epochs", columns, **options)

    def regress_out(
        self,
        columns: str | Iterable[str],
        confounds: str | Iterable[str],
        *,
        degree: int = 1,
        by: str | Sequence[str] | None = None,
        keep_mean: bool = True,
        undefined: Literal["raise", "nan"] = "raise",
    ) -> Fex:
        """Take out what confounds explain linearly; see :func:`signal.regress_out`."""
        from facemt_analysis.signal import regress_out

        names = columns if isinstance(columns, str) else list(columns)
        others = confounds if isinstance(confounds, str) else list(confounds)
        options: dict[str, Any] = {"degree": degree, "by": by, "keep_mean": keep_mean}
        result = regress_out(self._fex, names, others, undefined=undefined, **options)
        return self._log(result, "regress_out", names, confounds=others, **options)

    def detrend(self, columns: Columns = None, *, order: int = 1, keep_mean: bool = False) -> Fex:
        """Take a polynomial in time out of each track; see :func:`signal.detrend`."""
        from facemt_analysis.signal import detrend

        columns = _listed(columns)
        result = detrend(self._fex, columns, order=order, keep_mean=keep_mean)
        return self._log(result, "detrend", columns, order=order, keep_mean=keep_mean)

    def derivative(self, columns: Columns = None, *, suffix: str = "_per_s") -> Fex:
        """Add how fast signals change, per second; see :func:`signal.derivative`."""
        from facemt_analysis.signal import derivative

        columns = _listed(columns)
        result = derivative(self._fex, columns, suffix=suffix)
        return self._log(result, "derivative", columns, suffix=suffix)

    def mask(self, where: Where, columns: Columns = None) -> Fex:
        """Empty values in rows that should not be used; see :func:`signal.mask`."""
        from facemt_analysis.signal import mask
        from facemt_analysis.signal.selection import where_text

        columns = _listed(columns)
        result = mask(self._fex, where, columns)
        return self._log(result, "mask", columns, where=where_text(where))

    def clip(self, columns: Columns = None) -> Fex:
        """Bring scores back into the schema's range; see :func:`signal.clip`."""
        from facemt_analysis.signal import clip

        columns = _listed(columns)
        return self._log(clip(self._fex, columns), "clip", columns)

    def rates(self) -> pd.DataFrame:
        """Measure the frame rate of every recording; see :func:`signal.rates`."""
        from facemt_analysis.signal import rates

        return rates(self._fex)

    def epoch_average(
        self,
        by: str | Sequence[str] = (),
        *,
        columns: Columns = None,
        subject: str = "subject",
        width: float | None = None,
    ) -> pd.DataFrame:
        """Average epochs within each person; see :func:`signal.epoch_average`."""
        from facemt_analysis.signal import epoch_average

        return epoch_average(self._fex, by, columns=columns, subject=subject, width=width)

    def _log(
        self, result: pd.DataFrame, name: str, columns: str | list[str] | None, **options: Any
    ) -> Fex:
        """Write an operation into the log, with the arguments that say something."""
        said = {"columns": columns, **options}
        return self._wrap(
            result, f"signal.{name}", **{k: v for k, v in said.items() if v is not None}
        )


def _listed(columns: Columns) -> str | list[str] | None:
    """Columns as the log keeps them; an iterator is read once."""
    return columns if columns is None or isinstance(columns, str) else list(columns)
