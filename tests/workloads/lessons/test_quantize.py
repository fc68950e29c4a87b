from __future__ import annotations

from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lessons.compress.aware import RoundedDense, aware, plain, rounded, tune
from lessons.compress.model import Model
from lessons.compress.quantize import (
    LEVELS,
    Int8Dense,
    input_ranges,
    int8,
    quantize,
    scale_of,
    weight_scale,
)
from lessons.layers import Dense

from .networks import BOTH, PERCEPTRON, TRANSFORMER, noise


@pytest.mark.parametrize("levels", [1, 3, 127])
def test_rounding_is_off_by_half_a_step_at_most(levels: int) -> None:
    x = np.random.default_rng(0).uniform(-5, 5, 1000).astype(np.float32)
    scale = scale_of(jnp.abs(x).max(), levels)
    integers = np.asarray(quantize(jnp.asarray(x), scale, levels))
    assert integers.dtype == np.int8
    assert (integers.min(), integers.max()) == (-levels, levels)
    assert np.abs(integers * float(scale) - x).max() <= float(scale) / 2 * (1 + 1e-5)
    np.testing.assert_array_equal(quantize(jnp.asarray(-x), scale, levels), -integers)


def test_what_is_beyond_the_range_is_cut_off_and_zeros_stay_zeros() -> None:
    one = jnp.float32(1)
    np.testing.assert_array_equal(quantize(jnp.array([1e9, -1e9, 0.0, 127.4]), one), [127, -127, 0, 127])
    np.testing.assert_array_equal(quantize(jnp.zeros(3), scale_of(jnp.float32(0))), 0)


def test_a_column_of_small_weights_keeps_its_digits_beside_a_large_one() -> None:
    weight = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32) * [1e-4, 1e3]
    scale_O = np.asarray(weight_scale(jnp.asarray(weight)))
    error = np.abs(np.round(weight / scale_O) * scale_O - weight).max(axis=0)
    assert (error <= scale_O / 2 * (1 + 1e-5)).all()
    np.testing.assert_allclose(scale_O, np.abs(weight).max(axis=0) / LEVELS, rtol=1e-6)


def test_the_integer_layer_is_the_sum_over_integers_by_hand() -> None:
    random = np.random.default_rng(0)
    weight, x = random.integers(-127, 128, (300, 4)), random.integers(-127, 128, (5, 300))
    scale_O, bias_O = np.array([0.1, 0.2, 0.3, 0.4], np.float32), np.arange(4, dtype=np.float32)
    layer = Int8Dense(jnp.asarray(weight, jnp.int8), jnp.asarray(scale_O), jnp.asarray(bias_O), jnp.float32(0.5))
    by_hand = (x @ weight) * (0.5 * scale_O) + bias_O  # up to 300 · 127²: no sum of 16 bits would hold it
    np.testing.assert_allclose(layer(jnp.asarray(x * 0.5, jnp.float32)), by_hand, rtol=1e-6)


@pytest.mark.parametrize("model", [PERCEPTRON, pytest.param(TRANSFORMER, marks=pytest.mark.soak)])
def test_calibration_sees_the_largest_input_of_each_layer(model: Model) -> None:
    digits = noise()
    ranges = input_ranges(model, model.initial(0), digits.train_NxP)
    assert set(ranges) == set(model.initial(0))
    assert float(ranges[next(iter(model.initial(0)))]) == digits.train_NxP.max()


@pytest.mark.soak
@pytest.mark.parametrize("model", BOTH, ids=lambda model: model.name)
def test_a_network_in_integers_says_what_it_said_in_float32(model: Model) -> None:
    layers, digits = model.initial(0), noise()
    small = int8(layers, input_ranges(model, layers, digits.train_NxP))
    assert {name for name in small if isinstance(small[name], Int8Dense)} == {
        name for name in layers if isinstance(layers[name], Dense)
    }
    logits = jax.jit(model.logits)
    before, after = logits(layers, digits.test_MxP), logits(small, digits.test_MxP)
    assert float(jnp.abs(after - before).max()) < 0.05 * float(jnp.abs(before).max())
    assert not np.array_equal(before, after)


@pytest.mark.soak
def test_training_feels_the_very_rounding_that_the_integers_bring() -> None:
    layers, digits = PERCEPTRON.initial(0), noise()
    ranges = input_ranges(PERCEPTRON, layers, digits.train_NxP)
    rounding, logits = aware(layers, ranges), jax.jit(PERCEPTRON.logits)
    in_integers = int8(plain(rounding), ranges)
    np.testing.assert_allclose(
        logits(rounding, digits.test_MxP), logits(in_integers, digits.test_MxP), rtol=1e-4, atol=1e-5
    )


def test_the_slope_of_rounding_is_one_within_the_range_and_zero_beyond() -> None:
    slope = jax.jit(jax.vmap(jax.grad(lambda x: rounded(x, jnp.float32(0.1), levels=3))))
    np.testing.assert_array_equal(slope(jnp.array([-9.0, -0.26, 0.0, 0.14, 0.34, 0.36])), [0, 1, 1, 1, 1, 0])


@pytest.mark.parametrize("levels", [3, LEVELS])
def test_the_largest_weight_of_each_column_learns_as_the_others_do(levels: int) -> None:
    weight_IxO = jnp.asarray(np.random.default_rng(0).standard_normal((20, 50)), jnp.float32)
    slope = jax.jit(jax.grad(lambda weight: rounded(weight, weight_scale(weight_IxO, levels), levels).sum()))
    np.testing.assert_array_equal(slope(weight_IxO), 1)


@pytest.mark.soak
def test_tuning_moves_the_weights_and_leaves_the_scales_of_inputs() -> None:
    layers, digits = PERCEPTRON.initial(0), noise()
    before = aware(layers, input_ranges(PERCEPTRON, layers, digits.train_NxP), levels=3)
    after = tune(PERCEPTRON, before, digits, epochs=2)
    for name, layer in cast("dict[str, RoundedDense]", before).items():
        tuned = cast("RoundedDense", after[name])
        assert float(tuned.input_scale) == float(layer.input_scale)
        assert not np.array_equal(tuned.dense.weight_IxO, layer.dense.weight_IxO)
