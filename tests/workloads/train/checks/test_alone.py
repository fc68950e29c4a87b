"""``python -m train.checks`` as a command: what ends it before its end is a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workloads.conftest import HEARS_CTRL_C, WORKLOADS


@pytest.mark.parametrize(("told", "status"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_told_to_stop_the_checks_say_so_and_end_also_while_jax_is_imported(
    tmp_path: Path, told: str, status: int
) -> None:
    (tmp_path / "jax.py").write_text(f"import os, signal, time\nos.kill(os.getpid(), signal.{told})\ntime.sleep(60)\n")
    (tmp_path / "sitecustomize.py").write_text(HEARS_CTRL_C)
    ended = subprocess.run(
        [sys.executable, "-m", "train.checks"], env={**os.environ, "PYTHONPATH": f"{tmp_path}:{WORKLOADS}"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (status, "")
    assert ended.stderr == f"checks: FAIL: told to stop ({told}): the checks did not come to their end\n"
