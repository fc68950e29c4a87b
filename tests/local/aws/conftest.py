"""A moto server of its own for these tests, in a temporary data root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import moto
from local.aws.provider import AwsProvider
from local.paths import DataRoot
from tests.local.aws.driver import Driver


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataRoot]:
    root = DataRoot(Path(tmp_path_factory.mktemp("aws")))
    yield root
    moto.stop(root)


@pytest.fixture
def driver(root: DataRoot) -> Driver:
    """A provider instance as a fresh process would have it: it knows nothing of the state yet."""
    return Driver(AwsProvider(root)).configure(region="us-east-1", defaultTags='{"tags": {"stack": "test"}}')
