"""The formulas give what their sources say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.sizing import formulas
from operations.sizing.model import ModelShape, Precision

GPT3 = ModelShape(parameters=175 * 10**9, layers=96, width=12288, sequence=2048)


def test_gpt3_takes_the_work_that_its_paper_says() -> None:
    # Brown et al. 2020, table D.1: 3.14e23 FLOP for 300 billion tokens.
    assert formulas.parameter_flops(GPT3, 300 * 10**9) == pytest.approx(3.14e23, rel=0.01)


def test_attention_is_a_few_percent_at_short_and_most_of_the_work_at_long_sequences() -> None:
    long = ModelShape(parameters=GPT3.parameters, layers=96, width=12288, sequence=2**20)
    assert formulas.attention_flops(GPT3, 1) / formulas.parameter_flops(GPT3, 1) == pytest.approx(0.0276, abs=0.001)
    assert formulas.attention_flops(long, 1) > formulas.parameter_flops(long, 1)


@pytest.mark.parametrize(
    ("parameters", "layers", "width"),
    [(7 * 10**9, 32, 4096), (13 * 10**9, 40, 5120), (175 * 10**9, 96, 12288), (405 * 10**9, 128, 16384)],
)
def test_the_rule_for_the_shape_gives_that_of_known_models(parameters: int, layers: int, width: int) -> None:
    shape = formulas.shape_of(parameters, 4096)
    assert (shape.layers, shape.width) == (layers, width)


@settings(deadline=None)
@given(st.integers(10**6, 10**14), st.none() | st.integers(1, 500))
def test_every_shape_can_be_cut(parameters: int, layers: int | None) -> None:
    shape = formulas.shape_of(parameters, 4096, layers)
    assert shape.width % 128 == 0
    assert shape.layers == layers if layers else shape.layers % 4 == 0


def test_the_scaling_law_has_its_optimum_near_twenty_tokens_a_parameter() -> None:
    flops = 6 * 70e9 * 1.4e12  # Chinchilla's own
    sizes = [10 ** (9 + step / 50) for step in range(200)]
    best = min(sizes, key=lambda n: formulas.loss(int(n), int(flops / 6 / n)))
    assert 10 < flops / 6 / best / best < 40


@settings(deadline=None)
@given(st.integers(10**6, 10**13), st.integers(10**6, 10**15), st.integers(2, 100))
def test_more_parameters_and_more_tokens_are_more_work_and_less_loss(parameters: int, tokens: int, more: int) -> None:
    shape = formulas.shape_of(parameters, 4096)
    assert formulas.training_flops(shape, tokens * more) == pytest.approx(more * formulas.training_flops(shape, tokens))
    assert formulas.loss(parameters, tokens * more) < formulas.loss(parameters, tokens)
    assert formulas.loss(parameters * more, tokens) < formulas.loss(parameters, tokens)


def test_the_state_of_an_unsharded_model_is_sixteen_bytes_a_parameter() -> None:
    # Rajbhandari et al. 2020, section 3.1: 1.5 billion parameters take at least 24 GB.
    shape = formulas.shape_of(15 * 10**8, 1024)
    assert formulas.state_bytes_per_chip(shape, Precision.BF16, 1, 1) == pytest.approx(24e9)


@settings(deadline=None)
@given(st.sampled_from(list(Precision)), st.integers(0, 3), st.integers(3, 12))
def test_a_chip_holds_less_the_more_there_are(precision: Precision, tensor: int, chips: int) -> None:
    few = formulas.state_bytes_per_chip(GPT3, precision, 2**chips, 2**tensor)
    assert formulas.state_bytes_per_chip(GPT3, precision, 2 ** (chips + 1), 2**tensor) < few
    assert formulas.activation_bytes_per_chip(GPT3, precision, 2 ** (tensor + 1)) < formulas.activation_bytes_per_chip(
        GPT3, precision, 2**tensor
    )
