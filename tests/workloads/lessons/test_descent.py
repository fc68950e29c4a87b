from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lessons.fundamentals.descent import LOWEST, batches, bowl, bowl_gradient, fit_line, gradient_of_line, step

START = np.array([2.0, 3.0])


def test_the_step_of_the_example_comes_to_where_the_example_says() -> None:
    np.testing.assert_allclose(step(START, bowl_gradient(START), rate=0.1), [1.8, 2.8], rtol=1e-15)


def test_the_gradient_of_the_example_is_jax_s() -> None:
    by_jax = jax.jit(jax.grad(lambda point: jnp.sum((point - LOWEST) ** 2)))(START)
    np.testing.assert_array_equal(bowl_gradient(START), by_jax)
    np.testing.assert_array_equal(bowl_gradient(START), [2, 2])


def test_the_sum_of_squares_would_not_make_the_example_s_step() -> None:
    np.testing.assert_allclose(step(START, 2 * START, rate=0.1), [1.6, 2.4])


def test_each_step_of_the_example_keeps_four_fifths_of_the_way_to_the_lowest_point() -> None:
    point = START
    for number in range(1, 50):
        point = step(point, bowl_gradient(point), rate=0.1)
        np.testing.assert_allclose(point - LOWEST, 0.8**number * (START - LOWEST))
    assert bowl(point) < 1e-8


@pytest.mark.parametrize(("rate", "grows"), [(0.99, False), (1.01, True)])
def test_a_rate_beyond_two_over_the_curvature_makes_steps_grow(rate: float, grows: bool) -> None:
    assert (bowl(step(START, bowl_gradient(START), rate)) > bowl(START)) == grows


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_an_epoch_sees_each_sample_once(count: int, size: int, seed: int) -> None:
    size = min(size, count)
    seen = list(batches(count, size, np.random.default_rng(seed)))
    assert sorted(np.concatenate(seen)) == list(range(count))
    assert [len(batch) for batch in seen[:-1]] == [size] * (len(seen) - 1)


@pytest.mark.parametrize("size", [0, -1, 6])
def test_a_batch_that_cannot_be_drawn_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="has 1 to 5 of them"):
        list(batches(5, size, np.random.default_rng(0)))


def line(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x_NxF = random.standard_normal((120, 2))
    return x_NxF, x_NxF @ [1.5, -2.0] + 0.7 + random.normal(0, noise, 120)


def test_the_gradient_of_a_line_is_jax_s() -> None:
    x_NxF, y_N = line(noise=0.3)
    weight, bias = np.array([0.3, -0.1]), 0.2
    by_jax = jax.jit(jax.grad(lambda w, b: jnp.mean((x_NxF @ w + b - y_N) ** 2), argnums=(0, 1)))(weight, bias)
    for ours, theirs in zip(gradient_of_line(x_NxF, y_N, weight, bias), by_jax, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(("batch", "rate"), [(120, 0.2), (12, 0.05), (1, 0.02)])
def test_every_descent_finds_the_line_of_clean_data(batch: int, rate: float) -> None:
    found = fit_line(*line(), batch=batch, rate=rate, epochs=60)
    np.testing.assert_allclose([*found.weight_F, found.bias], [1.5, -2.0, 0.7], atol=1e-3)


def test_batch_descent_never_loses_ground_and_takes_one_step_an_epoch() -> None:
    x_NxF, y_N = line(noise=0.3)
    losses = fit_line(x_NxF, y_N, batch=120, rate=0.1, epochs=40).epoch_losses
    assert len(losses) == 40
    assert all(later < earlier for earlier, later in pairwise(losses))
    weight_gradient, bias_gradient = gradient_of_line(x_NxF, y_N, np.zeros(2), 0.0)
    once = fit_line(x_NxF, y_N, batch=120, rate=0.1, epochs=1)
    np.testing.assert_allclose([*once.weight_F, once.bias], [*(-0.1 * weight_gradient), -0.1 * bias_gradient])


def test_more_steps_an_epoch_learn_more_in_an_epoch_and_end_noisier() -> None:
    x_NxF, y_N = line(noise=0.3)
    whole, few, single = (
        fit_line(x_NxF, y_N, batch=batch, rate=0.05, epochs=40).epoch_losses for batch in (120, 12, 1)
    )
    assert single[0] < few[0] < whole[0]
    assert np.std(single[20:]) > 10 * np.std(few[20:])


def test_the_same_seed_is_the_same_descent() -> None:
    one, same, other = (
        fit_line(*line(0.3), batch=7, rate=0.05, epochs=3, seed=seed).epoch_losses for seed in (1, 1, 2)
    )
    assert one == same != other
