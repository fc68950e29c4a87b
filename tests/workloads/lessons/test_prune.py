from __future__ import annotations

from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lessons.compress.model import Model
from lessons.compress.prune import magnitude_masks, masked, tune, without_units
from lessons.layers import Dense, parameters

from .networks import PERCEPTRON, TRANSFORMER, noise


def weight(layers: object, name: str) -> np.ndarray:
    return np.asarray(cast("dict[str, Dense]", layers)[name].weight_IxO)


@pytest.mark.parametrize("share", [0, 0.5, 0.8, 0.99])
def test_the_smallest_weights_go_and_the_largest_stay_as_they_are(share: float) -> None:
    layers = PERCEPTRON.initial(0)
    pruned = masked(layers, magnitude_masks(layers, share))
    for name in layers:
        before, after = weight(layers, name), weight(pruned, name)
        assert np.count_nonzero(after) == before.size - int(share * before.size)
        np.testing.assert_array_equal(after[after != 0], before[after != 0])
        gone = np.abs(before[after == 0])
        assert gone.max(initial=0) <= np.abs(before[after != 0]).min()


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_leaves_no_network_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share of weights to prune"):
        magnitude_masks(PERCEPTRON.initial(0), share)


@pytest.mark.soak
def test_tuning_changes_what_stays_and_revives_nothing() -> None:
    layers, digits = PERCEPTRON.initial(0), noise()
    masks = magnitude_masks(layers, 0.8)
    tuned = tune(PERCEPTRON, layers, masks, digits, epochs=3)
    for name in layers:
        np.testing.assert_array_equal(weight(tuned, name) != 0, np.asarray(masks[name]) != 0)
        assert not np.array_equal(weight(tuned, name), weight(masked(layers, masks), name))


@pytest.mark.parametrize("model", [PERCEPTRON, pytest.param(TRANSFORMER, marks=pytest.mark.soak)])
def test_units_that_do_nothing_go_first_and_nobody_notices(model: Model) -> None:
    layers = model.initial(0)
    maker, reader = model.channels[0]
    half = len(cast("Dense", layers[maker]).bias_O) // 2
    layers[reader] = Dense(jnp.asarray(weight(layers, reader)).at[:half].set(0), cast("Dense", layers[reader]).bias_O)
    smaller = without_units(model, layers, 0.5)
    assert weight(smaller, maker).shape[1] == weight(smaller, reader).shape[0] == half
    assert parameters(smaller) < parameters(layers)
    logits = jax.jit(model.logits)
    np.testing.assert_allclose(logits(smaller, noise().test_MxP), logits(layers, noise().test_MxP), atol=1e-5)


def test_scaling_a_unit_up_and_its_reader_down_changes_nothing_of_what_goes() -> None:
    layers = PERCEPTRON.initial(0)
    scale = np.geomspace(0.01, 100, 8).astype(np.float32)
    hidden, out = cast("Dense", layers["hidden"]), cast("Dense", layers["out"])
    scaled = {
        "hidden": Dense(hidden.weight_IxO * scale, hidden.bias_O * scale),
        "out": Dense(out.weight_IxO / scale[:, None], out.bias_O),
    }
    logits, x = jax.jit(PERCEPTRON.logits), noise().test_MxP
    one, other = (without_units(PERCEPTRON, given, 0.5) for given in (layers, scaled))
    np.testing.assert_allclose(logits(one, x), logits(other, x), atol=1e-4)


def test_only_the_layers_of_a_channel_shrink() -> None:
    layers = TRANSFORMER.initial(0)
    smaller = without_units(TRANSFORMER, layers, 0.5)
    changed = {name for name in layers if parameters(layers[name]) != parameters(smaller[name])}
    assert changed == {"up0", "down0"}
