"""Text that passes the rules, made from a seed; runs in this process, and as the processes that people start."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from etl.config import EtlConfig
from etl.pipeline import run

WORKLOADS = Path(__file__).resolve().parents[3] / "workloads"
Run = Callable[..., dict[str, Any]]


@functools.cache
def language() -> list[str]:
    """2,000 made-up words."""
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return ["".join(letters[random.integers(0, 26, random.integers(3, 9))]) for _ in range(2000)]


def words_of(seed: int, count: int = 120) -> list[str]:
    """Words of the language; no two documents are alike."""
    return [language()[number] for number in np.random.default_rng(seed).integers(0, 2000, count)]


def text_of(seed: int, count: int = 120) -> str:
    """A document of ten words a line."""
    words = words_of(seed, count)
    return "\n".join(" ".join(words[start : start + 10]) for start in range(0, count, 10))


@pytest.fixture(scope="session")
def documents() -> list[str]:
    return [text_of(seed) for seed in range(60)]


@pytest.fixture
def sources(tmp_path: Path, documents: list[str]) -> Path:
    """A folder of two files: one of lines, with what is dropped between them, and one document of its own."""
    folder = tmp_path / "sources"
    folder.mkdir()
    lines = [json.dumps({"text": text}) for text in documents[:50]]
    lines[10:10] = ["{", "", json.dumps({"body": "x"}), json.dumps({"text": "short"}), lines[3]]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
    for number, text in enumerate(documents[50:]):
        (folder / f"b{number}.txt").write_text(text)
    return folder


@pytest.fixture
def settings(tmp_path: Path, sources: Path) -> dict[str, Any]:
    return {
        "sources": [str(sources)], "output": str(tmp_path / "out"), "vocabulary": 400, "shard_tokens": 4000,
        "workers": 1, "batch_bytes": 5000,
    }  # fmt: skip


@pytest.fixture
def etl(settings: dict[str, Any]) -> Run:
    """A run in this process; returns its manifest."""

    def carry_out(said: list[str] | None = None, anew: bool = False, **changes: Any) -> dict[str, Any]:
        lines: list[str] = [] if said is None else said
        return run(EtlConfig.model_validate({**settings, **changes}), lines.append, anew)

    return carry_out


def command(config: Mapping[str, Any], *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """``python -m etl`` with this configuration, as a pod gets it."""
    environment = {**os.environ, "PYTHONPATH": str(WORKLOADS), "ETL_CONFIG": json.dumps(dict(config))}
    return subprocess.Popen(
        [sys.executable, "-m", "etl", *(arguments or ("run",))], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def peak_of(work: Callable[[], Any]) -> int:
    """The most bytes that it held at a time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def files_of(folder: Path | str) -> dict[str, bytes]:
    """Every file of a folder, but for the lock."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.name != ".lock"}
