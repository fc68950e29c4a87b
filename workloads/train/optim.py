"""AdamW with a linear warm-up and a cosine down to a tenth, gradients clipped by their norm."""

from __future__ import annotations

from typing import Any

import jax
import optax

from train.config.settings import TrainConfig


def make_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """The optimizer of a job. What multiplies decays; norms' scales, biases and positions do not."""
    return optax.chain(
        optax.clip_by_global_norm(config.clip_norm),
        optax.adamw(learning_rate(config), b2=0.95, weight_decay=config.weight_decay, mask=_decays),
    )


def warm_up(config: TrainConfig) -> int:
    """Steps until the rate is at its peak: half of all at most, so that it is reached and the cosine has its part."""
    return min(config.warmup_steps, config.steps // 2)


def learning_rate(config: TrainConfig) -> optax.Schedule:
    """The rate at each step. The first has its share of the warm-up, for with a rate of 0 it would learn nothing."""
    warmup_steps = warm_up(config)
    return optax.warmup_cosine_decay_schedule(
        init_value=config.learning_rate / (warmup_steps + 1),
        peak_value=config.learning_rate,
        warmup_steps=warmup_steps,
        decay_steps=config.steps,
        end_value=config.learning_rate / 10,
    )


def _decays(params: Any) -> Any:
    """By name: the bias of fused heads has more than one axis too."""
    return jax.tree_util.tree_map_with_path(
        lambda path, _: not path[-1].key.endswith(("norm", "bias", "positions")), params
    )
