"""Runs the lesson on compression: one table a network, of what each way makes of size, speed and accuracy."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from lessons.compress import aware, distill, prune, quantize, speed, storage
from lessons.compress.model import Model, perceptron, train
from lessons.compress.transformer import transformer
from lessons.fundamentals import digits, mlp
from lessons.layers import Layers, dense
from lessons.table import table
from lessons.training import accuracy

PRUNED, REMOVED = 0.8, 0.5
"""Shares of single weights, and of hidden units."""
FEW_LEVELS = 3
"""Of integers with 3 bits, where rounding hurts; with 8 it hardly does."""
SPEED_IMAGES = 4096
"""Images in one call when speed is measured: enough that the arithmetic takes the time, not the call."""

WIDTHS, LAYER_ROWS = (64, 256, 1024), 512
WORTH_IT = 1.05
"""Times faster that every round must be, for int8 to be called faster."""


@dataclass(frozen=True)
class Variant:
    """One way of compressing: a network, its layers, and whether its zeros are worth storing apart."""

    name: str
    model: Model
    layers: Layers
    sparse: bool = False


@dataclass(frozen=True)
class Measured:
    """What a variant costs: bytes on disk, accuracy on held-out digits, speed beside the first variant."""

    name: str
    stored_bytes: int
    right: float
    speed: speed.Ratio


def teach(data: Path | None, epochs: int | None, seed: int) -> None:
    """Print the lesson for a perceptron and a transformer, trained on the digits in ``data`` or on the shipped ones."""
    given = digits.load(data, seed)
    epochs = epochs or mlp.enough_epochs(given)
    rows = given.height
    print(f"{given.source}: accuracy is on the {len(given.test_MxP):,} held out. Stored is the bytes on disk.")
    print(
        f"Speed is that of {SPEED_IMAGES:,} images on this {jax.devices()[0].device_kind}, as a multiple of float32's:"
    )
    print(f"the median of {speed.ROUNDS} rounds of A-B-B-A, with the lowest and the highest. The first row is float32")
    print("beside itself: what it is off from 1, and its range, are what this machine adds to every row.\n", flush=True)
    for full, small in (
        (perceptron(given.pixels), perceptron(given.pixels, hidden=16)),
        (transformer(given.pixels, rows), transformer(given.pixels, rows, width=16, blocks=1)),
    ):
        print(f"training the {full.name}, and what is smaller than it", file=sys.stderr)
        layers = train(full, given, epochs, seed)
        few = max(1, epochs // 3)  # tuning takes less than training
        ways = [Variant("float32", full, layers), *smaller(full, layers, given, few, seed)]
        ways += students(full, layers, small, given, epochs, seed)
        shown = f"{as_table([*measure(ways, given)])}\n\n{few_bits(full, layers, given, few, seed)}"
        print(f"{full.name}\n\n{shown}\n", flush=True)
    print(integers())


def smaller(full: Model, layers: Layers, given: digits.Digits, epochs: int, seed: int) -> Iterator[Variant]:
    """The trained network pruned and quantized, and tuned for ``epochs`` where the way has a tuning."""
    masks = prune.magnitude_masks(layers, PRUNED)
    pruned = prune.tune(full, layers, masks, given, epochs, seed)
    yield Variant(f"{PRUNED:.0%} of weights pruned", full, pruned, sparse=True)
    fewer = prune.without_units(full, layers, REMOVED)
    tuned = prune.tune(full, fewer, prune.magnitude_masks(fewer, 0), given, epochs, seed)
    yield Variant(f"{REMOVED:.0%} of units removed", full, tuned)
    ranges = quantize.input_ranges(full, layers, given.train_NxP)
    yield Variant("int8 after training", full, quantize.int8(layers, ranges))
    rounding = aware.tune(full, aware.aware(layers, ranges), given, epochs, seed)
    yield Variant("int8 aware", full, quantize.int8(aware.plain(rounding), ranges))


def students(
    full: Model, layers: Layers, small: Model, given: digits.Digits, epochs: int, seed: int
) -> Iterator[Variant]:
    """A small network that learned from the digits alone, and one that learned from the trained network too."""
    yield Variant(f"{small.name}, alone", small, train(small, given, epochs, seed))
    taught = distill.distill(small, lambda x_BxP: full.logits(layers, x_BxP), given, epochs, seed)
    yield Variant(f"{small.name}, taught", small, taught)


def measure(ways: Sequence[Variant], given: digits.Digits) -> Iterator[Measured]:
    """Each variant stored, read back, and measured as it was read back."""
    repeated = -(-SPEED_IMAGES // len(given.test_MxP))
    many_NxP = jnp.tile(jnp.asarray(given.test_MxP), (repeated, 1))[:SPEED_IMAGES]
    first: Callable[[], object] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for way in ways:
            print(f"measuring {way.name}", file=sys.stderr)
            path = Path(folder) / "network.npz"
            stored_bytes = storage.save(path, way.layers, sparse=way.sparse)
            logits, layers = jax.jit(way.model.logits), storage.load(path)
            right = accuracy(logits(layers, jnp.asarray(given.test_MxP)), given.test_label_M)

            def run(logits: Callable[..., jax.Array] = logits, layers: Layers = layers) -> object:
                return logits(layers, many_NxP).block_until_ready()

            first = first or run
            yield Measured(way.name, stored_bytes, right, speed.ratio(first, run))


def as_table(measured: list[Measured]) -> str:
    """The measurements, sizes also as a multiple of the first one's."""
    full = measured[0].stored_bytes
    rows = [
        [one.name, f"{one.stored_bytes:,}", f"{full / one.stored_bytes:.1f}", f"{one.right:.2%}", str(one.speed)]
        for one in measured
    ]
    return table(["", "stored", "smaller", "accuracy", "speed"], rows)


def few_bits(model: Model, layers: Layers, given: digits.Digits, epochs: int, seed: int) -> str:
    """What training with the rounding is for: accuracy with integers of 3 bits, without it and with it."""
    ranges = quantize.input_ranges(model, layers, given.train_NxP)
    rounding = aware.aware(layers, ranges, FEW_LEVELS)
    tuned = aware.tune(model, rounding, given, epochs, seed)
    logits, test_MxP = jax.jit(model.logits), jnp.asarray(given.test_MxP)
    after, with_it = (accuracy(logits(way, test_MxP), given.test_label_M) for way in (rounding, tuned))
    return f"With integers of 3 bits instead: {after:.2%} after training, {with_it:.2%} aware of the rounding."


def integers() -> str:
    """Where int8 is faster, by measurement of single layers, and what pruning does for speed."""
    found = [int8_speed(width) for width in WIDTHS]
    rows = [[str(width), str(one)] for width, one in zip(WIDTHS, found, strict=True)]
    slow = [str(width) for width, one in zip(WIDTHS, found, strict=True) if one.low < WORTH_IT]
    verdict = (
        f"not faster on this device at a width of {', '.join(slow)}" if slow else "faster on this device at each width"
    )
    return (
        f"One dense layer as wide as its input, {LAYER_ROWS} rows of it, int8 beside float32:\n\n"
        f"{table(['width', 'speed'], rows)}\n\n"
        f"int8 is {verdict}. It always saves memory; time only where\n"
        "there are instructions for products of bytes, and the product is large beside the rounding of its input.\n"
        "Pruned weights are stored apart and multiplied like any other number; removed units are not multiplied."
    )


def int8_speed(width: int) -> speed.Ratio:
    """A dense layer in 8 bits beside the same in float32."""
    random = np.random.default_rng(0)
    x_BxI = jnp.asarray(random.standard_normal((LAYER_ROWS, width), np.float32))
    layer = dense(width, width, random)
    small = quantize.int8({"layer": layer}, {"layer": jnp.abs(x_BxI).max()})["layer"]
    run = jax.jit(lambda layer, x_BxI: layer(x_BxI))
    return speed.ratio(lambda: run(layer, x_BxI).block_until_ready(), lambda: run(small, x_BxI).block_until_ready())
