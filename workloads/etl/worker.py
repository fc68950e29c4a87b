"""What many processes do at once: clean, sign and tokenise batches of records. What comes of them keeps its order."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from typing import Any

import numpy as np

from etl.clean import Dropped, decode, judge, normalise
from etl.config import AGAIN, EtlConfig, Failure
from etl.dedup import exact_key, keys_of, signature
from etl.source import Record
from etl.tokenizer import Encoder

_AHEAD = 3  # batches a process that are read before their turn: none waits, and memory stays bounded

Raw = list[tuple[bool, bytes | None]]


@dataclass
class Outcome:
    """What became of a batch: a reason for each record (``""`` where it goes on), the rest for those that do."""

    reasons: list[str]
    tokens: list[np.ndarray]
    text_bytes: list[int]
    keys: np.ndarray
    signatures: np.ndarray


class Worker:
    """The work on one batch; has no memory of others."""

    def __init__(self, config: EtlConfig, tokenizer: str) -> None:
        self._config = config
        self._encoder = Encoder(tokenizer) if tokenizer else None

    def texts(self, raw: Raw) -> tuple[list[str], list[str]]:
        """A reason for each record, and the cleaned texts of those without one."""
        reasons, texts = [], []
        for jsonl, data in raw:
            try:
                text = normalise(decode(data, jsonl, self._config.text_field))
                judge(text, self._config.clean)
            except Dropped as dropped:
                reasons.append(str(dropped))
            else:
                reasons.append("")
                texts.append(text)
        return reasons, texts

    def outcome(self, raw: Raw) -> Outcome:
        """All that can be said of a batch without knowing the others."""
        assert self._encoder
        reasons, texts = self.texts(raw)
        near = self._config.near_duplicates
        signatures = np.zeros((len(texts), near.bands * near.rows if near.enabled else 0), np.uint32)
        if near.enabled:
            for number, text in enumerate(texts):
                signatures[number] = signature(text, near)
        keys = keys_of([exact_key(text) for text in texts], signatures, near)
        text_bytes = [len(text.encode()) for text in texts]
        return Outcome(reasons, self._encoder.encode(texts), text_bytes, keys, signatures.astype(np.uint16))


def batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Records in lists of about ``size`` bytes."""
    batch: list[Record] = []
    filled = 0
    for record in records:
        batch.append(record)
        filled += len(record.data or b"") + 64  # nor without end where records are empty
        if filled >= size:
            yield batch
            batch, filled = [], 0
    if batch:
        yield batch


class Pool:
    """Workers; one of them works in this process. Use it as a context."""

    def __init__(self, config: EtlConfig, tokenizer: str = "") -> None:
        count = config.workers or len(os.sched_getaffinity(0))
        self._alone = Worker(config, tokenizer) if count == 1 else None
        self._ahead = count * _AHEAD
        self._executor: ProcessPoolExecutor | None = None
        if not self._alone:
            # Not by fork: the tokeniser's threads do not live on in a forked process, and their locks do.
            spawn = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(count, spawn, initializer=_begin, initargs=(config, tokenizer))

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor:
            self._executor.shutdown(cancel_futures=True)

    def map(self, method: str, work: Iterable[list[Record]]) -> Generator[tuple[list[Record], Any]]:
        """Each batch with what ``method`` of a worker made of it, in order."""
        if self._alone:
            for batch in work:
                yield batch, getattr(self._alone, method)(_raw(batch))
            return
        assert self._executor
        waiting: deque[tuple[list[Record], Future[Any]]] = deque()
        try:
            for batch in work:
                with _deaf_to_interrupts():
                    future = self._executor.submit(_work, method, _raw(batch))
                waiting.append((batch, future))
                if len(waiting) >= self._ahead:
                    done, future = waiting.popleft()
                    yield done, future.result()
            for done, future in waiting:
                yield done, future.result()
        except BrokenProcessPool:
            raise Failure(
                "a worker process died, most often for lack of memory: set fewer workers or smaller batch_bytes, "
                + AGAIN
            ) from None


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A process that starts meanwhile never hears Ctrl-C, which a terminal sends to all: this one does, and ends it."""
    resource_tracker.ensure_running()  # where it had to be started below, it would open this process' ears
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raw(batch: list[Record]) -> Raw:
    return [(record.jsonl, record.data) for record in batch]


_own: list[Worker] = []


def _begin(config: EtlConfig, tokenizer: str) -> None:
    """The start of a worker process: it ends when the one that started it does, however that ended."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the cores are taken by the other workers
    parent = multiprocessing.parent_process()
    assert parent
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _own.append(Worker(config, tokenizer))


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _work(method: str, raw: Raw) -> Any:
    return getattr(_own[0], method)(raw)
