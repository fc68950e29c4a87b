"""The registry: what it scans, and for whom else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.registry import Registry, RegistryArgs, RepositoryArgs
from components.settings import RegistryConfig

from .mocks import run

SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"


def scanning(tmp_path: Path, **config: Any) -> list[dict[str, Any]]:
    def declare() -> None:
        repository = RepositoryArgs(name="dc", config=RegistryConfig(**config), key_arn="arn:key", retain=True)
        Registry("registry", RegistryArgs(repository=repository, workloads=tmp_path))

    return list(run(lambda: declare())[0].of(SCANNING).values())  # type: ignore[func-returns-value]


def test_the_registry_s_own_setting_is_left_alone_unless_asked_for(tmp_path: Path) -> None:
    assert scanning(tmp_path) == []


@pytest.mark.parametrize(("kind", "frequency"), [("basic", "SCAN_ON_PUSH"), ("enhanced", "CONTINUOUS_SCAN")])
def test_one_that_is_asked_for_leaves_out_no_repository_of_anybody(tmp_path: Path, kind: str, frequency: str) -> None:
    (made,) = scanning(tmp_path, scanning=kind)
    everything = [{"filter": "*", "filterType": "WILDCARD"}]
    assert (made["scanType"], made["rules"]) == (
        kind.upper(),
        [{"scanFrequency": frequency, "repositoryFilters": everything}],
    )
