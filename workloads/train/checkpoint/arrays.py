"""The arrays of a state as files that any library for safetensors reads, and as pieces, of which each has a digest.

An array that is spread over devices is written in pieces, each by the process that has it; a piece that is not the
whole array has its place in its name: ``params/embed@0:128,0:64``.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

Place = tuple[tuple[int, int], ...]  # first and one past the last, on each axis

_DTYPES = {"float32": "F32", "int32": "I32", "bfloat16": "BF16", "float64": "F64", "uint32": "U32", "bool": "BOOL"}
_ALIGNMENT = 64  # bytes; the header ends on it, so that arrays can be mapped
_THREADS = 2  # for hashes, and for copies: both leave Python's lock alone


class Damaged(Exception):
    """A checkpoint that is not what was written."""


@dataclass(frozen=True)
class Entry:
    """A piece as a manifest lists it: of which array, where in it, and the digest of its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: Place
    file: str
    sha256: str

    @classmethod
    def read(cls, values: dict[str, Any]) -> Entry:
        """From JSON, which has no tuples."""
        shape, place = tuple(values["shape"]), tuple((first, last) for first, last in values["place"])
        return cls(**{**values, "shape": shape, "place": place})

    @property
    def key(self) -> str:
        """The piece's name in its file."""
        whole = tuple((0, size) for size in self.shape)
        return self.name if self.place == whole else f"{self.name}@{','.join(f'{a}:{b}' for a, b in self.place)}"


@dataclass(frozen=True)
class Piece:
    """A part of an array, copied: the devices may go on and change theirs, once the copy is made."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    place: Place
    copy: Future[np.ndarray]

    @property
    def data(self) -> np.ndarray:
        """The copy; waits until it is made."""
        return self.copy.result()

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(last - first for first, last in self.place) * np.dtype(self.dtype).itemsize

    def entry(self, file: str, sha256: str = "") -> Entry:
        """What a manifest lists it as."""
        return Entry(self.name, self.dtype, self.shape, self.place, file, sha256)


def named(tree: Any) -> Iterator[tuple[str, Any]]:
    """The arrays of a tree by their path in it."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        yield jax.tree_util.keystr(path, simple=True, separator="/"), leaf


def pieces_of(tree: Any) -> list[Piece]:
    """Copies of those pieces that this process is to write: all processes together write each once.

    They are made one after another while the caller goes on; see :attr:`Piece.data`.
    """
    copying = ThreadPoolExecutor(_THREADS)
    pieces = [
        Piece(name, str(leaf.dtype), leaf.shape, _place(index, leaf.shape), copying.submit(np.array, part))
        for name, leaf in named(tree)
        for index, part in _own_parts(leaf)
    ]
    copying.shutdown(wait=False)
    return pieces


def _own_parts(leaf: Any) -> list[tuple[tuple[slice, ...], Any]]:
    if not isinstance(leaf, jax.Array):
        return [((), leaf)]
    return [(shard.index, shard.data) for shard in leaf.addressable_shards if shard.replica_id == 0]


def writers(tree: Any) -> set[int]:
    """The processes that have a piece to write."""
    arrays = [leaf for _, leaf in named(tree) if isinstance(leaf, jax.Array)]
    return {shard.device.process_index for leaf in arrays for shard in leaf.global_shards if shard.replica_id == 0} or {
        0
    }


def _place(index: tuple[slice, ...], shape: tuple[int, ...]) -> Place:
    slices = (*index, *[slice(None)] * (len(shape) - len(index)))
    return tuple(part.indices(size)[:2] for part, size in zip(slices, shape, strict=True))


def file_of(pieces: Sequence[Piece]) -> Iterator[memoryview]:
    """A safetensors file of these pieces, as the buffers to write one after the other, each as soon as it is copied."""
    header, end = dict[str, Any](), 0
    for piece in pieces:
        shape = [last - first for first, last in piece.place]
        offsets = [end, end := end + piece.size]
        header[piece.entry("").key] = {"dtype": _DTYPES[piece.dtype], "shape": shape, "data_offsets": offsets}
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    yield memoryview(struct.pack("<Q", len(text)) + text)
    yield from (_bytes(piece.data) for piece in pieces)


def read_file(data: bytes | memoryview) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file, without copying; raises :class:`Damaged` where it is none."""
    types = {value: key for key, value in _DTYPES.items()}
    try:
        (length,) = struct.unpack_from("<Q", data)
        header, begin = json.loads(bytes(data[8 : 8 + length])), 8 + length
        return {
            key: _array(data, begin + row["data_offsets"][0], types[row["dtype"]], tuple(row["shape"]))
            for key, row in header.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, struct.error):
        raise Damaged("its arrays cannot be read") from None


def _array(data: bytes | memoryview, offset: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(data, np.dtype(dtype), math.prod(shape), offset).reshape(shape)


def digests(arrays: Iterable[np.ndarray]) -> list[str]:
    """SHA-256 of each array's bytes, in hexadecimal; several at once."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda array: hashlib.sha256(_bytes(array)).hexdigest(), arrays))


def _bytes(array: np.ndarray) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def assemble(entries: Sequence[Entry], found: dict[tuple[str, str], np.ndarray], like: Any) -> Any:
    """The tree of whole arrays, in the structure of ``like``; raises :class:`Damaged` where something is missing."""
    of: dict[str, list[Entry]] = {}
    for entry in entries:
        of.setdefault(entry.name, []).append(entry)
    leaves: list[np.ndarray] = []
    for name, wanted in named(like):
        parts = of.get(name, [])
        if sum(math.prod(b - a for a, b in part.place) for part in parts) != math.prod(wanted.shape):
            raise Damaged(f"{name} is not whole")
        if any(part.shape != wanted.shape or part.dtype != str(wanted.dtype) for part in parts):
            raise Damaged(f"{name} is {parts[0].dtype}{parts[0].shape}")
        leaves.append(_joined(parts, found))
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _joined(parts: Sequence[Entry], found: dict[tuple[str, str], np.ndarray]) -> np.ndarray:
    if len(parts) == 1:
        return found[parts[0].file, parts[0].key]
    whole = np.empty(parts[0].shape, np.dtype(parts[0].dtype))
    for part in parts:
        whole[tuple(slice(*bounds) for bounds in part.place)] = found[part.file, part.key]
    return whole


def local_piece(array: jax.Array, place: Place) -> np.ndarray | None:
    """What this process's devices hold of an array at a place; None where they do not have all of it."""
    wanted = tuple(slice(*bounds) for bounds in place)
    if array.is_fully_addressable:
        return np.asarray(array)[wanted]
    for shard in array.addressable_shards:
        own = _place(shard.index, array.shape)
        if all(a <= c and d <= b for (a, b), (c, d) in zip(own, place, strict=True)):
            return np.asarray(shard.data)[tuple(slice(c - a, d - a) for (a, _), (c, d) in zip(own, place, strict=True))]
    return None
