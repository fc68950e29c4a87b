"""Devices stand in line by process, and what they share they share: nobody gathers a weight or computes it all."""

from __future__ import annotations

import re
from functools import cache
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train.config.settings import ModelConfig
from train.model.transformer import Transformer, initial
from train.parallel.mesh import arrange, in_line, make_mesh, shardings, split
from train.train import _HURRY as HURRY

# No two sizes are alike, so that a shape says what it is of.
SHAPE = {"layers": 1, "width": 48, "heads": 8, "kv_heads": 4, "hidden": 80, "context": 20, "vocabulary": 272}
CONFIGS = {name: ModelConfig.model_validate({"architecture": name, **SHAPE}) for name in ("llama", "gpt2")}
ROWS = 6


def test_devices_stand_in_line_by_process_and_in_jax_s_order_within_each() -> None:
    given = [SimpleNamespace(id=number, process_index=process) for number, process in [(3, 1), (2, 0), (0, 1), (1, 0)]]
    assert [device.id for device in in_line(given)] == [2, 1, 3, 0]


@cache
def program(architecture: str, devices: int) -> Any:
    """The compiled gradient of a model whose products ``devices`` share."""
    config = CONFIGS[architecture]
    line = jax.sharding.Mesh(make_mesh().devices[:devices], make_mesh().axis_names)
    mesh = arrange(line, fsdp=1, tensor=devices)
    rows = split(mesh)
    model = Transformer(
        config, jnp.dtype(jnp.float32), constrain=lambda x_NxD: jax.lax.with_sharding_constraint(x_NxD, rows)
    )
    params = initial(config, 0)
    where = shardings(mesh, params)
    gradient = jax.jit(
        jax.grad(lambda params, tokens: model.loss_B(params, tokens).mean()),
        in_shardings=(where, rows),
        out_shardings=where,
        compiler_options=HURRY,
    )
    return gradient.lower(params, np.zeros((ROWS, config.context + 1), np.int32)).compile()


@pytest.mark.parametrize("architecture", CONFIGS)
def test_each_of_two_devices_that_share_products_computes_half_of_them(architecture: str) -> None:
    alone, shared = (program(architecture, devices).cost_analysis()["flops"] for devices in (1, 2))
    assert shared < 0.55 * alone


@pytest.mark.parametrize("architecture", CONFIGS)
def test_devices_that_share_products_gather_no_weight_and_no_head(architecture: str) -> None:
    """Only the stream, and what each of them holds in full."""
    found = re.findall(r"= f32\[([\d,]+)\]\S* all-gather(?:-start)?\(", program(architecture, 2).as_text())
    T, D = SHAPE["context"], SHAPE["width"]
    assert found
    assert {tuple(map(int, shape.split(","))) for shape in found} <= {(ROWS, T, D), (ROWS * T, D), (T, D), (D,)}
