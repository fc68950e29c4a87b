from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons.fundamentals.regularization import dropout, l1_penalty, l2_penalty, soft_threshold

WEIGHT = jnp.array([-0.5, -0.05, 0.01, 0.3])
PULL = {penalty: jax.jit(jax.grad(penalty)) for penalty in (l1_penalty, l2_penalty)}


def test_the_penalties_are_the_sums_of_their_formulas() -> None:
    assert float(l1_penalty(WEIGHT, 0.1)) == pytest.approx(0.1 * 0.86)
    assert float(l2_penalty(WEIGHT, 0.1)) == pytest.approx(0.1 * (0.25 + 0.0025 + 0.0001 + 0.09))


def test_one_pulls_all_weights_alike_and_the_other_by_their_size() -> None:
    np.testing.assert_allclose(PULL[l1_penalty](WEIGHT, 0.1), 0.1 * np.sign(WEIGHT), rtol=1e-6)
    np.testing.assert_allclose(PULL[l2_penalty](WEIGHT, 0.1), 0.2 * np.asarray(WEIGHT), rtol=1e-6)


def test_an_l1_penalty_ends_with_zeros_and_an_l2_penalty_does_not() -> None:
    by_l1 = by_l2 = WEIGHT
    for _ in range(100):
        by_l1, by_l2 = soft_threshold(by_l1, 0.01), by_l2 - 0.01 * PULL[l2_penalty](by_l2, 1.0)
    assert not np.any(by_l1)
    assert np.all(np.asarray(by_l2) != 0)


@settings(max_examples=30, deadline=None)
@given(st.floats(-10, 10, width=32), st.floats(0, 5, width=32))
def test_a_soft_threshold_is_the_best_of_all_points_for_its_penalty(weight: float, amount: float) -> None:
    def cost(point: np.ndarray) -> np.ndarray:
        return 0.5 * (point - weight) ** 2 + amount * np.abs(point)

    found = np.asarray(soft_threshold(jnp.float32(weight), amount))
    assert cost(found) <= cost(np.linspace(-11, 11, 2001)).min() + 1e-5


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_dropout_keeps_what_a_unit_is_expected_to_be(rate: float) -> None:
    x = np.random.default_rng(0).uniform(1, 2, 10).astype(np.float32)
    key = jax.random.key(0, impl="rbg")  # it compiles in a quarter of the time
    many = np.asarray(dropout(jnp.broadcast_to(x, (20_000, 10)), rate, key))
    error = 2 * np.sqrt(rate / (1 - rate) / 20_000)  # the standard error of the mean of 20,000, for numbers up to 2
    np.testing.assert_allclose(many.mean(axis=0), x, atol=5 * float(error))
    assert float((many == 0).mean()) == pytest.approx(rate, abs=0.01)
    assert many[many != 0].min() >= 1 / (1 - rate) - 1e-6


def test_nothing_is_dropped_in_use() -> None:
    np.testing.assert_array_equal(dropout(WEIGHT, 0.5, None), WEIGHT)
    np.testing.assert_array_equal(dropout(WEIGHT, 0.0, jax.random.key(0)), WEIGHT)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_a_rate_that_leaves_nothing_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="dropout rate"):
        dropout(WEIGHT, rate, jax.random.key(0))
