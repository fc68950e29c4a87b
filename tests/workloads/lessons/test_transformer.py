from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lessons.compress.transformer import Normalize, attend, transformer

from .networks import TRANSFORMER, noise

logits = jax.jit(TRANSFORMER.logits)


def test_attention_is_its_formula_for_each_image_and_head() -> None:
    qkv = np.random.default_rng(0).standard_normal((2 * 3, 24)).astype(np.float32)  # 2 images of 3 rows, width 8
    by_hand = np.zeros((2, 3, 8))
    for image in range(2):
        for head in range(2):
            q, k, v = (qkv[3 * image : 3 * image + 3, 8 * part + 4 * head :][:, :4] for part in range(3))
            weights = np.exp(q @ k.T / 2)
            by_hand[image, :, 4 * head : 4 * head + 4] = weights / weights.sum(axis=1, keepdims=True) @ v
    np.testing.assert_allclose(jax.jit(attend, static_argnums=(1, 2))(qkv, 3, 2), by_hand.reshape(6, 8), atol=1e-5)


@pytest.mark.soak
def test_the_order_of_rows_matters_and_that_of_images_does_not() -> None:
    layers, images = TRANSFORMER.initial(0), noise().test_MxP
    given = np.asarray(logits(layers, images))
    assert given.shape == (20, 10)
    np.testing.assert_allclose(logits(layers, images[::-1]), given[::-1], atol=1e-5)
    upside_down = images.reshape(20, 3, 4)[:, ::-1].reshape(20, 12)
    assert np.abs(np.asarray(logits(layers, upside_down)) - given).max() > 1e-3


def test_a_normalized_token_has_the_size_one_whatever_it_had() -> None:
    x = jnp.asarray(np.random.default_rng(0).standard_normal((4, 8)) * np.geomspace(0.1, 1e4, 4)[:, None], jnp.float32)
    np.testing.assert_allclose((np.asarray(Normalize(jnp.ones(8))(x)) ** 2).mean(axis=1), 1, rtol=1e-3)


def test_the_layers_have_the_shapes_of_the_digits() -> None:
    model = transformer(784, 28, width=16, blocks=1)
    shapes = jax.eval_shape(model.logits, model.initial(0), jax.ShapeDtypeStruct((5, 784), jnp.float32))
    assert shapes.shape == (5, 10)
