"""From levels and events to time courses whose mean over the valid frames is the level, exactly.

Arrays are (recordings, frames, features) unless said otherwise; ``valid`` (recordings, frames) says
where the detector finds the face.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "NOISE", "NOISE_TAU", "bounded_course", "centred", "face_found", "fixation_targets",
    "proportional_noise", "smooth_path", "softmax_with_means", "standardised",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NOISE = {"aus": 0.9, "emotions": 0.4, "va": 0.3, "gazes": 0.006, "poses": 0.003}
"""Size of the measurement noise: κ of :func:`proportional_noise` for scores, SD of the logits of
emotions, SD in rad of angles."""

NOISE_TAU = 0.12
"""Time constant of the noise, s: an autocorrelation of 0.76 between frames at 30 Hz."""


def centred(x: Floats, valid: Bools) -> Floats:
    """Take the mean over the valid frames away."""
    weight = valid[..., None] / valid.sum(1)[:, None, None]
    return np.asarray(x - (x * weight).sum(1, keepdims=True))


def standardised(x: Floats) -> Floats:
    """Mean 0 and SD 1 over all frames; zero where nothing moves."""
    x = x - x.mean(1, keepdims=True)
    sd = np.sqrt((x**2).mean(1, keepdims=True))
    return np.asarray(np.divide(x, sd, out=np.zeros_like(x), where=sd > 1e-12))


def bounded_course(
    shape: Floats, level: Floats, spread: Floats, low: Floats, high: Floats, reach: Floats
) -> tuple[Floats, Floats]:
    """Give ``level + λ · shape`` with λ as large as wished but inside the range.

    Parameters
    ----------
    shape
        Mean 0 over the valid frames.
    level
        (recordings, features).
    spread
        λ wished for, broadcast to (recordings, features); infinite: as large as fits.
    low, high
        Bounds, broadcast likewise.
    reach
        Share of the room towards the bounds that may be used, broadcast likewise.

    Returns
    -------
    tuple of ndarray
        The courses, and λ (recordings, features).
    """
    top, bottom = np.maximum(shape.max(1), 1e-9), np.maximum(-shape.min(1), 1e-9)
    room = reach * np.minimum((high - level) / top, (level - low) / bottom)
    scale = np.maximum(np.minimum(spread, room), 0.0)
    return level[:, None] + scale[:, None] * shape, scale


def smooth_path(normals: Floats, tau: float, fps: float, passes: int = 1) -> Floats:
    """First-order autoregressive process with unit variance along the frames (axis 1).

    Parameters
    ----------
    normals
        Independent standard normal variates.
    tau
        Time constant, s: neighbouring frames correlate by exp(−1/(fps·tau)).
    fps
        Frames per second.
    passes
        2: filtered once more, for paths with a speed (heads do not jump).
    """
    from scipy.signal import lfilter

    rho = float(np.exp(-1.0 / (fps * tau)))
    out = normals
    for _ in range(passes):
        out = out * np.sqrt(1 - rho**2)
        out[:, 0] /= np.sqrt(1 - rho**2)
        out = np.asarray(lfilter([1.0], [1.0, -rho], out, axis=1), np.float64)
    return out


def proportional_noise(clean: Floats, path: Floats, kappa: float, valid: Bools) -> Floats:
    """Add noise that grows with the distance from both ends of 0…1 and never leaves it.

    ``clean + κ · clean · (1 − clean) · (w − w̄)`` with w = tanh(path / 2) in −1…1 and w̄ its mean
    over the valid frames, weighted by clean · (1 − clean): the noise is centred within the
    recording. Since clean · (1 − clean) is not larger than the distance to either bound,
    |κ(w − w̄)| ≤ 1 keeps every frame inside; where it would be larger, κ is lowered for that
    recording and feature.
    """
    size = clean * (1 - clean)
    w = np.tanh(0.5 * path)
    weight = size * valid[..., None]
    w = w - (w * weight).sum(1, keepdims=True) / np.maximum(weight.sum(1, keepdims=True), 1e-12)
    most = kappa * np.abs(w).max(1, keepdims=True)
    return np.asarray(clean + kappa * size * w / np.maximum(most, 1.0))


def softmax_with_means(logits: Floats, means: Floats, valid: Bools) -> Floats:
    """Softmax of logits moved by constants so that it has given means over the valid frames.

    Parameters
    ----------
    logits
        (recordings, frames, k).
    means
        (recordings, k − 1) of all classes but the first, positive, sum below 1.
    valid
        (recordings, frames).

    Returns
    -------
    ndarray
        (recordings, frames, k); its means are exact to 1e-10.

    Notes
    -----
    The constants are the minimum of a strictly convex function, mean(logsumexp(logits + θ)) −
    θ·means, which a Newton iteration with bounded steps finds. Each recording stops on its own, so
    that the result does not depend on the others.
    """
    n, _, k = logits.shape
    weight = valid / valid.sum(1, keepdims=True)
    theta = np.zeros((n, k))
    first = 1 - means.sum(1)
    theta[:, 1:] = np.log(means / first[:, None]) - (
        (logits[..., 1:] - logits[..., :1]) * weight[..., None]
    ).sum(1)
    out = np.empty_like(logits)
    todo = np.arange(n)
    for _ in range(200):
        p = logits[todo] + theta[todo, None]
        p -= p.max(-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(-1, keepdims=True)
        out[todo] = p
        q = p[..., 1:] * weight[todo, :, None]
        gradient = q.sum(1) - means[todo]
        far = np.abs(gradient).max(1) > 1e-10
        if not far.any():
            break
        todo, p, q, gradient = todo[far], p[far], q[far], gradient[far]
        hessian = -np.einsum("rni,rnj->rij", q, p[..., 1:])
        diagonal = np.arange(k - 1)
        hessian[:, diagonal, diagonal] += q.sum(1)
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        size = np.abs(step).max(1, keepdims=True)
        theta[todo, 1:] -= step * np.minimum(1.0, 1.0 / size)
    return out


def fixation_targets(
    rng: np.random.Generator, duration: float, spread: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Draw where somebody looks: starts (n,) s and directions (n, 2) around 0, rad.

    Fixations last 0.15 s and more, 0.55 s on average; the next one is near the last one
    (correlation 0.3).
    """
    n = int(duration / 0.3) + 8
    starts = np.concatenate([[0.0], np.cumsum(0.15 + rng.gamma(1.5, 0.4 / 1.5, n))])[:-1]
    steps = rng.standard_normal((n, 2))
    for i in range(1, n):
        steps[i] = 0.3 * steps[i - 1] + np.sqrt(1 - 0.3**2) * steps[i]
    keep = starts < duration
    return starts[keep], (np.clip(steps, -3, 3) * spread)[keep]


def face_found(
    rng: np.random.Generator, times: Floats, duration: float, share: float, run: float
) -> Bools:
    """Draw the frames of one recording in which the face is found.

    Losses are runs of exponential length (mean `run` s) at random times that cover the share
    `share` of the recording in expectation, at most 0.6 of it.
    """
    valid = np.ones(len(times), np.bool_)
    if share <= 0:
        return valid
    number = int(rng.poisson(-np.log1p(-share) * duration / run))
    lengths, starts = rng.exponential(run, number), rng.random(number) * duration
    for length, start in zip(lengths, starts, strict=True):
        lost = (times >= start) & (times < start + max(length, 1.5 * duration / len(times)))
        if (valid & ~lost).mean() < 0.4:
            break
        valid[lost] = False
    return valid
