"""Quantities are read as people write them; what is wrong is told with its column, and nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.sizing import quantities
from operations.sizing.quantities import Quantity, WrongValue

KINDS = [kind for kind in vars(quantities).values() if isinstance(kind, Quantity)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (quantities.PARAMETERS, "7B", 7 * 10**9),
        (quantities.PARAMETERS, "7b", 7 * 10**9),
        (quantities.PARAMETERS, " 405 B ", 405 * 10**9),
        (quantities.PARAMETERS, "7000000", 7 * 10**6),
        (quantities.TOKENS, "1.4T", 14 * 10**11),
        (quantities.TOKENS, "2e12", 2 * 10**12),
        (quantities.DURATION, "30d", 30 * 86400),
        (quantities.DURATION, "1.5h", 5400),
        (quantities.DURATION, "2W", 14 * 86400),
        (quantities.MONEY, "$2M", 2 * 10**6),
        (quantities.MONEY, "500k USD", 500_000),
        (quantities.MONEY, "$1200", 1200),
        (quantities.RATE, "1GB/s", 10**9),
    ],
)
def test_a_quantity_means_what_it_says(kind: Quantity, text: str, value: int) -> None:
    assert kind.read("--it", text) == value


@pytest.mark.parametrize(
    ("kind", "text", "column", "what"),
    [
        (quantities.PARAMETERS, "-7B", 1, "negative"),
        (quantities.MONEY, "$-7B", 1, "negative"),
        (quantities.PARAMETERS, "nan", 1, "no number"),
        (quantities.PARAMETERS, "Infinity", 1, "no number"),
        (quantities.PARAMETERS, "", 1, "empty"),
        (quantities.PARAMETERS, "   ", 1, "empty"),
        (quantities.PARAMETERS, "0B", 1, "less than 1M cannot be meant"),
        (quantities.PARAMETERS, "7", 1, "less than 1M cannot be meant"),
        (quantities.PARAMETERS, "1e300", 1, "more than 100T cannot be meant"),
        (quantities.PARAMETERS, "1e999", 1, "more than 100T cannot be meant"),
        (quantities.PARAMETERS, "7Q", 2, "'Q' is no unit here; there are K, M, B, T"),
        (quantities.PARAMETERS, "7,000M", 2, "',000M' is no unit"),
        (quantities.PARAMETERS, "x7B", 1, "a number has to stand here"),
        (quantities.PARAMETERS, "７B", 1, "U+FF17 (fullwidth digit seven)"),
        (quantities.TOKENS, "2Т", 2, "U+0422 (cyrillic capital letter te)"),
        (quantities.TOKENS, "2T\n", 3, "U+000A"),
        (quantities.TOKENS, "1000000.5", 1, "whole number"),
        (quantities.DURATION, "30", 3, "the unit is missing (h, d, w)"),
        (quantities.DURATION, "30m", 3, "'m' is no unit here"),
        (quantities.DURATION, "0d", 1, "less than 1h cannot be meant"),
        (quantities.MONEY, "2M", 3, "the unit is missing; write for example $2M"),
        (quantities.PERCENT, "0.4", 4, "the unit is missing (%)"),
        (quantities.PERCENT, "140%", 1, "more than 100% cannot be meant"),
        (quantities.SEQUENCE, "8k", 2, "nothing can stand behind the number"),
    ],
)
def test_a_wrong_one_is_told_with_its_column(kind: Quantity, text: str, column: int, what: str) -> None:
    with pytest.raises(WrongValue) as raised:
        kind.read("--it", text)
    assert raised.value.column == column
    assert what in str(raised.value)


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.text(max_size=12))
def test_no_text_makes_anything_but_a_bounded_value_or_a_located_error(kind: Quantity, text: str) -> None:
    try:
        value, column = kind.read("--it", text), 1
    except WrongValue as problem:
        value, column = kind.least, problem.column
    assert kind.least <= value <= kind.most
    assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_that_an_error_gives_is_right(kind: Quantity) -> None:
    kind.read("--it", kind.example)


@settings(deadline=None)
@given(st.floats(min_value=1e6, max_value=1e14))
def test_a_count_that_is_written_short_reads_back_to_three_digits(value: float) -> None:
    assert float(quantities.PARAMETERS.read("--it", quantities.short(value))) == pytest.approx(value, rel=0.01)
