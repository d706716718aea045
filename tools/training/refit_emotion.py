"""Refit the emotion head of a network alone, so that the commonest label does not win by itself.

::

    python tools/training/refit_emotion.py --init open.safetensors --shards cache/train \
        --held-out cache/held_out/0000 --out refit.safetensors --margin 1.125 --half

Most training faces are labelled Neutral, and a network that is unsure says what is common. Here the
logs of the labels' shares, times ``--balance``, are added to the logits while fitting and left out
afterwards (logit adjustment: Menon et al., 2021, https://arxiv.org/abs/2007.07314): with 1 the head
answers as if all emotions were equally common, with 0 as the labels are. The layer is linear and
its inputs are frozen, so that the fit is convex and takes seconds; every other tensor stays.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from augment import Jitter, augment, centred
from shards import Shards

from facemt_analysis import schema
from facemt_analysis.network import FaceMultitask, load_checkpoint, save_checkpoint
from facemt_analysis.simulate.mesh import canonical_mesh


def head_inputs(
    model: FaceMultitask, data: Shards, jitter: Jitter, *, views: int = 0, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give what the emotion head reads of each face, and the faces' labels.

    Each face is seen in `views` random crops, mirror images and colours; 0: once, well placed.
    """
    vertices = torch.from_numpy(canonical_mesh().mirror.copy())
    generator = torch.Generator().manual_seed(seed)
    inputs: list[np.ndarray] = []
    labels: list[torch.Tensor] = []
    hook = model.emotion.register_forward_pre_hook(
        lambda _, given: inputs.append(given[0].float().cpu().numpy())
    )
    try:
        for view in range(max(views, 1)):
            for first in range(0, len(data), 64):
                faces = data.batch(np.arange(first, min(first + 64, len(data))))
                faces = (
                    augment(faces, jitter, vertices, generator) if views else centred(faces, jitter)
                )
                model.predict(faces["image"])
                labels.append(faces["emotion"])
            print(f"view {view + 1} of {max(views, 1)}: {len(data)} faces", flush=True)
    finally:
        hook.remove()
    x, target = torch.from_numpy(np.concatenate(inputs)), torch.cat(labels)
    known = ~target.isnan().any(1)
    return x[known], target[known]


def fit(
    x: torch.Tensor, target: torch.Tensor, *, balance: float, decay: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit weight and bias of a linear layer to soft labels.

    Parameters
    ----------
    x
        (n, features).
    target
        (n, classes) probabilities.
    balance
        Share of the labels' log-frequencies that is not learned.
    decay
        Penalty on the squared weights of standardised features.
    """
    mean, sd = x.mean(0), x.std(0).clamp_min(1e-3)
    z = (x - mean) / sd
    usual = balance * target.mean(0).clamp_min(1e-6).log()
    weight = torch.zeros(target.shape[1], x.shape[1], requires_grad=True)
    bias = torch.zeros(target.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(z @ weight.T + bias + usual, target)
        value = value + decay * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    weight, bias = weight.detach() / sd, bias.detach()
    return weight, bias - weight @ mean


def recalls(logits: torch.Tensor, target: torch.Tensor) -> dict[str, float]:
    """Give the accuracy, that with each class counted alike, and the recall of each class."""
    truth, said = target.argmax(1), logits.argmax(1)
    hit = said == truth
    each = {
        name: float(hit[truth == k].float().mean())
        for k, name in enumerate(schema.EMOTIONS[: target.shape[1]])
        if (truth == k).any()
    }
    return {
        "accuracy": float(hit.float().mean()),
        "balanced accuracy": float(np.mean(list(each.values()))),
        **each,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--init", type=Path, required=True, help="checkpoint to go on from")
    parser.add_argument("--shards", nargs="+", type=Path, required=True, help="training faces")
    parser.add_argument("--held-out", nargs="*", type=Path, default=[], help="each scored apart")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--margin", type=float, default=1.0, help="side of a stored chip / canonical side"
    )
    parser.add_argument("--views", type=int, default=2, help="random crops of each face")
    parser.add_argument(
        "--jitter", type=float, nargs=2, default=(0.06, 0.03), metavar=("SCALE", "SHIFT")
    )
    parser.add_argument("--balance", type=float, default=0.5, help="0: as the labels, 1: all alike")
    parser.add_argument("--decay", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--half", action="store_true", help="write float16: half the size")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    model = load_checkpoint(args.init).eval()
    n_au, n_emotion = model.config.n_au, model.config.n_emotion
    jitter = Jitter(model.config.image_size, args.margin, *args.jitter)
    data = Shards(args.shards, n_au=n_au, n_emotion=n_emotion)
    seen = [
        head_inputs(model, Shards([path], n_au=n_au, n_emotion=n_emotion), jitter)
        for path in args.held_out
    ]
    x, target = head_inputs(model, data, jitter, views=args.views, seed=args.seed)
    weight, bias = fit(x, target, balance=args.balance, decay=args.decay)
    head, held_out = model.emotion.cls_head, []
    with torch.no_grad():
        before = [recalls(head(z), t) for z, t in seen]
        head.weight.copy_(weight)
        head.bias.copy_(bias)
        for path, was, (z, t) in zip(args.held_out, before, seen, strict=True):
            held_out.append(recalls(head(z), t))
            print(json.dumps({"faces": str(path), "before": was, "after": held_out[-1]}))
    refit = {
        "head": "emotion", "faces": len(data), "views": args.views, "balance": args.balance,
        "decay": args.decay, "seed": args.seed, "data": data.summary(),
        "held_out": held_out,
    }  # fmt: skip
    training = json.loads(model.metadata.get("training", "{}"))
    training["refits"] = [*training.get("refits", []), refit]
    save_checkpoint(
        model, args.out, dtype=torch.float16 if args.half else torch.float32, training=training
    )


if __name__ == "__main__":
    main()
