from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from train.model.products import product

FLOAT32 = jnp.dtype(jnp.float32)
SPEC = "nd,dcf->ncf"


def operands(dtype: jnp.dtype | type) -> tuple[jax.Array, jax.Array]:
    random = np.random.default_rng(0)
    return jnp.asarray(random.standard_normal((5, 7)), dtype), jnp.asarray(random.standard_normal((7, 2, 3)), dtype)


def total(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.sin(product(SPEC, FLOAT32, a, b)).sum()


def test_a_product_of_bfloat16_is_as_exact_as_float32() -> None:
    a, b = operands(jnp.bfloat16)
    given = product(SPEC, FLOAT32, a, b)
    assert given.dtype == jnp.float32
    np.testing.assert_allclose(
        given, np.einsum(SPEC, *(np.asarray(each, np.float64) for each in (a, b))), rtol=1e-5, atol=1e-5
    )


def test_its_gradient_is_that_of_einsum() -> None:
    a, b = operands(jnp.float32)
    usual = jax.grad(lambda a, b: jnp.sin(jnp.einsum(SPEC, a, b)).sum(), (0, 1))(a, b)
    for given, wanted in zip(jax.grad(total, (0, 1))(a, b), usual, strict=True):
        np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-6)


def test_no_product_of_the_way_back_is_of_float32() -> None:
    program = jax.make_jaxpr(jax.grad(total, (0, 1)))(*operands(jnp.bfloat16))
    products = [equation for equation in program.eqns if equation.primitive.name == "dot_general"]
    assert len(products) >= 2
    assert {value.aval.dtype for equation in products for value in equation.invars} == {jnp.dtype(jnp.bfloat16)}
