"""A network in a file, so that its size is what is really stored: an .npz archive, not compressed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from lessons.compress.quantize import Int8Dense
from lessons.compress.transformer import Normalize, Positions
from lessons.layers import Dense, Layer, Layers

KINDS = {kind.__name__: kind for kind in (Dense, Int8Dense, Normalize, Positions)}
"""Layers that can be stored."""


def save(path: Path, layers: Layers, *, sparse: bool = False) -> int:
    """Store the layers; the bytes on disk.

    ``sparse`` weights are stored as one bit a weight, whether it is there, and those that are there: smaller than a
    dense matrix of float32 from one zero in 32 on. (Indices of 32 bits instead would need half of the weights gone.)
    """
    arrays: dict[str, np.ndarray] = {}
    for name, layer in layers.items():
        for part, value in vars(layer).items():
            label = f"{name}/{type(layer).__name__}/{part}"
            arrays |= _sparse(label, np.asarray(value)) if sparse and _is_weight(part) else {label: np.asarray(value)}
    with path.open("wb") as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    return path.stat().st_size


def load(path: Path) -> dict[str, Layer]:
    """The layers that :func:`save` stored."""
    kinds: dict[str, str] = {}
    parts: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path) as stored:
        for label in stored.files:
            name, kind, part = label.split("/")[:3]
            kinds[name] = kind
            if label.endswith("/there"):
                parts.setdefault(name, {})[part] = _dense(stored[label], stored[label.replace("there", "values")])
            elif not label.endswith("/values"):
                parts.setdefault(name, {})[part] = stored[label]
    return {name: _layer(kinds[name], given) for name, given in parts.items()}


def _layer(kind: str, given: dict[str, np.ndarray]) -> Layer:
    """A layer of its arrays; rows of a sparse weight were padded to whole bytes, and the bias says their length."""
    if "weight_IxO" in given and "bias_O" in given:
        given["weight_IxO"] = given["weight_IxO"][:, : len(given["bias_O"])]
    return KINDS[kind](**{field.name: jnp.asarray(given[field.name]) for field in fields(KINDS[kind])})


def _is_weight(part: str) -> bool:
    return part == "weight_IxO"


def _sparse(label: str, weight_IxO: np.ndarray) -> dict[str, np.ndarray]:
    there = weight_IxO != 0
    return {f"{label}/there": np.packbits(there, axis=1), f"{label}/values": weight_IxO[there]}


def _dense(packed: np.ndarray, values: np.ndarray) -> np.ndarray:
    there = np.unpackbits(packed, axis=1).astype(bool)
    weight = np.zeros(there.shape, values.dtype)
    weight[there] = values
    return weight
