"""Runs the lesson on transfer: a ResNet-50, whose weights they are, what is frozen, and what the rest learns."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from flax import nnx

from lessons.layers import parameters
from lessons.table import table
from lessons.tensorboard import scalars
from lessons.transfer import files, images, photographs, weights
from lessons.transfer.finetune import FineTuning
from lessons.transfer.images import ImageFolder
from lessons.transfer.loader import Loader
from lessons.transfer.resnet import PARTS, Config, ResNet, is_frozen, part_of

BATCH = 16


@dataclass(frozen=True)
class Plan:
    """What the reader chose: ``frozen`` of the model's parts stay, images are ``side`` pixels wide and high."""

    epochs: int
    frozen: int
    side: int
    seed: int


def teach(data: Path | None, given: Path | None, logs: Path | None, plan: Plan) -> None:
    """Print the lesson; ``given`` are the weights to begin with, random ones where it is None."""
    with tempfile.TemporaryDirectory() as folder:
        if data is None:
            photographs.write(Path(folder))
        train, val = images.find(data or Path(folder))
        config = Config(classes=len(train.classes))
        model, begun = start(config, given, plan.seed)
        print(describe(train, val, data, plan))
        print(f"ResNet-50: {begun}\n\n{summary(model, plan.frozen)}\n", flush=True)
        loaders = [Loader(split, plan.side, BATCH, _tell) for split in (train, val)]
        _train(FineTuning(model, plan.frozen), loaders[0], loaders[1], logs, plan)
        if damaged := sum(len(loader.damaged) for loader in loaders):
            print(f"damaged images left out: {damaged}")


def describe(train: ImageFolder, val: ImageFolder, data: Path | None, plan: Plan) -> str:
    """What there is to learn from."""
    source = data or "pieces of two photographs that scikit-learn ships"
    names = f"{', '.join(train.classes[:10])}{', …' if len(train.classes) > 10 else ''}"
    counts = f"{len(train.samples):,} images to train on, {len(val.samples):,} held out"
    return f"{source}: {counts}, {plan.side} × {plan.side} pixels\n{len(train.classes)} classes: {names}"


def start(config: Config, given: Path | None, seed: int) -> tuple[ResNet, str]:
    """The model to begin with, and a sentence on where its weights are from."""
    if given is None:
        random = weights.random_weights(config, seed)
        return weights.build(
            config, random
        ), "no weights were given, so it begins with random ones and transfers nothing"
    found, new_head = weights.fit_to(config, files.read_weights(given), given, seed)
    head = f", but for a new head of {config.classes} classes" if new_head else ""
    return weights.build(config, found), f"weights of {given}{head}"


def summary(model: ResNet, frozen: int) -> str:
    """A table of the model's parts: how many parameters each has, and whether it learns."""
    state = nnx.to_flat_state(nnx.state(model, nnx.Param))
    counts = {part: sum(leaf.size for path, leaf in state if part_of(path) == part) for part in (*PARTS, "fc")}
    learning = sum(leaf.size for path, leaf in state if not is_frozen(path, frozen))
    rows = [[part, f"{count:,}", "frozen" if part in PARTS[:frozen] else "learns"] for part, count in counts.items()]
    total = parameters(nnx.state(model, nnx.Param))
    return table(["part", "parameters", ""], [*rows, ["total", f"{total:,}", f"{learning:,} learn"]])


def _train(tuning: FineTuning, train: Loader, val: Loader, logs: Path | None, plan: Plan) -> None:
    began, right = time.perf_counter(), 0.0
    with scalars(logs) as log:
        for epoch in range(1, plan.epochs + 1):
            loss = float(np.mean([*tuning.train(train.training(epoch, plan.seed))]))
            right = tuning.accuracy(val.testing())
            log(epoch, loss=loss, val_accuracy=right)
            print(f"epoch {epoch:3}  loss {loss:.4f}  held-out accuracy {right:.2%}", flush=True)
    print(f"\n{right:.2%} of the held-out images are told, after {time.perf_counter() - began:.1f} s")


def _tell(message: str) -> None:
    print(message, file=sys.stderr)
