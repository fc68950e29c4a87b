"""Playbooks of a test's own, run on this machine through Ansible's local connection: no root, no SSH, no network."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from playbooks.inventory import Host


@pytest.fixture
def temp_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which must be empty afterwards."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def here(name: str, **variables: Any) -> Host:
    """This machine as a host."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return Host(name=name, address="127.0.0.1", variables={**local, **variables})


def nowhere(name: str) -> Host:
    """A host that refuses every connection: nothing listens on port 1."""
    return Host(name=name, address="127.0.0.1", port=1)


def play(folder: Path, *tasks: dict[str, Any]) -> Path:
    """A project whose ``site.yml`` has these tasks."""
    content = [{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": list(tasks)}]
    (folder / "site.yml").write_text(json.dumps(content))  # which is YAML
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine plays the hosts too, and Ansible keeps things in the home folder of a host's user."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
