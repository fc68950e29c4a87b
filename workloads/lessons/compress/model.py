"""What every way of compressing needs to know of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import jax

from lessons.fundamentals import mlp
from lessons.fundamentals.digits import Digits
from lessons.layers import Layer, Layers
from lessons.training import cross_entropy, fit


class Logits(Protocol):
    """A network as a function of its layers: whoever exchanges a layer for a smaller one leaves the rest alone."""

    def __call__(self, layers: Layers, x_BxP: jax.Array, key: jax.Array | None = None, /) -> jax.Array:
        """Logits BxC; dropout where a key is given."""
        ...


@dataclass(frozen=True)
class Model:
    """A network: its layers before training by seed, and its function.

    ``channels`` are pairs of layers with hidden units between them that nothing else sees: (who makes, who reads).
    """

    name: str
    initial: Callable[[int], dict[str, Layer]]
    logits: Logits
    channels: tuple[tuple[str, str], ...]

    def loss(self, layers: Layers, x_BxP: jax.Array, label_B: jax.Array, key: jax.Array) -> jax.Array:
        """The mean cross-entropy with dropout."""
        return cross_entropy(self.logits(layers, x_BxP, key), label_B)


def perceptron(pixels: int, hidden: int = mlp.HIDDEN) -> Model:
    """The network of the lesson on fundamentals."""
    return Model(f"MLP {pixels}-{hidden}-10", lambda seed: {**mlp.initial(pixels, hidden, seed)}, mlp.logits, (_MLP,))


def train(model: Model, digits: Digits, epochs: int, seed: int = 0) -> Layers:
    """The model's layers after training on the digits."""
    start = model.initial(seed)
    return fit(model.loss, start, digits.train_NxP, digits.train_label_N, epochs=epochs, seed=seed)


_MLP = ("hidden", "out")
