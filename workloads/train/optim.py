"""AdamW with a linear warm-up and a cosine down to a tenth, gradients clipped by their norm."""

from __future__ import annotations

import optax

from train.config import TrainConfig


def make_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """The optimizer of a job, for parameters that are one vector: all of them decay, the norms' scales too."""
    rate = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=config.learning_rate,
        warmup_steps=min(config.warmup_steps, config.steps // 2),
        decay_steps=config.steps,
        end_value=config.learning_rate / 10,
    )
    return optax.chain(
        optax.clip_by_global_norm(config.clip_norm),
        optax.adamw(rate, b2=0.95, weight_decay=config.weight_decay),
    )
