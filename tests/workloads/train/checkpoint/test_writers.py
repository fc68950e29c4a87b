"""Several processes write one checkpoint: all or none do, and none waits for a part that does not come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from train.checkpoint import checkpoints as module
from train.checkpoint.checkpoints import Checkpoints
from train.checkpoint.manifest import Mark
from train.checkpoint.store import Data, FolderStore
from train.checkpoint.writer import Policy, Writer
from train.config.failure import Failure

LIKE = {"a": np.zeros(4, np.float32), "b": np.zeros((), np.int32)}
TIMEOUT_S = 1.0


class Told:
    """What processes tell each other, without processes."""

    def __init__(self, index: int, texts: dict[str, str]) -> None:
        self._index, self._texts = index, texts

    def from_first(self, name: str, text: Callable[[], str]) -> str:
        if not self._index:
            self._texts[name] = text()
        return self._texts[name]

    def publish(self, name: str, text: str) -> None:
        self._texts[name] = text

    def published(self, name: str) -> str:
        return self._texts.get(name, "")


class Part(Checkpoints):
    """One of two processes, of which each writes one array."""

    def __init__(
        self, folder: Path, index: int, texts: dict[str, str], store: type = FolderStore, attempt: str = "now"
    ) -> None:
        self.said, self.saved = list[str](), list[str]()
        writer = Writer(index, 2, attempt, Told(index, texts))
        super().__init__(store(str(folder)), "this", self._hear, Policy(timeout_s=TIMEOUT_S), writer)

    def _hear(self, text: str) -> None:
        (self.saved if ": saved as " in text else self.said).append(text)

    def save_step(self, step: int) -> None:
        name = "ab"[self.writer.index]
        self.save(Mark(step, step), {name: LIKE[name] + step})


@pytest.fixture(autouse=True)
def both_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "writers", lambda state: {0, 1})


def parts(folder: Path, store: type = FolderStore) -> tuple[Part, Part]:
    """Of which the second has this store."""
    texts = dict[str, str]()
    return Part(folder, 0, texts), Part(folder, 1, texts, store)


def both_save(first: Part, second: Part, *steps: int) -> None:
    for step in steps:
        first.save_step(step)
        second.save_step(step)
        first.wait()


def newest(part: Part) -> int | None:
    found = part.newest(LIKE)
    return found[0].step if found else None


def test_process_0_publishes_what_all_processes_of_its_own_attempt_have_written(tmp_path: Path) -> None:
    old = Part(tmp_path, 1, {"train/saving/1": ""}, attempt="of an older start")
    old.save_step(20)
    old.wait()
    first, second = parts(tmp_path)
    first.save_step(20)
    first.wait()
    assert f"process 1 did not write its part within {TIMEOUT_S:g} s" in first.said[0]
    assert newest(first) is None
    second._number = 1  # it was not there for the first
    both_save(first, second, 40)
    found = first.newest(LIKE)
    assert found is not None
    assert (found[1]["a"].tolist(), found[1]["b"].tolist()) == ([40.0] * 4, 40)
    assert (first.saved, second.saved) == ([f"step 40: saved as {tmp_path}/step_00000040.json"], [])


class Refusing(FolderStore):
    """A store that takes nothing of step 20."""

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        if "00000020" in name:
            raise Failure(f"cannot write {name}: No space left on device")
        super().put(name, data, content_type)


def test_a_part_that_is_refused_is_told_at_once_and_the_next_checkpoint_is_whole(tmp_path: Path) -> None:
    first, second = parts(tmp_path, Refusing)
    began = time.monotonic()
    both_save(first, second, 20)
    assert time.monotonic() - began < TIMEOUT_S
    why = "process 1 did not write its part: cannot write step_00000020.1of2.safetensors: No space left on device"
    assert first.said == [f"the checkpoint of step 20 is not written: {why}. The one before stays in force"]
    both_save(first, second, 40)
    assert newest(first) == 40


class Slow(FolderStore):
    """A store that takes its time with step 20, until it is let go."""

    go_on = threading.Event()

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        assert "00000020" not in name or self.go_on.wait(20)
        super().put(name, data, content_type)


def test_where_one_cannot_follow_all_leave_checkpoints_out_and_nobody_waits(tmp_path: Path) -> None:
    Slow.go_on.clear()
    first, second = parts(tmp_path, Slow)
    began = time.monotonic()
    for step in (20, 40):
        first.save_step(step)
        second.save_step(step)
    assert time.monotonic() - began < TIMEOUT_S
    for part in (first, second):
        assert part.said[0].startswith("the checkpoint of step 40 is left out: that of step 20 is still being written")
    first.wait()  # and gives up on the second
    both_save(first, second, 60)
    assert "process 1 did not write its part: that of step 20 is still being written" in first.said[-1]
    Slow.go_on.set()
    second.wait()
    both_save(first, second, 80)
    assert newest(first) == 80


def test_the_last_one_names_whose_part_did_not_come_within_one_limit(tmp_path: Path) -> None:
    first, _ = parts(tmp_path)
    first.save_step(20)
    began = time.monotonic()
    with pytest.raises(Failure, match=f"process 1 did not write its part within {TIMEOUT_S:g} s"):
        first.save_last(Mark(40, 40), {"a": LIKE["a"]})
    assert time.monotonic() - began < 1.9 * TIMEOUT_S
