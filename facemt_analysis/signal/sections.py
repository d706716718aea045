"""Second-order sections run forward and backward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sections", "zero_phase"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sections:
    """A filter with what every use of it needs and is slow to work out.

    Parameters
    ----------
    sos
        Second-order sections, shape (s, 6).
    start
        Their state for a constant input of one, shape (s, 2).
    padding
        Samples to add at either end by default, as ``scipy.signal.sosfiltfilt`` does.
    """

    sos: Floats
    start: Floats
    padding: int

    @classmethod
    def of(cls, sos: Floats) -> Sections:
        """Complete sections."""
        from scipy.signal import sosfilt_zi

        unused = min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))
        return cls(sos, sosfilt_zi(sos), 3 * (2 * len(sos) + 1 - unused))


def zero_phase(sections: Sections, values: Floats, padding: int | None = None) -> Floats:
    """Filter forward and backward along the first axis: nothing is shifted in time.

    The same as ``scipy.signal.sosfiltfilt``, which works out the sections' state anew for every
    stretch: most of the time where stretches are many and short.

    Parameters
    ----------
    sections
        The filter.
    values
        Evenly spaced samples, shape (n, c).
    padding
        How far each end is continued, turned about its last point; below n.

    Returns
    -------
    ndarray
        Shape (n, c).
    """
    from scipy.signal import sosfilt

    n = sections.padding if padding is None else padding
    head = 2 * values[:1] - values[n:0:-1]
    tail = 2 * values[-1:] - values[-2 : -n - 2 : -1] if n else values[:0]
    longer = np.concatenate([head, values, tail])
    for _ in range(2):
        longer, _state = sosfilt(
            sections.sos, longer, axis=0, zi=sections.start[:, :, None] * longer[:1]
        )
        longer = longer[::-1]
    return longer[n : n + len(values)]
