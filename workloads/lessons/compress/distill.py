"""Distillation: a small network learns from what a large one thinks of each example, wrong classes included.

That a 3 looks a little like an 8 is in the teacher's probabilities and not in the label. A temperature T > 1 softens
both networks' probabilities, so that the small ones count.
Source: Hinton, Vinyals, Dean 2015, Distilling the Knowledge in a Neural Network.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from lessons.compress.model import Model
from lessons.fundamentals.digits import Digits
from lessons.layers import Layers
from lessons.training import cross_entropy, fit

TEMPERATURE, TEACHER_SHARE = 4.0, 0.7


def distillation_loss(
    student_BxC: jax.Array,
    teacher_BxC: jax.Array,
    label_B: jax.Array,
    temperature: float = TEMPERATURE,
    share: float = TEACHER_SHARE,
) -> jax.Array:
    """``share · T² KL(softmax(teacher / T) ‖ softmax(student / T)) + (1 - share) · cross-entropy``.

    The gradients of softened logits are 1 / T² of their size: T² makes up for it, whatever the temperature.
    """
    teacher_log_BxC = jax.nn.log_softmax(teacher_BxC / temperature)
    student_log_BxC = jax.nn.log_softmax(student_BxC / temperature)
    divergence_B = (jnp.exp(teacher_log_BxC) * (teacher_log_BxC - student_log_BxC)).sum(axis=1)
    return share * temperature**2 * divergence_B.mean() + (1 - share) * cross_entropy(student_BxC, label_B)


def distill(
    student: Model, teacher: Callable[[jax.Array], jax.Array], digits: Digits, epochs: int, seed: int = 0
) -> Layers:
    """The student's layers, trained on the digits and on the teacher's logits for them."""

    def loss(layers: Layers, x_BxP: jax.Array, label_B: jax.Array, key: jax.Array) -> jax.Array:
        return distillation_loss(student.logits(layers, x_BxP, key), teacher(x_BxP), label_B)

    data = digits.train_NxP, digits.train_label_N
    return fit(loss, student.initial(seed), *data, epochs=epochs, seed=seed)
