"""``python -m train`` hears SIGTERM before it has imported what it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.workloads.conftest import WORKLOADS


def test_told_to_stop_while_jax_is_imported_it_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "jax.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{WORKLOADS}", "TRAIN_CONFIG": "{}"}
    ended = subprocess.run(
        [sys.executable, "-m", "train"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "train: FAIL: told to stop (SIGTERM) while starting: nothing was done\n"
