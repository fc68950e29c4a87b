"""A layout comes out even everywhere, keeps tensor parallelism in its domain, and fits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from operations.sizing.formulas import shape_of
from operations.sizing.layout import BATCH_TOLERANCE, layouts
from operations.sizing.machines import Machine
from operations.sizing.model import Layout, Request
from tests.operations.sizing.conftest import machine


def request(parameters: int, sequence: int = 8192, batch_tokens: int = 4 * 10**6) -> Request:
    return Request(model=shape_of(parameters, sequence), tokens=10**12, batch_tokens=batch_tokens)


def layout(asked: Request, kind: Machine, count: int) -> Layout | None:
    """The simplest."""
    return next(layouts(asked, kind, count), None)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(10**7, 10**13),
    st.integers(1, 4096),
    st.sampled_from([512, 4096, 8192, 131072]),
    st.integers(10**5, 10**8),
    st.sampled_from([1, 8]),
)
def test_a_layout_comes_out_even_and_fits(parameters: int, count: int, sequence: int, batch: int, domain: int) -> None:
    asked, kind = request(parameters, sequence, batch), machine("x1", domain=domain)
    wanted = max(1, batch / sequence)
    for cut in layouts(asked, kind, count):
        assert cut.data * cut.tensor * cut.pipeline == count * kind.chips
        assert cut.tensor <= domain
        assert asked.model.heads % cut.tensor == 0
        assert asked.model.layers % cut.pipeline == 0
        assert cut.batch_sequences % cut.data == 0
        assert cut.batch_sequences // cut.data >= cut.pipeline
        assert abs(cut.batch_sequences - wanted) <= BATCH_TOLERANCE * wanted
        assert cut.memory_bytes <= kind.usable_bytes


def test_a_model_that_fits_sharded_is_cut_no_further() -> None:
    cut = layout(request(7 * 10**9), machine("x1"), 8)
    assert cut is not None
    assert (cut.data, cut.tensor, cut.pipeline) == (64, 1, 1)
    assert str(cut) == "FSDP 64"


def test_more_chips_than_sequences_are_used_by_tensor_parallelism_first() -> None:
    cut = layout(request(405 * 10**9, batch_tokens=16 * 2**20), machine("x1"), 2048)
    assert cut is not None
    assert str(cut) == "FSDP 2,048 × TP 8"


def test_without_nvlink_there_is_no_tensor_parallelism() -> None:
    cut = layout(request(70 * 10**9), machine("x1", domain=1), 64)
    assert cut is not None
    assert (cut.tensor, cut.pipeline) == (1, 1)


def test_a_model_that_is_too_large_has_no_layout() -> None:
    assert layout(request(405 * 10**9), machine("x1"), 1) is None


def test_chips_that_a_batch_cannot_keep_busy_are_no_layout() -> None:
    asked = replace(request(7 * 10**9), batch_tokens=8192)
    assert layout(asked, machine("x1", domain=1), 4096) is None
