"""A network that reads digits: pixels → 128 → ReLU → dropout → 10, trained by Adam.

With MNIST's 28 × 28 pixels it is 784-128-10. The input's width is the data's.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from lessons.fundamentals.digits import CLASSES, Digits
from lessons.fundamentals.regularization import dropout
from lessons.layers import Dense, Layers, dense, parameters
from lessons.table import table
from lessons.training import BATCH, accuracy, cross_entropy, fit

HIDDEN = 128
DROPOUT = (
    0.2  # for hidden layers of fully connected networks 0.2 to 0.5 is usual (Srivastava et al. 2014, appendix A.4)
)
UPDATES = 2500
"""Steps of Adam after which scikit-learn's digits are read to 97 % whichever fifth of them is held out (ten seeds)."""


def initial(pixels: int, hidden: int = HIDDEN, seed: int = 0) -> dict[str, Dense]:
    """The layers before training."""
    random = np.random.default_rng(seed)
    return {"hidden": dense(pixels, hidden, random), "out": dense(hidden, CLASSES, random)}


def logits(layers: Layers, x_BxP: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Logits BxC of the digit; dropout where a key is given, which training does and use does not."""
    hidden_BxH = jax.nn.relu(layers["hidden"](x_BxP))
    return layers["out"](dropout(hidden_BxH, DROPOUT, key))


def loss(layers: Layers, x_BxP: jax.Array, label_B: jax.Array, key: jax.Array) -> jax.Array:
    """The mean cross-entropy with dropout."""
    return cross_entropy(logits(layers, x_BxP, key), label_B)


def train(
    digits: Digits, epochs: int, seed: int = 0, told: Callable[[int, float, float], None] | None = None
) -> dict[str, Dense]:
    """The trained layers; ``told`` hears the epoch, its loss and the test accuracy after it."""
    tested = jax.jit(logits)

    def after_epoch(epoch: int, layers: dict[str, Dense], value: float) -> None:
        if told is not None:
            told(epoch, value, accuracy(tested(layers, digits.test_MxP), digits.test_label_M))

    layers = initial(digits.pixels, seed=seed)
    return fit(loss, layers, digits.train_NxP, digits.train_label_N, epochs=epochs, seed=seed, after_epoch=after_epoch)


def enough_epochs(digits: Digits) -> int:
    """Epochs that make :data:`UPDATES` steps, and five at least."""
    return max(5, round(UPDATES * BATCH / len(digits.train_NxP)))


def summary(layers: dict[str, Dense]) -> str:
    """A table of the layers with the shape of what leaves them and the count of their parameters."""
    rows = [["input", f"(batch, {layers['hidden'].weight_IxO.shape[0]})", "0"]]
    for name, after in (("hidden", ["relu", f"dropout {DROPOUT}"]), ("out", [])):
        layer = layers[name]
        shape = f"(batch, {len(layer.bias_O)})"
        rows += [[f"{name} (dense)", shape, f"{parameters(layer):,}"], *([step, shape, "0"] for step in after)]
    rows.append(["total", "", f"{parameters(layers):,}"])
    return table(["layer", "output", "parameters"], rows)
