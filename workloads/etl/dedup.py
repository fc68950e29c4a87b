"""Exact and near duplicates: MinHash signatures, and an index of those of every document kept so far.

The signatures are numpy's work and not a library's: datasketch hashes each shingle in Python, which costs more than
the tokeniser; the tests compare the two. The index is sorted arrays, not dictionaries: 0.5 KB a document instead of 2,
and 0.8 while they are sorted.
"""

from __future__ import annotations

import functools
import hashlib
import re
import zlib
from collections.abc import Sequence

import numpy as np

from etl.config import NearDuplicates

_WORD = re.compile(r"\w+")
_LONG_WORDS = 16  # characters a word on average, from which on a script does not put spaces between words
_BLOCK = 1024  # shingles at a time, so that their products stay in the processor's cache
_BLOCK_ROWS = 4096  # signatures in an array, 1 MiB of them
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # splitmix64's (Steele et al. 2014)


def exact_key(text: str) -> int:
    """64 bits of BLAKE2b. Among 100 million different texts two share one with probability 0.0003."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def shingles(text: str, size: int) -> np.ndarray:
    """uint64 hashes of the runs of ``size`` words, whatever their case and punctuation; of one, where it is shorter.

    Text without spaces between words is taken by characters.
    """
    lower = text.lower()
    words = _WORD.findall(lower)
    if not words or len(lower) > _LONG_WORDS * (len(words) + 1):
        hashes = np.frombuffer(lower.encode("utf-32-le"), np.uint32).astype(np.uint64)
    else:
        hashes = np.array([zlib.crc32(word.encode()) for word in words], np.uint64)
    count = max(1, len(hashes) - size + 1)
    total = np.zeros(count, np.uint64)
    for place in range(min(size, len(hashes))):
        total = mix(total ^ hashes[place : place + count])
    return total


def mix(values: np.ndarray) -> np.ndarray:
    """What splitmix64 makes of a state: a bijection of uint64 that leaves no bit alone."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_MIX[0])
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_MIX[1])
    return values ^ (values >> np.uint64(31))


@functools.lru_cache
def _permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Odd factors and offsets: x → a·x + b is a bijection of uint32."""
    a, b = np.random.Generator(np.random.PCG64(seed)).integers(0, 2**32, (2, count), np.uint32)
    return (a | np.uint32(1))[:, None], b[:, None]


def signature(text: str, config: NearDuplicates) -> np.ndarray:
    """uint32[bands × rows]: the smallest value of the text's shingles under each permutation."""
    values = (shingles(text, config.shingle_words) >> np.uint64(32)).astype(np.uint32)
    a, b = _permutations(config.bands * config.rows, config.seed)
    smallest = np.full(len(a), 2**32 - 1, np.uint32)
    for start in range(0, len(values), _BLOCK):
        products = a * values[None, start : start + _BLOCK]
        products += b
        np.minimum(smallest, products.min(axis=1), out=smallest)
    return smallest


def keys_of(exact: Sequence[int], signatures: np.ndarray, config: NearDuplicates) -> np.ndarray:
    """uint64[documents, 1 + bands]: the exact key, and one for each band of the signature."""
    first = np.array(exact, np.uint64).reshape(-1, 1)
    if not config.enabled:
        return first
    total = np.zeros((len(first), config.bands), np.uint64)
    total += np.arange(1, config.bands + 1, dtype=np.uint64) << np.uint64(32)
    bands = signatures.reshape(len(first), config.bands, config.rows)
    for row in range(config.rows):
        total = mix(total ^ bands[:, :, row])
    return np.concatenate([first, total], axis=1)


def probability(similarity: float, config: NearDuplicates) -> float:
    """That two documents of this Jaccard similarity are compared: the S-curve of bands and rows."""
    return 1 - (1 - similarity**config.rows) ** config.bands


class Index:
    """The keys and signatures of every document kept so far; documents are asked in the order of the sources."""

    def __init__(self, config: NearDuplicates) -> None:
        self._config = config
        self._runs: list[tuple[np.ndarray, np.ndarray]] = []
        self._signatures: list[np.ndarray] = []  # blocks of one size: to grow one array takes a second one beside it
        self._count = 0

    def add(self, keys: np.ndarray, signatures: np.ndarray) -> None:
        """Take in documents that are known to be kept. The first with a key stays the one to compare with."""
        rows = np.repeat(np.arange(self._count, self._count + len(keys)), keys.shape[1])
        self._store(signatures)
        flat = keys.ravel()
        new = self._find(flat) < 0
        flat, first = np.unique(flat[new], return_index=True)
        self._runs.append((flat, rows[new][first].astype(np.uint32)))
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            flat, rows = (np.concatenate(pair) for pair in zip(self._runs.pop(-2), self._runs.pop(), strict=True))
            order = np.argsort(flat, kind="stable")
            flat = flat[order]  # before the rows, so that no more than one array is there twice
            self._runs.append((flat, rows[order]))

    def _store(self, signatures: np.ndarray) -> None:
        while len(signatures):
            place = self._count % _BLOCK_ROWS
            if not place:
                # 16 of a place's 32 bits: two different ones look alike once in 65,536.
                self._signatures.append(np.empty((_BLOCK_ROWS, signatures.shape[1]), np.uint16))
            some = signatures[: _BLOCK_ROWS - place]
            self._signatures[-1][place : place + len(some)] = some
            self._count += len(some)
            signatures = signatures[len(some) :]

    def judge(self, keys: np.ndarray, signatures: np.ndarray) -> list[str]:
        """For each document ``""`` (kept), ``"exact"`` or ``"near"``; those kept are taken in."""
        short = signatures.astype(np.uint16)
        found = self._find(keys.ravel()).reshape(keys.shape).tolist()
        verdicts: list[str] = []
        here: dict[int, int] = {}  # keys of documents of this batch
        kept: list[int] = []
        for number, own in enumerate(keys.tolist()):
            seen = [row if row >= 0 else here.get(key, -1) for row, key in zip(found[number], own, strict=True)]
            verdict = self._verdict(seen, short, number, kept)
            verdicts.append(verdict)
            if not verdict:
                for key in own:
                    here.setdefault(key, self._count + len(kept))
                kept.append(number)
        self.add(keys[kept], short[kept])
        return verdicts

    def _verdict(self, seen: list[int], short: np.ndarray, number: int, kept: list[int]) -> str:
        if seen[0] >= 0:
            return "exact"
        needed = self._config.threshold * short.shape[1]
        for row in sorted({row for row in seen[1:] if row >= 0}):
            if row < self._count:
                other = self._signatures[row // _BLOCK_ROWS][row % _BLOCK_ROWS]
            else:
                other = short[kept[row - self._count]]
            if np.count_nonzero(other == short[number]) >= needed:
                return "near"
        return ""

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """int64: the row of the document that first had each key; -1 for none."""
        rows = np.full(len(keys), -1, np.int64)
        for run, owners in self._runs:
            if len(run):
                at = np.minimum(np.searchsorted(run, keys), len(run) - 1)
                rows = np.where(run[at] == keys, owners[at], rows)
        return rows
