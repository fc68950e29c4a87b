"""The playbooks on machines that boot systemd: a check, a run, a second that changes nothing, and a look."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks import PLAYBOOKS

PROGRAMS = ("podman", "mmdebstrap", "ssh-keygen", "runc")
OWN = f"aidc-molecule-{hashlib.sha256(str(PLAYBOOKS).encode()).hexdigest()[:8]}"
"""How the names of this checkout's machines and of their network begin."""


def lacking() -> str:
    """Why machines cannot be booted here; empty where they can."""
    if os.geteuid() != 0:
        return "machines that boot systemd need root"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"not on PATH: {', '.join(missing)}" if missing else ""


def environment_in(folder: Path) -> dict[str, str]:
    """Molecule's, with this checkout's names."""
    programs = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": programs, "ANSIBLE_HOME": str(folder / "home"), "MOLECULE_EPHEMERAL_DIRECTORY": str(folder / "run")}
    return {**os.environ, **own, "AIDC_MOLECULE": OWN}


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Molecule's, with everything that it writes in a folder of its own."""
    folder = tmp_path_factory.mktemp("m")
    found = environment_in(folder)
    yield found
    subprocess.run(["molecule", "destroy"], cwd=PLAYBOOKS, env=found, capture_output=True, check=False)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_a_second_run_changes_nothing_and_the_machines_do_what_was_asked(environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["molecule", "test"], cwd=PLAYBOOKS, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]


@pytest.mark.real
def test_nothing_is_removed_that_is_not_this_checkouts(tmp_path: Path) -> None:
    programs, asked = tmp_path / "bin", tmp_path / "asked"
    programs.mkdir()
    (programs / "podman").write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    (programs / "podman").chmod(0o755)
    environment = environment_in(tmp_path)
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["molecule", "destroy"], cwd=PLAYBOOKS, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert asked.read_text().splitlines() == [
        f"rm --force --ignore --volumes --time=0 {OWN}-0",
        f"rm --force --ignore --volumes --time=0 {OWN}-1",
        f"rm --force --ignore --volumes --time=0 {OWN}-2",
        f"network rm --force {OWN}",
    ]
