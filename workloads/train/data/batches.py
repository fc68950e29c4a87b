"""Real text that every machine has, the sources of Python's standard library as bytes; or shards of tokens.

The order depends on the text and the seed alone, so every process computes the same batches and takes its own
rows of them. The position in the data is one number, the sequences drawn so far: the cursor of a checkpoint.
"""

from __future__ import annotations

import hashlib
import sysconfig
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.config.failure import Failure
from train.config.settings import TrainConfig
from train.data.shards import Tokens, read_shards

VALIDATION_SHARE = 10  # one file in this many, chosen by the hash of its name, or this part of the shards
VALIDATION_SEQUENCES = 64  # for the loss before and after; 64 × 64 bytes tell losses apart to about 0.05 nats


@dataclass(frozen=True)
class Corpus:
    """Tokens to train and to validate on, and a digest that tells whether two machines hold the same."""

    train: np.ndarray | Tokens
    validation: np.ndarray | Tokens
    digest: str


def open_corpus(config: TrainConfig) -> Corpus:
    """What the configuration names. Of shards the last part is held out: the documents there are nobody's copies."""
    if not config.corpus_uri:
        return read_corpus(config.corpus_bytes)
    arrays, digest = read_shards(config.corpus_uri, config.model.vocabulary, config.verify_corpus)
    total = sum(map(len, arrays))
    split = total - total // VALIDATION_SHARE
    return Corpus(Tokens(arrays, 0, split), Tokens(arrays, split), digest)


def read_corpus(limit_bytes: int, folder: Path | None = None) -> Corpus:
    """Read up to ``limit_bytes`` of ``folder``'s (the standard library's) ``*.py`` in the order of their names.

    Sub-packages are left out: they differ most between builds of Python. Raises :class:`Failure` where a Python
    installation carries no sources.
    """
    folder = folder or Path(sysconfig.get_path("stdlib"))
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    size = 0
    for path in sorted(folder.glob("*.py"), key=lambda path: path.name):
        text = path.read_bytes()[: limit_bytes - size]
        parts[is_validation(path.name)].append(text)
        size += len(text)
        if size >= limit_bytes:
            break
    train, validation = (b"\n".join(part) for part in parts)
    if not train or not validation:
        raise Failure(
            f"{folder} gives too little text to train and to validate on: {size} bytes of *.py within corpus_bytes "
            f"{limit_bytes}"
        )
    digest = hashlib.sha256(train + b"\0" + validation).hexdigest()[:16]
    return Corpus(np.frombuffer(train, np.uint8), np.frombuffer(validation, np.uint8), digest)


def is_validation(name: str) -> bool:
    """Whether a file is held out; by name, so that adding a file moves no other to the other side."""
    return zlib.crc32(name.encode()) % VALIDATION_SHARE == 0


class Batches:
    """Every window of ``context + 1`` tokens once an epoch, in an order shuffled anew each epoch."""

    def __init__(self, text: np.ndarray | Tokens, context: int, batch_size: int, seed: int) -> None:
        self.batch_size = batch_size
        self._seed = seed
        # The last token of a window is the first of the next: every token is a target once.
        self._text, self._context, self._count = text, context, (len(text) - 1) // context
        if self._count < 1:
            raise Failure(f"{len(text)} tokens of text hold no sequence of {context + 1}: give a smaller model.context")
        self._order = -1, np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._count

    def indices(self, cursor: int) -> np.ndarray:
        """Windows of the batch that starts after ``cursor`` drawn sequences, for all processes together."""
        positions = np.arange(cursor, cursor + self.batch_size)
        return np.array([self._permutation(int(position) // len(self))[position % len(self)] for position in positions])

    def rows(self, cursor: int, part: slice) -> np.ndarray:
        """This process's rows of that batch, as int32[rows, context + 1]."""
        starts = self.indices(cursor)[part] * self._context
        return self._text[starts[:, None] + np.arange(self._context + 1)].astype(np.int32)

    def _permutation(self, epoch: int) -> np.ndarray:
        order = self._order  # one thread may read ahead, in the next epoch
        if epoch != order[0]:
            self._order = order = epoch, np.random.default_rng((self._seed, epoch)).permutation(len(self))
        return order[1]


class Prefetch:
    """Makes the next rows while the devices compute, from the cursor alone: what it has is never another batch."""

    def __init__(self, rows: Callable[[int], np.ndarray], batch_rows: int) -> None:
        self._rows, self._batch_rows = rows, batch_rows
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._ahead: tuple[int, Future[np.ndarray]] | None = None

    def take(self, cursor: int) -> np.ndarray:
        """The rows at ``cursor``; those after them are begun."""
        found = self.peek(cursor)
        self._begin(cursor + self._batch_rows)
        return found

    def peek(self, cursor: int) -> np.ndarray:
        """What :meth:`take` will give at ``cursor``."""
        if self._ahead is None or self._ahead[0] != cursor:
            self._begin(cursor)
        assert self._ahead is not None
        return self._ahead[1].result()

    def _begin(self, cursor: int) -> None:
        self._ahead = cursor, self._thread.submit(self._rows, cursor)


def validation_rows(text: np.ndarray | Tokens, context: int, multiple_of: int = 1) -> np.ndarray:
    """Held-out sequences, evenly spread, as int32[rows, context + 1]; as many as parts of ``multiple_of`` rows hold."""
    if len(text) <= context:
        raise Failure(
            f"{len(text)} tokens of validation text hold no sequence of {context + 1}: give a smaller model.context"
        )
    count = -(-VALIDATION_SEQUENCES // multiple_of) * multiple_of
    starts = np.linspace(0, len(text) - context - 1, count).astype(np.int64)
    return text[starts[:, None] + np.arange(context + 1)].astype(np.int32)
