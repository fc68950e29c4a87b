"""A backend of its own for every test, and a key that takes no time to derive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local.engine.store import ResourceState, SecretsManager, StateStore

PREFIX = "urn:pulumi:dev::shop::test:index:Thing::"


@pytest.fixture
def secrets(quick_keys: None) -> SecretsManager:
    return SecretsManager("correct horse")


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
