"""Every role has the same skeleton, and its variables are documented, prefixed, and given defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from playbooks import PLAYBOOKS

ROLES = sorted(path for path in (PLAYBOOKS / "roles").iterdir() if path.is_dir())
TASKS = ("preflight.yml", "install.yml", "configure.yml", "main.yml")
HELPERS = ("systemd_unit",)


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path) if path.exists() else {}


def options(role: Path) -> dict[str, dict[str, Any]]:
    return read(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


@pytest.mark.parametrize("role", [role for role in ROLES if role.name not in HELPERS], ids=lambda role: role.name)
def test_a_role_looks_installs_and_configures_in_files_of_these_names(role: Path) -> None:
    assert all((role / "tasks" / name).is_file() for name in TASKS)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_a_role_takes_is_documented_and_has_the_default_that_its_documentation_says(role: Path) -> None:
    defaults = read(role / "defaults" / "main.yml")
    for name, option in options(role).items():
        assert name.startswith(f"{role.name}_")
        assert option.get("description")
        assert name in defaults or option.get("required")
        if "default" in option:
            assert defaults[name] == option["default"], name
    assert set(defaults) <= set(options(role))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_a_role_keeps_to_itself_is_marked(role: Path) -> None:
    for path in sorted((role / "vars").glob("*.yml")):
        assert all(name.startswith(f"_{role.name}_") for name in read(path)), path


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_where_names_differ_every_known_system_names_the_same_things(role: Path) -> None:
    found = [set(read(path)) for path in sorted((role / "vars").glob("[A-Z]*.yml"))]
    assert all(names == found[0] for names in found)
    assert len(found) in (0, 2)


def test_the_playbooks_name_every_role_and_none_twice() -> None:
    plays = [play for name in ("nodes", "monitoring") for play in read(PLAYBOOKS / f"{name}.yml")]
    assert sorted({*(role for play in plays for role in play["roles"]), *HELPERS}) == [role.name for role in ROLES]
    assert all(len(set(play["roles"])) == len(play["roles"]) for play in plays)


def test_the_playbook_of_everything_is_those_two() -> None:
    site = read(PLAYBOOKS / "site.yml")
    assert [one["ansible.builtin.import_playbook"] for one in site] == ["nodes.yml", "monitoring.yml"]
