from __future__ import annotations

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from train.config import ModelConfig
from train.model import attend, compute_dtype, rotate
from train.train import _HURRY as HURRY
from train.train import FlatModel

CONFIG = ModelConfig(layers=2, width=16, heads=2, context=12)


@cache
def model() -> tuple[FlatModel, jax.Array]:
    flat = FlatModel(CONFIG, jnp.dtype(jnp.float32))
    return flat, jnp.asarray(flat.initial(0))


@cache
def compiled() -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The model as one program: compiling each of its operations alone takes ten times as long."""
    return jax.jit(model()[0].logits, compiler_options=HURRY)


def logits(tokens: jax.Array) -> jax.Array:
    return compiled()(model()[1], tokens)


def tokens(seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).integers(0, CONFIG.vocabulary, (3, CONFIG.context)), jnp.int32)


def test_no_prediction_depends_on_what_follows() -> None:
    before = tokens()
    after = before.at[:, 7:].set(tokens(1)[:, 7:])
    here, there = logits(before), logits(after)
    np.testing.assert_allclose(here[:, :7], there[:, :7], atol=1e-5)
    assert float(jnp.abs(here[:, 7:] - there[:, 7:]).max()) > 0.01


def test_every_prediction_depends_on_what_came_before() -> None:
    changed = tokens().at[:, 0].add(1) % CONFIG.vocabulary
    difference = jnp.abs(logits(tokens()) - logits(changed)).max(axis=(0, 2))
    assert float(difference.min()) > 1e-4


def test_the_model_gives_a_logit_for_each_byte_in_float32() -> None:
    given = logits(tokens())
    assert (given.shape, given.dtype) == ((3, CONFIG.context, CONFIG.vocabulary), jnp.float32)


def test_an_untrained_model_knows_little_more_than_chance() -> None:
    flat, params = model()
    loss = float(jax.jit(flat.loss, compiler_options=HURRY)(params, tokens()))
    assert abs(loss - np.log(CONFIG.vocabulary)) < 1


def test_the_parameters_are_the_same_wherever_they_are_made() -> None:
    flat, params = model()
    np.testing.assert_array_equal(FlatModel(CONFIG, jnp.dtype(jnp.float32)).initial(0), params)
    assert not np.array_equal(flat.initial(1), params)


def test_the_product_of_rotated_vectors_depends_on_their_distance_only() -> None:
    query, key = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)
    everywhere = [rotate(jnp.broadcast_to(vector, (1, 20, 1, 8)))[0, :, 0] for vector in (query, key)]
    products = np.asarray(everywhere[0] @ everywhere[1].T)
    for distance in range(-6, 7):
        np.testing.assert_allclose(np.diagonal(products, distance), products.diagonal(distance)[0], atol=1e-4)
    assert np.ptp(products[10]) > 0.1


def test_rotation_keeps_lengths_and_leaves_the_first_position_alone() -> None:
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 9, 3, 8)), jnp.float32)
    np.testing.assert_allclose(jnp.linalg.norm(rotate(x), axis=-1), jnp.linalg.norm(x, axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(rotate(x)[:, 0], x[:, 0])


def test_attention_averages_what_it_may_see() -> None:
    zeros = jnp.zeros((1, 4, 1, 2))
    values = jnp.arange(4.0).reshape(1, 4, 1, 1).repeat(2, axis=3)
    np.testing.assert_allclose(attend(zeros, zeros, values)[0, :, 0, 0], [0, 0.5, 1, 1.5], atol=1e-6)


def test_only_chips_that_multiply_bfloat16_fast_compute_in_it() -> None:
    assert compute_dtype("cpu") == jnp.float32
    assert {compute_dtype("gpu"), compute_dtype("tpu")} == {jnp.dtype(jnp.bfloat16)}
