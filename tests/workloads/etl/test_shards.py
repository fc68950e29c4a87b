from __future__ import annotations

import numpy as np
import pytest
from etl.shards import BLOCK, Damaged, name_of, pack, unpack
from hypothesis import given
from hypothesis import strategies as st

TOKENS = np.random.default_rng(0).integers(0, 60_000, 200_000).astype(np.uint16)
DATA = pack(3, 60_000, TOKENS, [0, 70, 150_000])


@given(st.lists(st.integers(0, 2**16 - 1)), st.lists(st.integers(0, 99)), st.sampled_from([np.uint16, np.uint32]))
def test_what_is_packed_comes_back(tokens: list[int], beginnings: list[int], dtype: type) -> None:
    shard = unpack(pack(7, 1 << 16, np.array(tokens, dtype), beginnings))
    assert (shard.number, shard.vocabulary) == (7, 1 << 16)
    assert (shard.tokens.tolist(), shard.beginnings.tolist()) == (tokens, beginnings)
    assert shard.tokens.dtype == dtype


def test_the_format_is_the_documented_one() -> None:
    assert DATA[:8] == b"TOKSHARD"
    assert np.frombuffer(DATA, "<u4", 4, 8).tolist() == [1, 2, 3, 60_000]
    assert np.frombuffer(DATA, "<u8", 2, 24).tolist() == [200_000, 3]
    np.testing.assert_array_equal(np.frombuffer(DATA, "<u2", 200_000, 64), TOKENS)
    assert np.frombuffer(DATA, "<u8", 3, 64 + 400_000).tolist() == [0, 70, 150_000]
    assert name_of(12) == "tokens-00012.bin"


@pytest.mark.parametrize("offset", [30, 64, BLOCK - 1, BLOCK, 3 * BLOCK + 5, 64 + 400_000 + 9])
def test_one_flipped_bit_is_found_where_it_is(offset: int) -> None:
    data = bytearray(DATA)
    data[offset] ^= 16
    with pytest.raises(Damaged) as damaged:
        unpack(bytes(data))
    if offset >= 64:
        start = offset // BLOCK * BLOCK
        assert f"damaged between offsets {start} and {min(start + BLOCK, 400_088) - 1}" in str(damaged.value)


@pytest.mark.parametrize("data", [b"", b"TOKSHARD", DATA[:-1], DATA + b"\0", b"x" * 100, DATA[:8] + b"\t" + DATA[9:]])
def test_what_is_cut_longer_or_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged, match="offset"):
        unpack(data)
