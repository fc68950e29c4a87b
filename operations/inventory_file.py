"""``inventory.yaml``: machines that Pulumi did not make. ``docs/inventory.example.yaml`` shows every key.

Everything that is wrong is told at once, with its place in the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML

from components.config import Problem
from components.config.stack_file import Document, Key, Position, read
from operations.exits import Exit, OperationFailed
from playbooks import PLAYBOOKS
from playbooks.inventory import Host, Inventory

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
GroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

ROLE_VARIABLES = "playbooks/roles/*/meta/argument_specs.yml"
_ITSELF = "localhost"
_GROUPS = ("nodes", "monitoring")  # of which the playbooks know


def _own_path(value: Any) -> Any:
    """A path as text, with ``~`` as the home folder."""
    try:
        return Path(value).expanduser() if isinstance(value, str) else value
    except RuntimeError:  # what pathlib raises for a user whom this machine does not know
        user = Path(value).parts[0]
        raise PydanticCustomError("home", "{user} is no home folder of this machine", {"user": user}) from None


OwnPath = Annotated[Path, BeforeValidator(_own_path)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class HostEntry(_Section):
    """One machine."""

    address: Annotated[str, StringConstraints(min_length=1)] = Field(description="IP address or DNS name.")
    port: int = Field(default=22, ge=1, le=65535, description="Port of its SSH server.")
    user: str = Field(default="root", description="Who enters; another than root needs sudo without a password.")
    key_file: OwnPath | None = Field(default=None, description="Private key; absent: the user's agent.")
    groups: tuple[GroupName, ...] = Field(default=(), strict=False, description="Ansible groups.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Variables of roles.")


class InventoryFile(_Section):
    """The whole file."""

    known_hosts: OwnPath | None = Field(default=None, description="Host keys; absent: the user's own.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Variables of roles, for every machine.")
    hosts: dict[Name, HostEntry] = Field(min_length=1, description="The machines by name.")


def load(path: Path) -> Inventory:
    """The inventory in a file.

    Raises:
        OperationFailed: the file cannot be read, or is wrong; with every problem, not only the first.
    """
    try:
        document = read(path)
    except OSError as error:
        raise OperationFailed(f"{path} cannot be read: {error.strerror}", Exit.CONFIGURATION) from None
    problems = [_problem(path, fault.at, fault.key, fault.message) for fault in document.faults]
    parsed = None if problems else _parse(path, document, problems)
    if parsed is None:
        ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
        raise OperationFailed("\n".join(map(str, ordered)), Exit.CONFIGURATION)
    hosts = tuple(
        Host(name=name, **{field: getattr(entry, field) for field in HostEntry.model_fields})
        for name, entry in parsed.hosts.items()
    )
    return Inventory(hosts=hosts, variables=parsed.variables, known_hosts=parsed.known_hosts)


def _parse(path: Path, document: Document, problems: list[Problem]) -> InventoryFile | None:
    try:
        parsed = InventoryFile.model_validate(document.values)
    except ValidationError as error:
        problems += [_told(path, document, found) for found in error.errors(include_url=False)]
        return None
    problems += _reserved_names(path, document, parsed)
    problems += _misspelt_groups(path, document, parsed)
    problems += _unknown_variables(path, document, parsed)
    return None if problems else parsed


def _told(path: Path, document: Document, found: Any) -> Problem:
    key: Key = tuple(part for part in found["loc"] if part != "[key]")
    is_key = found["type"] == "extra_forbidden" or "[key]" in found["loc"]
    at = document.where(key, of_key=is_key)
    if found["type"] == "extra_forbidden":
        model = HostEntry if key[:1] == ("hosts",) else InventoryFile
        return _problem(path, at, key, "no such key", tuple(model.model_fields))
    message = "is missing" if found["type"] == "missing" else str(found["msg"]).replace("Input should", "should")
    return _problem(path, at, key, message[0].lower() + message[1:])


def _reserved_names(path: Path, document: Document, parsed: InventoryFile) -> Iterator[Problem]:
    """The playbooks take a host of this name for a watcher that configures itself: it would be that and a node."""
    if _ITSELF in parsed.hosts:
        key: Key = ("hosts", _ITSELF)
        message = "means the machine that configures itself; name this one otherwise, and keep its address"
        yield _problem(path, document.where(key, of_key=True), key, message)


def _misspelt_groups(path: Path, document: Document, parsed: InventoryFile) -> Iterator[Problem]:
    """A group may be called anything, and is good for ``--limit``; but one off by a letter makes a watcher a node."""
    for name, entry in parsed.hosts.items():
        for number, group in enumerate(entry.groups):
            if any(_is_off_by_a_letter(group.lower(), known) for known in _GROUPS if known not in entry.groups):
                key: Key = ("hosts", name, "groups", number)
                message = "is no group of the playbooks, and looks like one"
                yield _problem(path, document.where(key), key, message, _GROUPS, group)


def _is_off_by_a_letter(text: str, known: str) -> bool:
    """With one letter more, less or other, or two that changed places; a number at the end is meant."""
    if text[-1].isdigit():
        return False
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, known, strict=False)))
    ends = {(text[first:], known[first:]), (text[first + 1 :], known[first:])}
    ends |= {(text[first:], known[first + 1 :]), (text[first + 1 :], known[first + 1 :])}
    swapped = text[first : first + 2] == known[first : first + 2][::-1] and text[first + 2 :] == known[first + 2 :]
    return first > 0 and (swapped or any(one == other for one, other in ends))


def _unknown_variables(path: Path, document: Document, parsed: InventoryFile) -> Iterator[Problem]:
    known = tuple(role_variables())
    places: list[tuple[Key, dict[str, Any]]] = [(("variables",), parsed.variables)]
    places += [(("hosts", name, "variables"), entry.variables) for name, entry in parsed.hosts.items()]
    for place, variables in places:
        for name in sorted(set(variables) - set(known)):
            key = (*place, name)
            yield _problem(path, document.where(key, of_key=True), key, "no role takes this variable", known)


def role_variables() -> Iterator[str]:
    """The variables that the roles take, as they document them."""
    for path in sorted(PLAYBOOKS.parent.glob(ROLE_VARIABLES)):
        yield from YAML(typ="safe").load(path)["argument_specs"]["main"]["options"]


def _problem(
    path: Path, at: Position, key: Key, message: str, allowed: tuple[str, ...] = (), value: str | None = None
) -> Problem:
    """``value``: what is wrong, where it is not the key's last part."""
    text = value or (str(key[-1]) if key else "")
    near = next(iter(difflib.get_close_matches(text, allowed, n=1)), None)
    return Problem(
        file=path, line=at.line, column=at.column, key=".".join(map(str, key)) or "the file", message=message,
        allowed=allowed, nearest=near, value=text, catalogue=ROLE_VARIABLES,
    )  # fmt: skip
