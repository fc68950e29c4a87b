from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lessons.compress.distill import distill, distillation_loss
from lessons.compress.model import perceptron

from .networks import PERCEPTRON, noise

RANDOM = np.random.default_rng(0)
STUDENT, TEACHER = (jnp.asarray(RANDOM.standard_normal((5, 10)), jnp.float32) for _ in range(2))
LABELS = jnp.asarray(RANDOM.integers(0, 10, 5))
loss = jax.jit(distillation_loss)
gradient = jax.jit(jax.grad(distillation_loss))


def test_the_loss_is_its_formula() -> None:
    def softmax(logits: np.ndarray) -> np.ndarray:
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    student, teacher = np.asarray(STUDENT, float), np.asarray(TEACHER, float)
    p, q = softmax(teacher / 3), softmax(student / 3)
    hard = -np.log(softmax(student)[np.arange(5), LABELS]).mean()
    by_hand = 0.7 * 9 * (p * np.log(p / q)).sum(axis=1).mean() + 0.3 * hard
    assert float(loss(STUDENT, TEACHER, LABELS, 3.0, 0.7)) == pytest.approx(by_hand, rel=1e-5)


def test_a_student_who_agrees_with_the_teacher_has_nothing_to_learn_from_it() -> None:
    assert float(loss(TEACHER, TEACHER, LABELS, 4.0, 1.0)) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(gradient(TEACHER, TEACHER, LABELS, 4.0, 1.0), 0, atol=1e-6)


def test_without_a_teacher_s_share_the_teacher_does_not_matter() -> None:
    np.testing.assert_allclose(loss(STUDENT, TEACHER, LABELS, 4.0, 0.0), loss(STUDENT, -TEACHER, LABELS, 4.0, 0.0))


def test_the_teacher_pulls_as_hard_at_every_high_temperature() -> None:
    """Towards the difference of logits, each less its mean, over the classes (Hinton et al. 2015, equation 4)."""
    hot = gradient(STUDENT, TEACHER, LABELS, 1000.0, 1.0)
    difference = STUDENT - TEACHER
    limit = (difference - difference.mean(axis=1, keepdims=True)) / 10 / 5  # 10 classes, a mean over 5 samples
    np.testing.assert_allclose(hot, limit, atol=1e-3)


@pytest.mark.soak
def test_a_student_comes_closer_to_its_teacher() -> None:
    digits, small = noise(), perceptron(12, hidden=4)
    teacher_logits = PERCEPTRON.logits(PERCEPTRON.initial(7), jnp.asarray(digits.train_NxP))
    teacher = jax.jit(lambda x: PERCEPTRON.logits(PERCEPTRON.initial(7), x))
    before, after = small.initial(0), distill(small, teacher, digits, epochs=40)
    distances = [
        float(loss(small.logits(layers, jnp.asarray(digits.train_NxP)), teacher_logits, digits.train_label_N, 4.0, 1.0))
        for layers in (before, after)
    ]
    assert distances[1] < distances[0] * 0.8
