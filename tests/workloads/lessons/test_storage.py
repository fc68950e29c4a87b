from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lessons.compress.model import Model, perceptron
from lessons.compress.prune import magnitude_masks, masked
from lessons.compress.quantize import Int8Dense
from lessons.compress.storage import load, save

from .networks import BOTH

LARGE = perceptron(400, hidden=203)  # 203 is no whole number of bytes: a row of bits ends with padding


def same(one: object, other: object) -> None:
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize("model", BOTH, ids=lambda model: model.name)
def test_what_was_stored_is_read_to_the_bit(model: Model, tmp_path: Path) -> None:
    layers = model.initial(0)
    assert save(tmp_path / "file", layers) == (tmp_path / "file").stat().st_size
    same(load(tmp_path / "file"), layers)


def test_a_float32_network_takes_four_bytes_a_number(tmp_path: Path) -> None:
    assert save(tmp_path / "file", LARGE.initial(0)) == pytest.approx(4 * (401 * 203 + 204 * 10), rel=0.01)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 0.99])
def test_a_pruned_network_takes_a_bit_a_weight_and_four_bytes_a_weight_that_stays(share: float, tmp_path: Path) -> None:
    layers = LARGE.initial(0)
    pruned = masked(layers, magnitude_masks(layers, share))
    weights = 400 * 203 + 203 * 10
    stored = save(tmp_path / "file", pruned, sparse=True)
    assert stored == pytest.approx(weights / 8 + 4 * weights * (1 - share) + 4 * 213, rel=0.02, abs=2500)
    same(load(tmp_path / "file"), pruned)


def test_an_int8_network_takes_a_byte_a_weight(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weight, numbers = random.integers(-127, 128, (400, 203)), random.random(203)
    parts = (weight.astype(np.int8), numbers.astype(np.float32), numbers.astype(np.float32), np.float32(0.1))
    small = {"layer": Int8Dense(*map(jnp.asarray, parts))}
    assert save(tmp_path / "file", small) == pytest.approx(400 * 203 + 8 * 203, rel=0.02)
    same(load(tmp_path / "file"), small)
