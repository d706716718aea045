"""One loss per task; missing labels are left out, tasks weigh themselves.

Each task's mean loss L enters as ``exp(-s) L + s``, gaze ten times, with the network's own
learned ``log_var`` s (Kendall, Gal & Cipolla 2018, "Multi-task learning using uncertainty", CVPR).
Emotions can be learned as if they were more evenly common than the labels (logit adjustment: Menon
et al. 2021, https://arxiv.org/abs/2007.07314).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from shards import Batch

from facemt_analysis.network import Conventions, FaceMultitask, Outputs
from facemt_analysis.schema import DLIB68_FROM_MESH
from facemt_analysis.simulate import canonical_mesh

_EPS = 1e-4


def _mean(values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Mean over present entries; zero, without gradient, when there are none."""
    present = present.expand_as(values)
    count = present.sum()
    return torch.where(present, values, values.new_zeros(())).sum() / count.clamp_min(1)


# the slowest to be learned counts more than its log-variance says
_SHARES = {"gaze": 10.0, "eyes": 3.0}
# Pairs of vertices whose offset tells an expression or a gaze: lids, irises in their eyes, brows
# over the eyes and from each other, corners and edges of the mouth, nose, chin.
_RIGHT_PAIRS = (
    (159, 145), (160, 144), (158, 153), (468, 33), (468, 133), (468, 159), (468, 145), (105, 33),
    (107, 133), (70, 33), (66, 159), (52, 145), (107, 9), (61, 4), (61, 33), (61, 0), (61, 17),
    (61, 152), (81, 178), (39, 181), (40, 98), (129, 133), (98, 4), (50, 145), (205, 61),
)  # fmt: skip
_MIDDLE_PAIRS = ((13, 14), (0, 17), (0, 2), (17, 152), (14, 152), (107, 336), (61, 291), (98, 327))


@functools.cache
def shape_pairs() -> torch.Tensor:
    """Vertex indices (2, n) of the pairs of both sides."""
    mirror = canonical_mesh().mirror
    left = tuple((int(mirror[a]), int(mirror[b])) for a, b in _RIGHT_PAIRS)
    return torch.tensor((*_RIGHT_PAIRS, *left, *_MIDDLE_PAIRS)).T


@functools.cache
def _pair_weights() -> torch.Tensor:
    """Weight (n, 1) of each pair: a turning eye moves its iris by a pixel or two."""
    iris = (shape_pairs() >= 468).any(0)
    weights = torch.where(iris, 5.0, 1.0)
    return (weights / weights.mean())[:, None]


def _concordance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Lin's concordance correlation of two samples."""
    dx, dy = x - x.mean(), y - y.mean()
    return (
        2
        * (dx * dy).mean()
        / (dx.square().mean() + dy.square().mean() + (x.mean() - y.mean()) ** 2 + 1e-6)
    )


def _disagreement(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean of 1 - concordance over the columns that vary in the batch.

    A mean square is least when all that is uncertain is called average; concordance is not: it
    wants the spread of the labels too.
    """
    present = ~torch.isnan(labels)
    count = present.sum(0).clamp_min(1)

    def mean(v: torch.Tensor) -> torch.Tensor:
        return torch.where(present, v, v.new_zeros(())).sum(0) / count

    labels = torch.nan_to_num(labels)
    x_mean, y_mean = mean(values), mean(labels)
    dx, dy = values - x_mean, labels - y_mean
    x_var, y_var, both = mean(dx * dx), mean(dy * dy), mean(dx * dy)
    concordance = 2 * both / (x_var + y_var + (x_mean - y_mean) ** 2 + 1e-6)
    varies = (y_var > 4e-4) & (count > 7)  # sd 0.02
    return torch.where(varies, 1 - concordance, 0.0).sum() / varies.sum().clamp_min(1)


def mesh_weights() -> torch.Tensor:
    """Weight the vertices: the points a face is read from (dlib's, irises) count more."""
    weights = torch.ones(478)
    weights[list(DLIB68_FROM_MESH)] += 1.0
    weights[468:] += 1.0
    return weights / weights.mean()


def angles(out: Outputs, conventions: Conventions) -> tuple[torch.Tensor, torch.Tensor]:
    """Give pose (pitch, yaw, roll) and gaze (pitch, yaw) as a Fex has them."""
    c = conventions
    pose = [sign * out.pose[:, i].float() for i, sign in (c.Pitch, c.Yaw, c.Roll)]
    gaze = [sign * out.gaze[:, i].float() for i, sign in (c.gaze_pitch, c.gaze_yaw)]
    return torch.stack(pose, 1), torch.stack(gaze, 1)


class Tasks:
    """Losses of all tasks of one network.

    Parameters
    ----------
    model
        The network; its ``log_var_*`` are trained along.
    conventions
        Which raw output is which angle; labels are in the conventions of a Fex.
    usual
        (n_emotion,) added to the logits while learning only: what need not be learned because it
        is how common the labels are. Default: nothing.
    emphasis
        Factor on the loss of single tasks.
    """

    def __init__(
        self,
        model: FaceMultitask,
        conventions: Conventions,
        *,
        usual: torch.Tensor | None = None,
        emphasis: Mapping[str, float] | None = None,
    ) -> None:
        self.model = model
        self.conventions = conventions
        self._usual = usual
        self._shares = {**_SHARES, **(emphasis or {})}
        self._vertex = mesh_weights().view(1, -1, 1)

    def losses(self, out: Outputs, batch: Batch) -> dict[str, torch.Tensor]:
        """Loss per task, before weighting; tasks without any label in the batch are absent."""
        found: dict[str, torch.Tensor] = {}

        def add(task: str, labels: torch.Tensor, values: torch.Tensor) -> None:
            present = ~torch.isnan(labels)
            if present.any():
                found[task] = _mean(values, present)

        def clean(field: str) -> torch.Tensor:
            return torch.nan_to_num(batch[field])

        scale = 1.0 if self.model.config.mesh_normalized else float(self.model.config.image_size)
        off = (out.mesh.float() / scale - clean("mesh")).abs() * self._vertex
        off[..., 2] *= 0.5  # depth is the least certain
        add("mesh", batch["mesh"], 40 * off)
        if "mesh" in found:  # shape apart from place: what expressions and gaze are read from
            a, b = shape_pairs()
            got, truth = out.mesh.float()[..., :2] / scale, batch["mesh"][..., :2]
            offset = got[:, a] - got[:, b] - (truth[:, a] - truth[:, b])
            found["mesh"] = found["mesh"] + 100 * _mean(
                torch.nan_to_num(offset).abs() * _pair_weights(), ~torch.isnan(offset)
            )

        pose, gaze = angles(out, self.conventions)
        add("pose", batch["pose"], 10 * (pose - clean("pose")).abs())
        add("gaze", batch["gaze"], 5 * (gaze - clean("gaze")).abs())
        if "gaze" in found:
            found["gaze"] = found["gaze"] + 2 * _disagreement(gaze, batch["gaze"])

        score = out.au.float().clamp(_EPS, 1 - _EPS)
        wanted = clean("au").clamp(0, 1)
        # Most action units are absent from most faces: the present ones count more.
        unit = F.binary_cross_entropy(score, wanted, reduction="none") * (1 + 2 * wanted)
        add("au", batch["au"], unit)
        if "au" in found:
            found["au"] = found["au"] + 2 * _disagreement(score, batch["au"])

        if out.blendshapes is not None:
            shape = F.smooth_l1_loss(
                out.blendshapes.float(), clean("blendshapes"), reduction="none", beta=0.05
            )
            add("blendshape", batch["blendshapes"], 20 * shape)
            if "blendshape" in found:
                found["blendshape"] = found["blendshape"] + 2 * _disagreement(
                    out.blendshapes.float(), batch["blendshapes"]
                )

        logits = out.emotion_logits.float()
        log_p = F.log_softmax(logits if self._usual is None else logits + self._usual, -1)
        target = clean("emotion")
        add("emotion", batch["emotion"][:, :1], -(target * log_p).sum(-1, keepdim=True))

        va, truth = out.valence_arousal.float(), clean("va")
        add("va", batch["va"], 4 * (va - truth).square())
        if "va" in found:
            found["va"] = found["va"] + _disagreement(va, batch["va"])
        return found

    def eyes(self, readings: list[torch.Tensor], batch: Batch) -> torch.Tensor:
        """Loss of gaze read off early maps (`eyes.EyeReadings`), in the labels' convention."""
        labels = batch["gaze"][:, [1, 0]]
        present = ~torch.isnan(labels)
        off = [
            _mean(5 * (read - torch.nan_to_num(labels)).abs(), present)
            + 2 * _disagreement(read, labels)
            for read in readings
        ]
        return self._shares["eyes"] * torch.stack(off).mean()

    def total(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Weighted sum by the learned log-variances."""
        total = self.model.log_var_au.new_zeros(())
        for task, loss in losses.items():
            log_var = getattr(self.model, f"log_var_{task}").mean()
            total = total + self._shares.get(task, 1.0) * (torch.exp(-log_var) * loss + log_var)
        return total


class Scores:
    """Accuracy on held-out faces, in the units people read."""

    def __init__(self, *, mesh_scale: float, conventions: Conventions) -> None:
        self._mesh_scale = mesh_scale
        self._conventions = conventions
        self._rows: list[dict[str, np.ndarray]] = []

    def add(self, out: Outputs, batch: Batch) -> None:
        """Take the outputs for one batch."""
        row = {f"true_{k}": batch[k].numpy() for k in batch if k != "image"}
        row["mesh"] = out.mesh.float().numpy() / self._mesh_scale
        row["pose"], row["gaze"] = (a.numpy() for a in angles(out, self._conventions))
        row["au"] = out.au.float().numpy()
        row["emotion"] = out.emotion_logits.float().softmax(-1).numpy()
        row["va"] = out.valence_arousal.float().numpy()
        if out.blendshapes is not None:
            row["blendshapes"] = out.blendshapes.float().numpy()
        self._rows.append(row)

    def summary(self) -> dict[str, float]:
        """One number per task; tasks without labels are absent."""
        all_rows = {k: np.concatenate([r[k] for r in self._rows]) for k in self._rows[0]}

        def pair(task: str) -> tuple[np.ndarray, np.ndarray]:
            truth = all_rows[f"true_{task}"]
            keep = ~np.isnan(truth.reshape(len(truth), -1)).any(1)
            return all_rows[task][keep], truth[keep]

        found: dict[str, float] = {}
        got, truth = pair("mesh")
        if len(truth):
            eyes = np.linalg.norm(truth[:, 33, :2] - truth[:, 263, :2], axis=-1)
            error = np.linalg.norm(got[..., :2] - truth[..., :2], axis=-1).mean(1) / eyes
            found["mesh error / outer eye corners (median)"] = float(np.median(error))
        for task, names in (
            ("pose", ("pitch", "yaw", "roll")),
            ("gaze", ("gaze pitch", "gaze yaw")),
        ):
            got, truth = pair(task)
            if len(truth):
                for i, name in enumerate(names):
                    found[f"{name} error, degrees (mean)"] = float(
                        np.degrees(np.abs(got - truth)[:, i].mean())
                    )
        got, truth = pair("au")
        if len(truth):
            on, said = truth >= 0.5, got >= 0.5
            hits, wrong = (on & said).sum(0), (on ^ said).sum(0)
            found["AU F1 at 0.5 (macro)"] = float(
                np.mean(2 * hits / np.maximum(2 * hits + wrong, 1))
            )
            found["AU correlation (mean)"] = _mean_correlation(got, truth)
        got, truth = pair("emotion")
        if len(truth):
            found["emotion accuracy"] = float((got.argmax(1) == truth.argmax(1)).mean())
        got, truth = pair("va")
        if len(truth):
            for i, name in enumerate(("valence", "arousal")):
                x, y = torch.from_numpy(got[:, i]), torch.from_numpy(truth[:, i])
                found[f"{name} CCC"] = float(_concordance(x, y))
        if "blendshapes" in all_rows:
            got, truth = pair("blendshapes")
            if len(truth):
                vary = truth.std(0) > 0.02
                found["blendshape correlation (mean)"] = _mean_correlation(
                    got[:, vary], truth[:, vary]
                )
        return found


def _mean_correlation(got: np.ndarray, truth: np.ndarray) -> float:
    a, b = got - got.mean(0), truth - truth.mean(0)
    norm = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return float(np.mean((a * b).sum(0) / np.maximum(norm, 1e-12)))
