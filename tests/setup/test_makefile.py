"""What a target may change on the machine: packages are installed where machines are wanted, and nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def run(*arguments: str, folder: Path = CHECKOUT, **variables: str) -> subprocess.CompletedProcess[str]:
    """make, without what a make that runs these tests passes on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | variables
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def commands_of(target: str) -> str:
    """What make would run."""
    done = run("--dry-run", target)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("target", ["setup", "doctor", "check", "unit", "real", "molecule", "soak", "down"])
def test_targets_that_run_without_machines_install_nothing(target: str) -> None:
    assert "--machines" not in commands_of(target)


@pytest.mark.parametrize("target", ["up", "hosts", "test", "bench", "setup-machines"])
def test_targets_that_boot_machines_make_what_they_need(target: str) -> None:
    assert "-m setup --machines" in commands_of(target)


def test_the_doctor_makes_nothing_where_there_is_no_environment(tmp_path: Path) -> None:
    for package in ("setup", "local"):
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    done = run("doctor", folder=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert "There is no environment yet" in done.stderr
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / ".venv").is_symlink()


def test_every_target_that_the_help_names_is_one() -> None:
    listed = run("help").stdout
    assert "make setup-machines" in listed
    for line in listed.splitlines():
        assert commands_of(line.split()[1])
