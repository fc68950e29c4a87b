"""Tables of the training job: its step against PyTorch's, and its checkpoints against a plain write with fsync."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import Failed, NotMeasured, Section, say, spread, table
from local.paths import CHECKOUT

TORCH_PYTHON = "TORCH_PYTHON"
_SHAPE = {"layers": 4, "width": 128, "heads": 4, "context": 64, "vocabulary": 256}  # nanoGPT's for a CPU, over bytes
_ROWS = 12
_TIMED = 60
_SETTINGS = {
    "batch_size": _ROWS, "steps": 100_000, "learning_rate": 1e-3, "warmup_steps": 5, "weight_decay": 0.1,
    "clip_norm": 1.0,
}  # fmt: skip
_LOSS_TOLERANCE = 1e-4
_SIZES = {"4 MiB in 64 arrays": (1 << 16, 64), "1 GiB in 64 arrays": (1 << 24, 64)}  # bytes of one, and how many


def sections(pairs: int) -> list[Section]:
    """One table of steps, one of checkpoints, each of ``pairs`` pairs in the order A-B-B-A."""
    shape = "4 layers, 128 wide, 12 × 64 tokens"
    return [
        Section("train", f"A training step on the CPU against PyTorch eager: {shape}", lambda: _steps(pairs)),
        Section("train", "Checkpoints against a plain write with fsync", lambda: _checkpoints(pairs)),
    ]


def _steps(pairs: int) -> str:
    python = os.environ.get(TORCH_PYTHON, "")
    if not python:
        raise NotMeasured(
            "PyTorch is no dependency of this project, for its wheels unpack to 5 GB; put it into an environment of "
            f"its own and give that one's python as {TORCH_PYTHON}"
        )
    rows, version = [], ""
    for architecture in ("gpt2", "llama"):
        ours, torch = list[float](), list[float]()
        with tempfile.TemporaryDirectory() as name:
            settings = _write_settings(Path(name), architecture)
            for pair in range(pairs):
                for side in ("ours", "torch") if pair % 2 == 0 else ("torch", "ours"):
                    say(f"{architecture}, pair {pair + 1}: {side}")
                    found = _process(sys.executable if side == "ours" else python, f"step_{side}", settings)
                    (ours if side == "ours" else torch).append(1e3 * found["seconds"])
                    _compare(settings, side, found["losses"])
                    version = found.get("version", version)
        ratios = [b / a for a, b in zip(ours, torch, strict=True)]
        rows.append((architecture, spread(ours, 1), spread(torch, 1), spread(ratios)))
    head = ("architecture", "ours, ms", f"PyTorch {version}, ms", "speed ÷ PyTorch's")
    claim = (
        f"{pairs} pairs of processes, each the median of {_TIMED} steps. Both begin with the same float32 parameters "
        f"and see the same batch; their first five losses agree to {_LOSS_TOLERANCE:g}, or "
        "there is no table. PyTorch's AdamW is the fused one. Ours also checks that the step is finite."
    )
    return f"{claim}\n\n{table(head, rows)}"


def _write_settings(folder: Path, architecture: str) -> Path:
    file = folder / "settings.json"
    file.write_text(json.dumps({**_SETTINGS, "model": {"architecture": architecture, **_SHAPE}}))
    tokens = np.random.default_rng(0).integers(0, _SHAPE["vocabulary"], (_ROWS, _SHAPE["context"] + 1))
    np.save(folder / "tokens.npy", tokens.astype(np.int32))
    return file


def _process(python: str, script: str, settings: Path) -> Mapping[str, Any]:
    path = f"{CHECKOUT / 'workloads'}:{CHECKOUT}" if script == "step_ours" else ""
    environment = {**os.environ, "PYTHONPATH": path, "JAX_PLATFORMS": "cpu"}
    command = [python, str(CHECKOUT / "benchmarks" / f"{script}.py"), str(settings), str(_TIMED)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise Failed(f"`{script}.py` ended with {done.returncode}: {done.stderr[-300:].strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def _compare(settings: Path, side: str, losses: list[float]) -> None:
    """Against those of the other side, or of the first run."""
    file = settings.with_name("losses.json")
    if not file.exists():
        file.write_text(json.dumps(losses))
    if not np.allclose(losses, json.loads(file.read_text()), atol=_LOSS_TOLERANCE):
        raise Failed(f"the two sides do not compute the same: {side} loses {losses}, not {file.read_text()}")


def _checkpoints(pairs: int) -> str:
    rows = []
    for what, (size, count) in _SIZES.items():
        taken: dict[str, list[float]] = {"plain": [], "written": [], "read back": [], "held up": []}
        for pair in range(pairs):
            order = ("plain", "written", "read back")
            for side in order if pair % 2 == 0 else order[::-1]:
                say(f"{what}, pair {pair + 1}: {side}")
                with tempfile.TemporaryDirectory(dir=CHECKOUT.parent) as folder:
                    seconds, held_up = _write(Path(folder), side, size, count)
                taken[side].append(seconds)
                taken["held up"] += [held_up] if side != "plain" else []
        total = size * count
        ratios = {
            side: [plain / own for own, plain in zip(taken[side], taken["plain"], strict=True)]
            for side in ("written", "read back")
        }
        speed = [spread([total / 1e9 / seconds for seconds in taken[side]]) for side in ("plain", "written")]
        held_up = f"{1e3 * statistics.median(taken['held up']):.1f}"
        rows.append((what, *speed, spread(ratios["written"]), spread(ratios["read back"]), held_up))
    head = (
        "size", "plain, GB/s", "checkpoint, GB/s", "÷ plain", "÷ plain, read back too", "training held up, ms"
    )  # fmt: skip
    claim = (
        f"{pairs} pairs, in a folder beside the checkout. A checkpoint is on the disk, hashed and published; with "
        "`read_back` (the default) it is also read and hashed again before it counts. Plain is one file, one write, "
        "one fsync. The training is held up by a copy of its arrays alone."
    )
    return f"{claim}\n\n{table(head, rows)}"


def _write(folder: Path, side: str, size: int, count: int) -> tuple[float, float]:
    """Seconds until it is on the disk, and those that the training waits."""
    sys.path[:0] = [str(CHECKOUT / "workloads")] if str(CHECKOUT / "workloads") not in sys.path else []
    from train.checkpoint.checkpoints import Checkpoints
    from train.checkpoint.manifest import Mark
    from train.checkpoint.store import FolderStore
    from train.checkpoint.writer import Policy

    state = {f"a{n}": np.full(size // 4, n, np.float32) for n in range(count)}
    os.sync()
    began = time.perf_counter()
    if side == "plain":
        data = b"".join(array.tobytes() for array in state.values())
        began = time.perf_counter()
        with (folder / "plain").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return time.perf_counter() - began, 0.0
    policy = Policy(read_back=side == "read back")
    checkpoints = Checkpoints(FolderStore(str(folder)), "bench", lambda told: None, policy)
    checkpoints.save(Mark(1, 1), state)
    held_up = time.perf_counter() - began
    checkpoints.wait()
    if checkpoints.failure is not None:
        raise Failed(str(checkpoints.failure))
    return time.perf_counter() - began, held_up
