from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from train.checkpoint.store import Data, FolderStore
from train.checks import storage
from train.checks.storage import time_store
from train.config.failure import Failure


def test_writing_and_reading_are_timed_and_nothing_is_left(tmp_path: Path) -> None:
    assert min(time_store(FolderStore(str(tmp_path)), 0)) > 0
    assert list(tmp_path.iterdir()) == []


class Timed(FolderStore):
    """A store that takes two seconds to write and half of one to read, by its own clock; the first times, longer."""

    now, cold = 0.0, 30.0

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        super().put(name, data, content_type)
        self.now += 2 + self.cold
        self.cold /= 10

    def get(self, name: str) -> bytes | None:
        self.now += 0.5
        return super().get(name)


def test_each_way_has_its_own_speed_once_it_is_warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Timed(str(tmp_path))
    monkeypatch.setattr(storage, "time", SimpleNamespace(perf_counter=lambda: store.now))
    assert time_store(store, 0) == (pytest.approx(storage.SIZE_BYTES / 2, rel=0.05), storage.SIZE_BYTES / 0.5)


def test_a_place_that_refuses_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="cannot write"):
        time_store(FolderStore(str(tmp_path / "file")), 0)


def test_other_bytes_than_were_written_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderStore, "get", lambda self, name: b"other")
    with pytest.raises(Failure, match="gave other bytes back than process 3 wrote"):
        time_store(FolderStore(str(tmp_path)), 3)
    assert list(tmp_path.iterdir()) == []
