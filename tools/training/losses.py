"""One loss per task; missing labels are left out, tasks weigh themselves.

Each task's mean loss L enters as ``exp(-s) L + s`` with the network's own learned ``log_var`` s
(Kendall, Gal & Cipolla 2018, "Multi-task learning using uncertainty", CVPR).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from shards import Batch

from facemt_analysis.network import Conventions, FaceMultitask, Outputs
from facemt_analysis.schema import DLIB68_FROM_MESH

_EPS = 1e-4


def _mean(values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Mean over present entries; zero, without gradient, when there are none."""
    present = present.expand_as(values)
    count = present.sum()
    return torch.where(present, values, values.new_zeros(())).sum() / count.clamp_min(1)


def _concordance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Lin's concordance correlation of two samples."""
    dx, dy = x - x.mean(), y - y.mean()
    return (
        2
        * (dx * dy).mean()
        / (dx.square().mean() + dy.square().mean() + (x.mean() - y.mean()) ** 2 + 1e-6)
    )


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
    """

    def __init__(self, model: FaceMultitask, conventions: Conventions) -> None:
        self.model = model
        self.conventions = conventions
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

        pose, gaze = angles(out, self.conventions)
        add("pose", batch["pose"], 10 * (pose - clean("pose")).abs())
        add("gaze", batch["gaze"], 10 * (gaze - clean("gaze")).abs())

        score = out.au.float().clamp(_EPS, 1 - _EPS)
        unit = F.binary_cross_entropy(score, clean("au").clamp(0, 1), reduction="none")
        unit = unit + 4 * (score - clean("au")).square()
        add("au", batch["au"], unit)

        if out.blendshapes is not None:
            shape = F.smooth_l1_loss(
                out.blendshapes.float(), clean("blendshapes"), reduction="none", beta=0.05
            )
            add("blendshape", batch["blendshapes"], 20 * shape)

        log_p = F.log_softmax(out.emotion_logits.float(), -1)
        target = clean("emotion")
        add("emotion", batch["emotion"][:, :1], -(target * log_p).sum(-1, keepdim=True))

        va, truth = out.valence_arousal.float(), clean("va")
        add("va", batch["va"], 4 * (va - truth).square())
        both = ~torch.isnan(batch["va"]).any(1)
        if both.sum() > 7:
            concordance = torch.stack([_concordance(va[both, i], truth[both, i]) for i in (0, 1)])
            found["va"] = found["va"] + (1 - concordance).mean()
        return found

    def total(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Weighted sum by the learned log-variances."""
        total = self.model.log_var_au.new_zeros(())
        for task, loss in losses.items():
            log_var = getattr(self.model, f"log_var_{task}").mean()
            total = total + torch.exp(-log_var) * loss + log_var
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
