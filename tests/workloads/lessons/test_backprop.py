from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lessons.fundamentals.backprop import Weights, backward, forward, loss, softmax

SHAPES = {"hidden_IxH": (6, 5), "hidden_bias_H": (5,), "out_HxC": (5, 3), "out_bias_C": (3,)}


def network(seed: int) -> tuple[Weights, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    weights = Weights(**{name: random.standard_normal(shape) for name, shape in SHAPES.items()})
    return weights, random.standard_normal((8, 6)), random.integers(0, 3, 8)


@jax.jit
@jax.grad
def gradient_by_jax(numbers: dict[str, jax.Array], x_BxI: jax.Array, label_B: jax.Array) -> jax.Array:
    hidden = jax.nn.relu(x_BxI @ numbers["hidden_IxH"] + numbers["hidden_bias_H"])
    scores = jax.nn.log_softmax(hidden @ numbers["out_HxC"] + numbers["out_bias_C"])
    return -scores[jnp.arange(len(label_B)), label_B].mean()


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_by_hand_is_jax_s(seed: int) -> None:
    weights, x_BxI, label_B = network(seed)
    by_hand = backward(weights, forward(weights, x_BxI), label_B)
    for name, theirs in gradient_by_jax(vars(weights), x_BxI, label_B).items():
        np.testing.assert_allclose(getattr(by_hand, name), theirs, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", SHAPES)
def test_the_gradient_by_hand_is_the_slope_that_small_changes_show(name: str) -> None:
    weights, x_BxI, label_B = network(3)
    gradient = getattr(backward(weights, forward(weights, x_BxI), label_B), name)
    for place in np.ndindex(gradient.shape):
        nearby = []
        for change in (1e-5, -1e-5):
            changed = {key: value.copy() for key, value in vars(weights).items()}
            changed[name][place] += change
            nearby.append(loss(Weights(**changed), x_BxI, label_B))
        assert gradient[place] == pytest.approx((nearby[0] - nearby[1]) / 2e-5, abs=1e-8)


def test_steps_against_the_gradient_make_the_loss_small() -> None:
    weights, x_BxI, label_B = network(4)
    for _ in range(400):
        gradient = backward(weights, forward(weights, x_BxI), label_B)
        weights = Weights(**{name: value - 0.2 * getattr(gradient, name) for name, value in vars(weights).items()})
    assert loss(weights, x_BxI, label_B) < 0.1


def test_softmax_makes_probabilities_of_any_logits() -> None:
    probability_BxC = softmax(np.array([[1e5, 1e5, 0.0], [-3.0, 0.0, 3.0]]))
    np.testing.assert_allclose(probability_BxC.sum(axis=1), 1)
    np.testing.assert_allclose(probability_BxC[0], [0.5, 0.5, 0])
