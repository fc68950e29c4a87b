"""``python -m train`` hears SIGTERM and Ctrl-C before it has imported what it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from train import __main__ as train
from train.checks import __main__ as checks
from train.config.job import load

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


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            "train",
            (
                "TRAIN_CONFIG, a JSON object",
                "A preset in it is taken instead of --config",
                "python -m train --config 124m",
            ),
        ),
        ("train.checks", ("Check this machine", "ACCELERATOR='{", "--verify-node")),
    ],
)
def test_the_help_is_plain_says_what_it_is_told_by_and_needs_no_jax(
    tmp_path: Path, module: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "jax.py").write_text("raise SystemExit('imported')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{WORKLOADS}", "COLUMNS": "100"}
    command = [sys.executable, "-m", module, "--help"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True).stdout
    assert [word for word in words if word not in told] == []
    assert "example:" in told
    assert not [mark for mark in ("``", ":mod:", "~") if mark in told]


def examples(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "python -m" in line and "='" in line]


def test_the_examples_of_the_help_are_settings_that_are_taken() -> None:
    for text, variable in ((train._TOLD, "TRAIN_CONFIG"), (checks._TOLD, "ACCELERATOR")):
        (example,) = examples(text)
        given = example.partition("='")[2].partition("'")[0]
        assert load({variable: given})
