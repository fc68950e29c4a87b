"""The table of training data: the pipeline against one process that does the same plainly, on the same text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import Failed, Section, say, spread, table
from local.paths import CHECKOUT

_TEXT_BYTES = 25_000_000
# Source code fails most rules that were made for prose; every rule is computed all the same.
_LENIENT = {
    "max_symbol_ratio": 1, "min_alphabetic_words": 0, "min_mean_word_length": 0, "max_mean_word_length": 1000,
    "max_repeated_lines": 1, "max_repeated_line_characters": 1, "max_top_ngrams": [1, 1, 1],
}  # fmt: skip
_CLAIM = (
    "Both clean by the same rules and tokenise by the same tokenizer.json; the plain one signs documents with "
    "datasketch and has no states, no manifest and no fsync. Seconds are of the work, the start of workers included."
)


def sections(pairs: int) -> list[Section]:
    """One table of ``pairs`` pairs, in the order A-B-B-A."""
    return [
        Section("etl", "Training data of the standard library's sources: MB of raw text a second", lambda: _rows(pairs))
    ]


def _rows(pairs: int) -> str:
    cores = len(os.sched_getaffinity(0))
    counts = sorted({1, cores})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = _write_text(folder / "text.jsonl")
        tokenizer = _tokenizer(folder)
        taken: dict[int, list[float]] = {0: [], **{count: [] for count in counts}}  # 0: the plain one
        kept: dict[int, int] = {}
        for pair in range(pairs):
            order = [0, *counts]
            for workers in order if pair % 2 == 0 else order[::-1]:
                say(f"etl, pair {pair + 1}: {f'{workers} process(es)' if workers else 'plain'}")
                found = _once(folder, f"{pair}-{workers}", workers, tokenizer)
                taken[workers].append(size / 1e6 / found["seconds"])
                kept[workers] = found["documents_kept"]
    rows = [("plain, one process", spread(taken[0]), "1", f"{kept[0]:,}")]
    for count in counts:
        ratios = [own / plain for own, plain in zip(taken[count], taken[0], strict=True)]
        rows.append((f"etl, {count} process(es)", spread(taken[count]), spread(ratios), f"{kept[count]:,}"))
    head = ("", "MB/s", "÷ plain", "documents kept")
    return f"{size / 1e6:.1f} MB of text, {pairs} pairs. {_CLAIM}\n\n{table(head, rows)}"


def _write_text(file: Path) -> int:
    """Python's sources as lines of JSON; the bytes written."""
    library, size = Path(sysconfig.get_path("stdlib")), 0
    with file.open("w") as lines:
        for path in sorted(library.rglob("*.py")):
            if "site-packages" not in path.parts and size < _TEXT_BYTES:
                size += lines.write(json.dumps({"text": path.read_text(errors="ignore")}) + "\n")
    return size


def _settings(folder: Path, output: str, workers: int, tokenizer: str = "") -> dict[str, Any]:
    return {
        "sources": [str(folder / "text.jsonl")], "output": str(folder / output), "clean": _LENIENT, "workers": workers,
        "tokenizer": tokenizer, "vocabulary": 16_000, "tokenizer_sample_bytes": 2_000_000, "shard_tokens": 1 << 21,
    }  # fmt: skip


def _tokenizer(folder: Path) -> str:
    """Trained once, and of no run's seconds."""
    say("etl: the tokenizer")
    _python("etl", ["run"], _settings(folder, "first", 1))
    return str(folder / "first" / "tokenizer.json")


def _once(folder: Path, output: str, workers: int, tokenizer: str) -> Mapping[str, Any]:
    settings = _settings(folder, output, workers, tokenizer)
    if workers:
        return _python("etl", ["run"], settings)
    file = folder / f"{output}.json"
    file.write_text(json.dumps(settings))
    return _python("benchmarks.plain_etl", [str(file), tokenizer], settings)


def _python(module: str, arguments: list[str], settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a process printed last."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "workloads"), "ETL_CONFIG": json.dumps(settings)}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise Failed(f"`python -m {module}` ended with {done.returncode}: {done.stderr[-300:].strip()}")
    return json.loads(done.stdout.splitlines()[-1])
