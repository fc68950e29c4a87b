"""Weights by torchvision's names and shapes, and the model that is built of them.

=====================  =======================  ================================================
torchvision            here                     shape
=====================  =======================  ================================================
``….conv1.weight``     ``….conv1.kernel``       out × in × H × W becomes H × W × in × out
``fc.weight``          ``fc.kernel``            out × in becomes in × out
``….bn1.weight``       ``….bn1.scale``          the same
``….running_mean``     ``….mean``               the same
``….running_var``      ``….var``                the same
``….num_batches_…``    –                        not needed where momentum is given
=====================  =======================  ================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from flax import nnx

from lessons.errors import LessonError
from lessons.transfer.resnet import Config, ResNet

Weights = Mapping[str, np.ndarray]
"""Arrays in torchvision's shapes by torchvision's names."""

HEAD = ("fc.weight", "fc.bias")
_LEAVES = {"kernel": "weight", "scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
_UNNEEDED = ".num_batches_tracked"
_NAMED = 3  # of many wrong names, as many are said


def shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """What torchvision calls each array of the model, and its shape there."""
    _, state = nnx.split(_abstract(config))
    return {_name(path): _there(leaf.shape) for path, leaf in nnx.to_flat_state(state)}


def random_weights(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Weights before any training: normal with the variance 2 / fan-out (He et al. 2015), norms that change nothing.

    The head is uniform within ±1 / √inputs, as PyTorch makes it.
    """
    random = np.random.default_rng(seed)
    return {name: _initial(name, shape, random) for name, shape in shapes(config).items()}


def build(config: Config, weights: Weights) -> ResNet:
    """The model of these weights, which must be exactly those that :func:`shapes` names."""
    graph, state = nnx.split(_abstract(config))
    filled = [(path, leaf.replace(jnp.asarray(_here(weights[_name(path)])))) for path, leaf in nnx.to_flat_state(state)]
    return nnx.merge(graph, nnx.from_flat_state(filled))


def fit_to(config: Config, given: Weights, source: Path, seed: int) -> tuple[dict[str, np.ndarray], bool]:
    """The given weights as the model takes them, and whether the head is a new one, because its classes are others.

    Raises:
        LessonError: an array is missing, of another shape, of no place in the model, or not finite.
    """
    wanted = shapes(config)
    found = {name: array for name, array in given.items() if not name.endswith(_UNNEEDED)}
    if missing := [name for name in wanted if name not in found]:
        raise LessonError(f"{source}: lacks {_some(missing)} of this ResNet; torchvision's names are needed")
    if unknown := [name for name in found if name not in wanted]:
        raise LessonError(f"{source}: has {_some(unknown)}, which this ResNet does not: it is of another network")
    new_head = found["fc.weight"].shape != wanted["fc.weight"]
    for name, shape in wanted.items():
        if found[name].shape != shape and not (new_head and name in HEAD):
            raise LessonError(f"{source}: {name} is {found[name].shape}, not {shape}: it is of another network")
        if not np.isfinite(found[name]).all():
            raise LessonError(f"{source}: {name} holds numbers that are not finite: the file is damaged")
    head = {name: _initial(name, wanted[name], np.random.default_rng(seed)) for name in HEAD} if new_head else {}
    return {**found, **head}, new_head


@cache
def _abstract(config: Config) -> ResNet:
    """The model without numbers: making them takes JAX many seconds, and they would be thrown away."""
    return nnx.eval_shape(lambda: ResNet(config, nnx.Rngs(0)))


def _name(path: tuple[object, ...]) -> str:
    return ".".join(map(str, (*path[:-1], _LEAVES[str(path[-1])])))


def _there(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape as torchvision has it."""
    if len(shape) == 4:
        height, width, inputs, outputs = shape
        return outputs, inputs, height, width
    return shape[::-1]


def _here(array: np.ndarray) -> np.ndarray:
    """An array of torchvision's, in the order of axes that flax has."""
    return np.asarray(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T, np.float32)


def _initial(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    if len(shape) == 4:
        outputs, _, height, width = shape
        return random.standard_normal(shape, np.float32) * np.float32((2 / (outputs * height * width)) ** 0.5)
    if name == "fc.weight":
        return random.uniform(-1, 1, shape).astype(np.float32) * np.float32(shape[1] ** -0.5)
    return np.full(shape, float(name.endswith((".weight", "running_var"))), np.float32)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
