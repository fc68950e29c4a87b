"""The optimizer as a job makes it: its rates, what it clips and what decays."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from train.config.settings import TrainConfig
from train.optim import learning_rate, make_optimizer

CONFIG = TrainConfig(steps=40, warmup_steps=4, learning_rate=1e-2, weight_decay=0.5, clip_norm=2.0)


def params() -> dict[str, Any]:
    """One of each that the models have, the bias of fused heads with its two axes."""
    shapes = {"embed": (3, 2), "qkv": (2, 3), "qkv_bias": (3, 2), "norm": (2,), "positions": (3, 2)}
    return {name: np.full(shape, 3.0, np.float32) for name, shape in shapes.items()}


def rate(config: TrainConfig, step: int) -> float:
    return float(np.asarray(learning_rate(config)(step)))


@cache
def updated() -> Any:
    """The parameters after one step with gradients of -1, 1, -1, …"""
    before = params()
    gradient = jax.tree.map(lambda leaf: np.resize([-1.0, 1.0], leaf.shape).astype(np.float32), before)
    optimizer = make_optimizer(CONFIG)

    def step(before: Any) -> Any:
        updates, _ = optimizer.update(gradient, optimizer.init(before), before)
        return optax.apply_updates(before, updates)

    return jax.tree.map(np.asarray, jax.jit(step)(before))


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.2), (1, 0.4), (3, 0.8), (4, 1.0), (22, 0.55), (39, 0.1017), (40, 0.1), (99, 0.1)]
)
def test_the_rate_rises_to_its_peak_and_falls_along_a_cosine_to_a_tenth(step: int, share: float) -> None:
    assert rate(CONFIG, step) == pytest.approx(share * CONFIG.learning_rate, rel=1e-3)


@pytest.mark.parametrize(("steps", "warmup_steps"), [(40, 0), (1, 5), (3, 100)])
def test_there_is_a_first_rate_however_short_the_training(steps: int, warmup_steps: int) -> None:
    config = TrainConfig(steps=steps, warmup_steps=warmup_steps, learning_rate=1e-2)
    assert [rate(config, step) > 1e-3 - 1e-9 for step in range(steps)] == [True] * steps


def test_the_first_step_changes_every_parameter() -> None:
    after = updated()
    assert all((after[name] != before).all() for name, before in params().items())


def test_what_multiplies_decays_and_nothing_else() -> None:
    """Adam's first step is the sign of the gradient, whatever its size: what is more is the decay."""
    first = rate(CONFIG, 0)
    decay = {}
    for name, after in updated().items():
        signs = np.resize([-1.0, 1.0], after.shape)
        decay[name] = np.unique(np.round((3.0 - after - first * signs) / first, 3))
    assert {name: pytest.approx(values) for name, values in decay.items()} == {
        "embed": [1.5], "qkv": [1.5], "qkv_bias": [0.0], "norm": [0.0], "positions": [0.0],
    }  # fmt: skip


def test_a_gradient_of_a_larger_norm_counts_as_one_of_the_norm_that_is_given() -> None:
    optimizer, before = make_optimizer(CONFIG), params()
    count = sum(leaf.size for leaf in before.values())

    @jax.jit
    def mean_of(scale: float) -> jax.Array:
        """What Adam's mean takes from one gradient: a tenth."""
        gradient = jax.tree.map(lambda leaf: jnp.full_like(leaf, scale), before)
        state: Any = optimizer.update(gradient, optimizer.init(before), before)[1]
        return state[1][0].mu["norm"][0]

    largest = CONFIG.clip_norm / count**0.5
    assert float(mean_of(1e3)) == pytest.approx(0.1 * largest, rel=1e-5)
    assert float(mean_of(largest / 2)) == pytest.approx(0.05 * largest, rel=1e-5)
