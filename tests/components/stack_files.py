"""A good stack file to spoil, and what is told of a spoilt one."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import ConfigurationError, Problem, load

GOOD = """config:
  aws:region: us-east-1
  aws:allowedAccountIds: ["123456789012"]
  ai-datacenter:name: aidc-test
  ai-datacenter:network:
    cidr: 10.0.0.0/16
  ai-datacenter:pools:
    cpu:
      instance_type: m7i.large
      desired_size: 2
  ai-datacenter:smoke_test:
    pool: cpu
"""


def problems(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load(file)
    return raised.value.problems


def only(tmp_path: Path, old: str, new: str) -> Problem:
    """The one problem of the good file with ``old`` as ``new``."""
    assert old in GOOD
    (problem,) = problems(tmp_path, GOOD.replace(old, new))
    return problem
