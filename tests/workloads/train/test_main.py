"""``python -m train`` hears SIGTERM and Ctrl-C before it has imported what it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workloads.conftest import HEARS_CTRL_C, WORKLOADS


@pytest.mark.parametrize("told", ["SIGTERM", "SIGINT"])
def test_told_to_stop_while_jax_is_imported_it_says_so_and_ends(tmp_path: Path, told: str) -> None:
    (tmp_path / "jax.py").write_text(f"import os, signal, time\nos.kill(os.getpid(), signal.{told})\ntime.sleep(60)\n")
    (tmp_path / "sitecustomize.py").write_text(HEARS_CTRL_C)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{WORKLOADS}", "TRAIN_CONFIG": "{}"}
    ended = subprocess.run(
        [sys.executable, "-m", "train"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"train: FAIL: told to stop ({told}) while starting: nothing was done\n"
