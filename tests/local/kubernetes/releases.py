"""Custom resource definitions as their projects release them: files of Go modules, whose digests are known."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from local.paths import CHECKOUT, cache_root
from setup import golang


def definitions(module: str, digest: str, files: Sequence[str]) -> list[dict[str, Any]]:
    """What the ``files`` of a module and its release hold; it is kept in Go's module cache.

    Skips, with the reason, where there is no Go or the module cannot be fetched.
    """
    go = golang.toolchain(CHECKOUT, cache_root())
    if go is None:
        pytest.skip(f"the definitions of {module} are a Go module's, and there is no Go: `make setup` makes it")
    environment = {**go.environment(cache_root()), "GONOSUMDB": module.partition("@")[0]}  # the digest is compared here
    command = [go.program, "mod", "download", "-json", module]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd="/", timeout=120)
    found = json.loads(answer.stdout or "{}")
    if answer.returncode:
        pytest.skip(f"the definitions of {module} cannot be fetched: {found.get('Error') or answer.stderr}")
    assert found["Sum"] == digest
    return [YAML(typ="safe").load(Path(found["Dir"], file)) for file in files]
