from __future__ import annotations

from pathlib import Path

import pytest
from train.checkpoint.store import FolderStore
from train.checks.storage import time_store
from train.config.failure import Failure


def test_writing_and_reading_are_timed_and_nothing_is_left(tmp_path: Path) -> None:
    assert min(time_store(FolderStore(str(tmp_path)), 0)) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_refuses_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="cannot write"):
        time_store(FolderStore(str(tmp_path / "file")), 0)


def test_other_bytes_than_were_written_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderStore, "get", lambda self, name: b"other")
    with pytest.raises(Failure, match="gave other bytes back than process 3 wrote"):
        time_store(FolderStore(str(tmp_path)), 3)
    assert list(tmp_path.iterdir()) == []
