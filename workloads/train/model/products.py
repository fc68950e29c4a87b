"""Products whose result and whose gradients are of the type and layout that are asked for."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp


def product(spec: str, dtype: jnp.dtype, a: jax.Array, b: jax.Array) -> jax.Array:
    """``einsum`` of two, as ``dtype``; float32 is what chips add up in, so that nothing is rounded.

    Its gradients are of the type of ``a`` and ``b``: of a float32 product JAX's own would be float32 products, which
    chips compute many times slower. That of ``b`` comes with its axes in place: JAX's own is transposed, which for a
    weight of three axes takes a CPU a tenth of a step.
    """
    made: Any = _product(spec, dtype, a, b)
    return made


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _product(spec: str, dtype: jnp.dtype, a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.einsum(spec, a, b, preferred_element_type=dtype)


def _forward(spec: str, dtype: jnp.dtype, a: jax.Array, b: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
    return _product(spec, dtype, a, b), (a, b)


def _backward(
    spec: str, _: jnp.dtype, operands: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    (a, b), (inputs, of_out) = operands, spec.split("->")
    of_a, of_b = inputs.split(",")
    gradient = gradient.astype(a.dtype)
    return jnp.einsum(f"{of_out},{of_b}->{of_a}", gradient, b), jnp.einsum(f"{of_a},{of_out}->{of_b}", a, gradient)


_product.defvjp(_forward, _backward)
