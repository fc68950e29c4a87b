"""A backend of its own for every test, and one derived key for all of them (each derivation takes 0.2 s)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local.engine.store import ResourceState, SecretsManager, StateStore

PREFIX = "urn:pulumi:dev::shop::test:index:Thing::"


@pytest.fixture(scope="session")
def secrets() -> SecretsManager:
    manager = SecretsManager("correct horse")
    manager.unlock()
    return manager


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, secrets: SecretsManager, notices: list[str]) -> StateStore:
    return StateStore(tmp_path / "state", "shop", "dev", secrets, notices.append)


@pytest.fixture
def thing() -> Callable[..., ResourceState]:
    def make(name: str, **fields: object) -> ResourceState:
        given: dict[str, object] = {"type": "test:index:Thing", "custom": False, "id": "", **fields}
        return ResourceState(urn=PREFIX + name, **given)  # type: ignore[arg-type]

    return make
