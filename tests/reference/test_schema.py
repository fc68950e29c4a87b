"""The schema takes every committed stack file, and refuses what the model refuses of single values."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from components.config import ConfigurationError, load
from reference.__main__ import ROOT
from reference.schema import schema
from tests.components.stack_files import GOOD

VALIDATOR = jsonschema.Draft7Validator(schema())
STACKS = sorted([*ROOT.glob("Pulumi.*.yaml"), *ROOT.glob("examples/**/Pulumi.*.yaml")])


def values(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.name)
def test_a_committed_stack_file_is_valid_and_names_the_schema_to_editors(file: Path) -> None:
    text = file.read_text()
    VALIDATOR.validate(values(text))
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (file.parent / first.partition("=")[2]).resolve() == ROOT / "schemas" / "stack.schema.json"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("us-east-1", "us-east-11"),
        ('["123456789012"]', "[]"),
        ('["123456789012"]', '["1234"]'),
        ("  ai-datacenter:name: aidc-test\n", ""),
        ("  ai-datacenter:name:", "  ai-datacenter:nane:"),
        ("aidc-test", "Aidc"),
        ("10.0.0.0/16", "10.0.0/16"),
        ("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    nat: both"),
        ("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    zones: [us-east-1a]"),
        ("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/16\n    flow_log_retention_days: 2"),
        ("m7i.large", "m7i.larg"),
        ("m7i.large", "ct6e-standard-4t"),
        ("desired_size: 2", "desired_size: -1"),
        ("desired_size: 2", 'desired_size: "2"'),
        ("desired_size: 2", "desired_size: 2.5"),
        ("desired_size: 2", "disk_size_gb: 100"),
        ("desired_size: 2", "desired_size: 2\n      labels: {a b: c}"),
        ("    cpu:", "    Cpu_:"),
        ("    pool: cpu", "    pool: 3"),
        ("  aws:region", "  ai-datacenter:retain_data: maybe\n  aws:region"),
        ("  aws:region", "  ai-datacenter:tags: {a: 1}\n  aws:region"),
    ],
)
def test_what_the_model_refuses_of_one_value_the_schema_refuses(tmp_path: Path, old: str, new: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    (tmp_path / "Pulumi.test.yaml").write_text(text)
    with pytest.raises(ConfigurationError):
        load(tmp_path / "Pulumi.test.yaml")
    assert not VALIDATOR.is_valid(values(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ai-datacenter:name", "name"),
        ("  aws:region", '  ai-datacenter:retain_data: "false"\n  aws:region'),
        ("  aws:region", "  other:key: {a: 1}\n  aws:region"),
        ("config:", "encryptionsalt: v1:x\nconfig:"),
    ],
)
def test_what_the_cli_makes_of_a_file_the_schema_takes(old: str, new: str) -> None:
    VALIDATOR.validate(values(GOOD.replace(old, new, 1)))


def test_every_field_is_described() -> None:
    made = copy.deepcopy(schema())
    for name, section in made["definitions"].items():
        assert section["description"], name
        for field, value in section["properties"].items():
            assert value.get("description"), f"{name}.{field}"
