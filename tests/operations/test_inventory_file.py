"""A wrong inventory is refused before any machine is reached, all mistakes at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.paths import CHECKOUT
from operations.exits import Exit, OperationFailed
from operations.inventory_file import load


def refusal(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "inventory.yaml"
    path.write_text(text)
    with pytest.raises(OperationFailed) as refused:
        load(path)
    assert refused.value.status is Exit.CONFIGURATION
    return str(refused.value).splitlines()


def test_the_example_shows_every_key_and_is_taken() -> None:
    inventory = load(CHECKOUT / "docs" / "inventory.example.yaml")
    first, second, third = inventory.hosts
    assert (first.name, first.user, first.groups) == ("gpu-0", "admin", ("nodes", "gpu"))
    assert first.key_file == Path("~/.ssh/id_ed25519").expanduser()
    assert (second.port, second.user, second.key_file) == (22, "root", None)
    assert (third.name, third.groups) == ("watcher", ("monitoring",))


def test_all_mistakes_are_told_at_once_with_line_and_column(tmp_path: Path) -> None:
    said = refusal(tmp_path, "hosts:\n  a: {adress: 192.0.2.1}\n  b: {address: 192.0.2.2, port: 99999}\n")
    assert said[0].startswith("inventory.yaml:2:")
    assert any('inventory.yaml:2:7: hosts.a.adress: no such key. Did you mean "address"?' in line for line in said)
    assert any("hosts.a.address: is missing" in line for line in said)
    assert any(line.startswith("inventory.yaml:3:33: hosts.b.port: should be less than") for line in said)


def test_a_variable_that_no_role_takes_is_refused_with_the_nearest_that_one_does(tmp_path: Path) -> None:
    text = "hosts:\n  a:\n    address: h\n    variables:\n      base_time_server: [x]\n"
    (said,) = refusal(tmp_path, text)
    assert said.startswith("inventory.yaml:5:7: hosts.a.variables.base_time_server: no role takes this variable.")
    assert 'Did you mean "base_time_servers"?' in said
    assert said.endswith("playbooks/roles/*/meta/argument_specs.yml has them all.")


@pytest.mark.parametrize("group", ["monitorng", "Monitoring", "node", "NODES", "nodse", "monitoringg", "nodez"])
def test_a_group_that_looks_like_one_of_the_playbooks_is_refused_for_a_watcher_would_be_a_node(
    tmp_path: Path, group: str
) -> None:
    (said,) = refusal(tmp_path, f"hosts:\n  a: {{address: h, groups: [gpu, {group}]}}\n")
    assert said.startswith("inventory.yaml:2:33: hosts.a.groups.1: is no group of the playbooks, and looks like one.")
    assert said.endswith("Allowed: nodes, monitoring.")


def test_groups_of_one_s_own_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text("hosts:\n  a: {address: h, groups: [gpu, gpunodes, cpunodes, nodes_a, nodes1, monitored]}\n")
    assert load(file).hosts[0].groups == ("gpu", "gpunodes", "cpunodes", "nodes_a", "nodes1", "monitored")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "hosts: is missing"),
        ("hosts: {}\n", "hosts: "),
        ("- a\n", "the file: "),
        ("hosts: [\n", "this is not YAML"),
        ("hosts:\n  a: {address: h}\n  a: {address: i}\n", "stands here a second time"),
        ("hosts:\n  'a b': {address: h}\n", "hosts.a b"),
        ("hosts:\n  localhost: {address: h}\n", "inventory.yaml:2:3: hosts.localhost: means the machine"),
        ("hosts:\n  a:\n    address: h\n    key_file: ~nosuchuser/id\n",
         "inventory.yaml:4:15: hosts.a.key_file: ~nosuchuser is no home folder of this machine"),
        ("known_hosts: ~nosuchuser/known\nhosts: {a: {address: h}}\n", "inventory.yaml:1:14: known_hosts: ~nosuchuser"),
        ("hosts:\n  a: {address: h, port: 010}\n", "010 is turned into another value"),
    ],
)  # fmt: skip
def test_no_content_of_a_file_ends_in_a_traceback(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in line for line in refusal(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match=r"none\.yaml cannot be read: No such file"):
        load(tmp_path / "none.yaml")
