from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lessons.fundamentals.activations import relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope

ANY = st.floats(allow_nan=False, allow_infinity=False)


@given(ANY)
def test_the_sigmoid_is_a_probability_symmetric_about_a_half_and_never_overflows(x: float) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        there, opposite = float(sigmoid(np.array(x))), float(sigmoid(np.array(-x)))
    assert 0 <= there <= 1
    assert there + opposite == pytest.approx(1, abs=1e-15)


@given(ANY)
def test_the_hyperbolic_tangent_is_numpy_s_and_keeps_the_digits_of_small_numbers(x: float) -> None:
    with np.errstate(over="raise", invalid="raise"):
        assert float(tanh(np.array(x))) == pytest.approx(np.tanh(x), rel=1e-14, abs=0)


@given(st.floats(-300, 300))
def test_the_hyperbolic_tangent_is_a_stretched_sigmoid(x: float) -> None:
    assert float(tanh(np.array(x))) == pytest.approx(2 * float(sigmoid(np.array(2 * x))) - 1, abs=1e-15)


@given(ANY)
def test_relu_passes_what_is_positive_and_nothing_else(x: float) -> None:
    assert float(relu(np.array(x))) == (x if x > 0 else 0)


@pytest.mark.parametrize(
    ("theirs", "slope"),
    [
        (jax.nn.sigmoid, lambda x: sigmoid_slope(sigmoid(x))),
        (jnp.tanh, lambda x: tanh_slope(tanh(x))),
        (jax.nn.relu, relu_slope),
    ],
)
def test_the_slopes_are_jax_s(
    theirs: Callable[[jax.Array], jax.Array], slope: Callable[[np.ndarray], np.ndarray]
) -> None:
    x = np.array([-30.0, -2.0, -1e-3, 0.0, 1e-3, 1.0, 30.0])
    np.testing.assert_allclose(slope(x), jax.jit(jax.vmap(jax.grad(theirs)))(x), atol=1e-6)


def test_a_sigmoid_hands_on_a_quarter_of_the_gradient_at_most() -> None:
    slopes = sigmoid_slope(sigmoid(np.linspace(-5, 5, 101)))
    assert slopes.max() == slopes[50] == 0.25
