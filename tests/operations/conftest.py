"""A stack on this machine, and what its bucket is said to hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.paths import DataRoot
from operations import verdicts
from operations.workplace import Output, Workplace

from .smoke_test_jobs import NAME
from .verdict_sample import verdict


@pytest.fixture
def place(data_root: Path, quick_keys: None) -> Workplace:
    return Workplace("local", Output.TEXT, DataRoot(data_root))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the bucket holds by its address; the sample to begin with."""
    held = {f"s3://bucket/smoke-test/{NAME}/verdict.json": json.dumps(verdict()).encode()}
    monkeypatch.setattr(verdicts, "_read", lambda _place, uri: held.get(uri, b""))
    return held
