"""What keeps a network from learning its examples by heart: small weights, few weights, units that may be missing."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def l2_penalty(weight: jax.Array, strength: float) -> jax.Array:
    """``λ Σ w²``. Its gradient ``2 λ w`` shrinks each weight by a share of itself: none becomes exactly zero.

    Some write λ/2 for a gradient without the 2: look before comparing strengths.
    """
    return strength * jnp.sum(weight**2)


def l1_penalty(weight: jax.Array, strength: float) -> jax.Array:
    """``λ Σ |w|``. Its gradient ``λ sign(w)`` pulls with the same force however small a weight is."""
    return strength * jnp.sum(jnp.abs(weight))


def soft_threshold(weight: jax.Array, amount: float) -> jax.Array:
    """``sign(w) max(|w| - amount, 0)``: the step for an L1 penalty that ends at zero, where a gradient step overshoots.

    With amount = rate · λ it is the proximal step (Tibshirani 1996, the lasso; Beck and Teboulle 2009, ISTA).
    """
    return jnp.sign(weight) * jnp.maximum(jnp.abs(weight) - amount, 0)


def dropout(x_BxH: jax.Array, rate: float, key: jax.Array | None) -> jax.Array:
    """Each number is zero with the probability ``rate``, else divided by ``1 - rate``; all pass where there is no key.

    "Inverted" dropout: E[mask / (1 - rate)] = 1, so a unit's expected value is the same in training and in use, and use
    needs no correction (Srivastava et al. 2014, Dropout, section 10).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"a dropout rate is from 0 up to, but not including, 1: {rate}")
    if key is None or rate == 0:
        return x_BxH
    kept = jax.random.bernoulli(key, 1 - rate, x_BxH.shape)
    return jnp.where(kept, x_BxH / (1 - rate), 0)
