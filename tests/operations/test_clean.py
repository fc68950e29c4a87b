"""`make clean` removes what machines start from, and nothing else of the caches."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations import clean
from operations.clean import STEPS


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    for name in ("venv", "kubernetes", *STEPS):
        (tmp_path / f"{name}-0123").mkdir()
        (tmp_path / f"{name}-0123.lock").touch()
    return tmp_path


def test_images_go_and_what_takes_minutes_to_build_stays(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    clean.clean(cache)
    left = sorted(path.name for path in cache.iterdir())
    assert left == ["kubernetes-0123", "kubernetes-0123.lock", "venv-0123", "venv-0123.lock"]


def test_of_podmans_images_only_ours_are_asked_for_and_removed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def podman(*arguments: str) -> str:
        asked.append(arguments)
        return "localhost/aidc-machine:0123\n" if arguments[0] == "images" else ""

    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/podman")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(clean, "podman", podman)
    removed = clean.clean(cache)
    assert "--filter=reference=localhost/aidc-*" in asked[0]
    assert asked[1:] == [("rmi", "localhost/aidc-machine:0123")]
    assert "localhost/aidc-machine:0123" in removed
