"""`make clean` removes what machines start from; what cannot go is told, and keeps nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from local.podman import PodmanError
from operations import clean
from setup import setback

OURS = ("localhost/ai-datacenter/molecule:bookworm", "localhost/aidc-machine:01", "localhost/aidc-molecule:bookworm")
OTHERS = ("docker.io/library/debian:12", "localhost/mine:1", "<none>:<none>")
ROOT, SOMEBODY = 0, 1000


class Podman:
    """Lists images, refuses to remove some, and keeps what it was asked."""

    def __init__(self, refuses: tuple[str, ...] = ()) -> None:
        self.refuses = refuses
        self.asked: list[str] = []

    def __call__(self, verb: str, *arguments: str) -> str:
        self.asked.append(" ".join((verb, *arguments)))
        if verb in self.refuses or arguments[0] in self.refuses:
            raise PodmanError(f"`podman {verb}` failed: in use")
        return "\n".join((*OURS, *OTHERS)) if verb == "images" else ""

    def removed(self) -> list[str]:
        return [words.removeprefix("rmi ") for words in self.asked if words.startswith("rmi ")]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = tmp_path / "ai-datacenter"
    for name in ("machine-01", "python-01", "store-01", "jax-machines", "kubernetes-01"):
        (cache / name).mkdir(parents=True)
    (cache / "machine-01.lock").touch()
    setback.remember(cache, "what was in the way of them", for_a_day=True)
    return cache


def cleans(monkeypatch: pytest.MonkeyPatch, uid: int, podman: Podman) -> int:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(clean, "podman", podman)
    return clean.main()


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir())


def test_our_images_and_folders_go_and_nothing_else(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    podman = Podman()
    assert cleans(monkeypatch, ROOT, podman) == 0
    assert podman.removed() == list(OURS)
    assert left(cache) == ["kubernetes-01"]


def test_an_ordinary_users_podman_is_not_asked(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    podman = Podman(refuses=("images",))
    assert cleans(monkeypatch, SOMEBODY, podman) == 0
    assert podman.asked == []
    assert left(cache) == ["kubernetes-01"]


@pytest.mark.parametrize(("refuses", "tried"), [(OURS[0], list(OURS)), ("images", [])])
def test_a_refusal_is_told_and_the_rest_goes(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refuses: str, tried: list[str]
) -> None:
    podman = Podman(refuses=(refuses,))
    assert cleans(monkeypatch, ROOT, podman) == 1
    assert podman.removed() == tried
    assert left(cache) == ["kubernetes-01"]
    assert "Not removed: `podman" in capsys.readouterr().err
