from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lessons.fundamentals.losses import (
    binary_cross_entropy,
    cross_entropy,
    mean_squared_error,
    softmax_cross_entropy,
)

TARGET, PREDICTED = [0, 1, 1], [0.2, 0.8, 0.9]
NUMBER = st.floats(-1e3, 1e3)
PROBABILITY = st.floats(0.01, 0.99)


def test_the_mean_squared_error_of_the_example_is_exactly_one() -> None:
    assert mean_squared_error([3, 5, 7], [2, 6, 8]) == 1


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=1), NUMBER)
def test_the_mean_squared_error_is_zero_for_the_truth_only_and_shifts_do_not_matter(
    pairs: list[tuple[float, float]], shift: float
) -> None:
    one, other = np.array(pairs).T
    assert mean_squared_error(one, one) == 0
    assert mean_squared_error(one, other) == mean_squared_error(other, one)
    assert (mean_squared_error(one, other) > 0) == bool((((one - other) ** 2) > 0).any())
    np.testing.assert_allclose(
        mean_squared_error(one + shift, other + shift), mean_squared_error(one, other), rtol=1e-6, atol=1e-6
    )


def test_the_categorical_cross_entropy_of_the_example_counts_what_happened() -> None:
    assert cross_entropy(TARGET, PREDICTED) == pytest.approx(-math.log(0.8 * 0.9), abs=1e-12)
    assert round(cross_entropy(TARGET, PREDICTED), 4) == 0.3285
    assert round(cross_entropy(TARGET, PREDICTED) / 3, 4) == 0.1095


def test_the_binary_cross_entropy_of_the_example_counts_what_did_not_happen_too() -> None:
    assert binary_cross_entropy(TARGET, PREDICTED) == pytest.approx(-math.log(0.8 * 0.8 * 0.9), abs=1e-12)
    assert round(binary_cross_entropy(TARGET, PREDICTED), 4) == 0.5516
    assert round(binary_cross_entropy(TARGET, PREDICTED) / 3, 4) == 0.1839


def test_no_convention_gives_the_value_that_is_sometimes_printed() -> None:
    for loss in (cross_entropy(TARGET, PREDICTED), binary_cross_entropy(TARGET, PREDICTED)):
        for count in (1, 2, 3):  # summed, over what happened, over all
            for base in (math.e, 2, 10):
                assert abs(loss / count / math.log(base) - 0.189) > 0.004


@given(st.lists(st.tuples(st.booleans(), PROBABILITY), min_size=1))
def test_a_binary_question_is_a_categorical_one_with_two_answers(pairs: list[tuple[bool, float]]) -> None:
    target, predicted = np.array(pairs, float).T
    both = cross_entropy(np.r_[target, 1 - target], np.r_[predicted, 1 - predicted])
    assert binary_cross_entropy(target, predicted) == pytest.approx(both)
    assert both >= 0


def test_certainty_costs_nothing_where_it_is_right_and_is_refused_where_it_is_wrong() -> None:
    assert cross_entropy([0, 1], [0, 1]) == 0
    assert binary_cross_entropy([0, 1], [0, 1]) == 0
    with pytest.raises(ValueError, match="infinite"):
        cross_entropy([1, 0], [0, 1])


@pytest.mark.parametrize("predicted", [[0.5], [1.1, 0.2, 0.3], [-0.1, 0.5, 0.5]])
def test_what_is_no_probability_for_each_target_is_refused(predicted: list[float]) -> None:
    with pytest.raises(ValueError, match=r"one prediction for each|must be probabilities"):
        cross_entropy(TARGET, predicted)


def test_nothing_at_all_has_no_loss() -> None:
    with pytest.raises(ValueError, match="one prediction for each"):
        mean_squared_error([], [])


def test_the_loss_of_logits_is_that_of_their_softmax_and_huge_logits_do_not_overflow() -> None:
    logits, label = np.random.default_rng(0).standard_normal((5, 4)), np.array([0, 3, 1, 1, 2])
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = cross_entropy(np.eye(4)[label], probability) / 5
    assert softmax_cross_entropy(logits, label) == pytest.approx(expected, rel=1e-12)
    assert softmax_cross_entropy(logits + 1e5, label) == pytest.approx(softmax_cross_entropy(logits, label), rel=1e-6)
    assert softmax_cross_entropy(np.array([[1e4, 0.0]]), np.array([1])) == 1e4
