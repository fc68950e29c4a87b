"""What machines need is installed, nothing else, and nothing of the host's is removed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup import packages
from setup.children import Children, CommandFailed
from setup.step import NoMachines, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "cache", tmp_path, Children())


def test_what_is_missing_is_installed_and_named_and_nothing_is_removed(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(site.children, "run", lambda argv, *_, **__: ran.append(list(argv)))
    packages.install((), site)
    assert ran == []
    packages.install(("podman", "runc"), site)
    assert [command[-1] for command in ran] == ["update", "runc"]
    assert ran[1][-2:] == ["podman", "runc"]
    assert "--no-remove" in ran[1]
    assert "apt-get install podman runc" in capsys.readouterr().err


def test_an_installation_that_fails_is_a_reason_against_machines_only(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise CommandFailed("`apt-get update` ended with status 100")

    monkeypatch.setattr(site.children, "run", fail)
    with pytest.raises(NoMachines, match="podman could not be installed: `apt-get update`"):
        packages.install(("podman",), site)
