"""Runs the lesson on fundamentals and prints each number that it teaches, computed there and then."""

from __future__ import annotations

import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from lessons.fundamentals import activations, backprop, descent, digits, losses, mlp, regularization
from lessons.table import table
from lessons.tensorboard import scalars


def teach(data: Path | None, logs: Path | None, epochs: int | None, seed: int) -> None:
    """Print the lesson; the network is trained on the digits in ``data``, or on those that scikit-learn ships."""
    given = digits.load(data, seed)  # first: what is wrong with it should be said before anything else
    for title, text in (
        ("Losses", _losses()),
        ("Activations", _activations()),
        ("A step of gradient descent", _two_parameters()),
        ("Batch, stochastic and mini-batch descent", _descents(seed)),
        ("Backward by hand", _backward(seed)),
        ("Regularization", _regularization(seed)),
    ):
        print(f"{_heading(title)}\n\n{text}\n")
    _network(given, logs, epochs or mlp.enough_epochs(given), seed)


def _losses() -> str:
    target, predicted = [0, 1, 1], [0.2, 0.8, 0.9]
    categorical, binary = losses.cross_entropy(target, predicted), losses.binary_cross_entropy(target, predicted)
    return (
        f"mean squared error of [3, 5, 7] against [2, 6, 8]: {losses.mean_squared_error([3, 5, 7], [2, 6, 8]):g}\n"
        f"cross-entropy of {target} against {predicted}, in nats:\n"
        f"  categorical: sum {categorical:.4f}, mean {categorical / 3:.4f}\n"
        f"  binary:      sum {binary:.4f}, mean {binary / 3:.4f}\n"
        "  0.189, which is sometimes printed for it, is none of them"
    )


def _activations() -> str:
    x = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])
    s, t = activations.sigmoid(x), activations.tanh(x)
    columns = [x, s, activations.sigmoid_slope(s), t, activations.tanh_slope(t), activations.relu(x)]
    rows = np.stack([*columns, activations.relu_slope(x)], axis=1)
    header = ["x", "sigmoid", "slope", "tanh", "slope", "relu", "slope"]
    return table(header, [[f"{number:.4g}" for number in row] for row in rows])


def _two_parameters() -> str:
    start = np.array([2.0, 3.0])
    gradient = descent.bowl_gradient(start)
    there = descent.step(start, gradient, rate=0.1)
    return (
        f"f(a, b) = (a - 1)² + (b - 2)² at {_point(start)}: {descent.bowl(start):g}, gradient {_point(gradient)}\n"
        f"one step at the rate 0.1 comes to {_point(there)}: {descent.bowl(there):g}"
    )


def _descents(seed: int) -> str:
    random = np.random.default_rng(seed)
    x_NxF = random.standard_normal((200, 3))
    y_N = x_NxF @ [1.5, -2.0, 0.5] + 0.7 + random.normal(0, 0.1, 200)
    kinds = (("batch", 200, 0.1), ("mini-batch", 20, 0.05), ("stochastic", 1, 0.01))
    fits = [descent.fit_line(x_NxF, y_N, batch=batch, rate=rate, epochs=5, seed=seed) for _, batch, rate in kinds]
    rows = [
        [name, str(batch), f"{rate:g}", *(f"{loss:.4f}" for loss in fit.epoch_losses)]
        for (name, batch, rate), fit in zip(kinds, fits, strict=True)
    ]
    line = (
        "A line is fitted to 200 samples with noise of the variance 0.01; the mean squared error after each epoch:\n\n"
    )
    return line + table(["descent", "batch", "rate", *(f"epoch {number}" for number in range(1, 6))], rows)


def _backward(seed: int) -> str:
    random = np.random.default_rng(seed)
    weights = backprop.Weights(*(random.standard_normal(shape) for shape in ((6, 5), (5,), (5, 3), (3,))))
    x_BxI, label_B = random.standard_normal((8, 6)), random.integers(0, 3, 8)
    by_hand = backprop.backward(weights, backprop.forward(weights, x_BxI), label_B)

    def loss(numbers: dict[str, jax.Array]) -> jax.Array:
        hidden = jax.nn.relu(x_BxI @ numbers["hidden_IxH"] + numbers["hidden_bias_H"])
        scores = jax.nn.log_softmax(hidden @ numbers["out_HxC"] + numbers["out_bias_C"])
        return -scores[jnp.arange(len(label_B)), label_B].mean()

    by_jax = jax.jit(jax.grad(loss))({name: jnp.asarray(value) for name, value in vars(weights).items()})
    difference = max(float(np.abs(getattr(by_hand, name) - value).max()) for name, value in by_jax.items())
    return f"the gradient by hand differs from jax.grad's by {difference:.1e} at most, in numbers of 32 bits"


def _regularization(seed: int) -> str:
    weight = jnp.array([-0.5, -0.05, 0.01, 0.3])
    penalties = (regularization.l1_penalty, regularization.l2_penalty)
    l1, l2 = (jax.jit(jax.grad(penalty))(weight, 0.1) for penalty in penalties)
    shrunk = regularization.soft_threshold(weight, 0.1)
    ones = np.ones((1000, 100), np.float32)
    dropped = np.asarray(jax.jit(regularization.dropout, static_argnums=1)(ones, mlp.DROPOUT, jax.random.key(seed)))
    zeros, mean = float((dropped == 0).mean()), float(dropped.mean())
    return (
        f"weights {_point(weight)}, λ = 0.1\n"
        f"L1 pulls by {_point(l1)}, L2 by {_point(l2)}\n"
        f"a proximal L1 step of 0.1 comes to {_point(shrunk)}: small weights are gone\n"
        f"dropout {mlp.DROPOUT} of ones: {zeros:.1%} are zero, the mean is {mean:.4f}"
    )


def _network(given: digits.Digits, logs: Path | None, epochs: int, seed: int) -> None:
    print(
        f"{_heading('A network that reads digits')}\n\n{given.source}: {len(given.train_NxP):,} to train on, ", end=""
    )
    print(f"{len(given.test_MxP):,} held out; {given.pixels} pixels\n\n{mlp.summary(mlp.initial(given.pixels))}\n")
    began, last = time.perf_counter(), 0.0
    with scalars(logs) as log:

        def told(epoch: int, loss: float, right: float) -> None:
            nonlocal last
            last = right
            log(epoch, loss=loss, test_accuracy=right)
            if epoch in (1, 2, 3, 5, 10, epochs) or epoch % 20 == 0:
                print(f"epoch {epoch:3}  loss {loss:.4f}  test accuracy {right:.2%}", flush=True)

        mlp.train(given, epochs, seed, told)
    print(f"\n{last:.2%} of the held-out digits are read, after {time.perf_counter() - began:.1f} s")


def _point(numbers: object) -> str:
    return f"({', '.join(f'{number + 0.0:g}' for number in np.asarray(numbers))})"  # + 0.0: minus zero is zero


def _heading(title: str) -> str:
    return f"{title}\n{'=' * len(title)}"
