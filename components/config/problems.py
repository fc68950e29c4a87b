"""What is wrong in a stack file, told with its place and remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..settings import PROJECT
from .characters import deceiving, folded
from .stack_file import Document, Key, Position

NAMESPACES = (PROJECT, "aws")
LISTED = 40
"""So many allowed values, such as the regions, are listed; a longer list buries what is wrong."""
CLOSEST = 4
CATALOGUE = "docs/catalogue.md"
_RELEASE = re.compile(r"[0-9]+\.[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong in a stack file; line and column count from 1.

    Attributes:
        line: 0 where the value does not come from the file.
        key: as the file spells it, such as ``ai-datacenter:pools.cpu.instance_type``.
        allowed: the allowed values, or the known keys; empty where there is no list.
        nearest: the allowed one that is spelled most alike.
        value: what stands there, for the closest of many; empty where it does not matter.
        catalogue: the file that has all of the allowed, where they are too many to list.
    """

    file: Path
    line: int
    column: int
    key: str
    message: str
    allowed: tuple[str, ...] = ()
    nearest: str | None = None
    value: str = field(default="", repr=False, compare=False)
    catalogue: str = field(default=CATALOGUE, repr=False, compare=False)

    def __str__(self) -> str:
        place = f"{self.file.name}:{self.line}:{self.column}" if self.line else "--config or PULUMI_CONFIG"
        text = f"{place}: {self.key}: {self.message}."
        if self.nearest:
            text += f' Did you mean "{self.nearest}"?'
        if self.allowed:
            text += f" {listed(self.value, self.allowed, self.catalogue)}"
        return text


def listed(value: str, allowed: tuple[str, ...], catalogue: str = CATALOGUE) -> str:
    """The allowed values in a sentence; of very many the closest, and the file that has them all."""
    if len(allowed) <= LISTED:
        return f"Allowed: {', '.join(map(_as_text, allowed))}."
    closest = difflib.get_close_matches(folded(value), allowed, n=CLOSEST, cutoff=0.3)
    which, some = ("Closest", closest) if closest else ("Some", allowed[:CLOSEST])
    return f"{which} of the {len(allowed)} allowed: {', '.join(map(_as_text, some))}; {catalogue} has them all."


def _as_text(value: str) -> str:
    """As a file must spell it: of a release without quotes YAML makes a number, and 1.30 is 1.3."""
    return f'"{value}"' if _RELEASE.fullmatch(value) else value


class ConfigurationError(Exception):
    """A stack file says something that cannot be; ``problems`` are in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Problems:
    """Gathers what is wrong in one file, each thing once.

    Keys are told as paths of fields from ``StackConfig`` on, and spelled as the file has them.
    """

    def __init__(self, file: Path, document: Document, elsewhere: Collection[str] = ()) -> None:
        """``elsewhere``: keys as a file would spell them whose value is not the file's."""
        self._file, self._document = file, document
        self._elsewhere = frozenset(elsewhere)
        self._spelling = {field_of(str(key[1])): key for key in document.keys if len(key) == 2 and key[0] == "config"}
        self._found: list[Problem] = []
        for fault in document.faults:
            self._add(fault.at, self._spelled(fault.key), fault.message)

    def in_order(self) -> tuple[Problem, ...]:
        """All of them, in the order of the file."""
        return tuple(sorted(self._found, key=lambda problem: (problem.line, problem.column)))

    def is_faulty(self, key: Key) -> bool:
        """Whether the YAML at ``key`` or in it has a fault, which has been told."""
        file_key = self._file_key(key)
        return any(fault.key[: len(file_key)] == file_key for fault in self._document.faults)

    def tell(self, key: Key, message: str, allowed: tuple[str, ...] = (), value: Any = None) -> None:
        """Tell what is wrong with the value at ``key``."""
        file_key = self._file_key(key)
        text = str(value) if isinstance(value, str | int | float) else ""
        if deception := deceiving(text):
            message = f"{message}: {deception}"
        self._add(self._document.where(file_key), self._spelled(file_key), message, allowed, text)

    def tell_key(self, key: Key, message: str, allowed: tuple[str, ...]) -> None:
        """Tell what is wrong with the key itself."""
        file_key, name = self._file_key(key), str(key[-1])
        if deception := deceiving(name):
            message = f"{message}: {deception}"
        at = self._document.where(file_key, of_key=True)
        self._add(at, self._spelled(file_key), message, allowed, name)

    def tell_file(self, message: str) -> None:
        """Tell what is wrong with the file as a whole."""
        self._add(self._document.where(("config",)), "config", message)

    def tell_namespace(self, spelled: str, namespace: str) -> None:
        """Tell a key whose namespace is a misspelling of ours; those of others are none of our business."""
        near = difflib.get_close_matches(folded(namespace), NAMESPACES, n=1, cutoff=0.75)
        if near:
            message = f'no namespace "{namespace}" is used here'
            if deception := deceiving(namespace):
                message = f"{message}: {deception}"
            at = self._document.where(("config", spelled), of_key=True)
            self._add(at, spelled, message, NAMESPACES, namespace, near[0])

    def _add(
        self, at: Position, key: str, message: str, allowed: tuple[str, ...] = (), value: str = "",
        nearest: str | None = None,
    ) -> None:  # fmt: skip
        if key.split(".")[0] in self._elsewhere:
            at = Position(0, 0)
        key, message = _printable(key), _printable(message)
        problem = Problem(
            file=self._file, line=at.line, column=at.column, key=key, message=message, allowed=allowed,
            nearest=nearest or _nearest(value, allowed), value=_printable(value),
        )  # fmt: skip
        if problem not in self._found:
            self._found.append(problem)

    def _file_key(self, key: Key) -> Key:
        """The place in the file of a field of ``StackConfig``."""
        if key[-1:] == ("[key]",):
            key = key[:-1]
        length = 2 if key[:1] == ("aws",) else 1
        if len(key) < length:
            return ("config",)
        top = key[:length]
        return (*self._spelling.get(top, ("config", f"{'aws' if length == 2 else PROJECT}:{top[-1]}")), *key[length:])

    def _spelled(self, file_key: Key) -> str:
        parts = [str(part) for part in file_key[1:]] or ["config"]
        if file_key[:1] == ("config",) and len(file_key) > 1 and ":" not in parts[0]:
            parts[0] = f"{PROJECT}:{parts[0]}"
        return ".".join(parts)


def field_of(spelled: str) -> Key:
    """The field that a file's top-level key is; of another namespace it is a field that nothing has."""
    namespace, _, name = spelled.rpartition(":")
    if namespace == "aws":
        return ("aws", name)
    return (name,) if namespace in ("", PROJECT) else (spelled,)


def _printable(text: str) -> str:
    """The text without halves of characters, which an escape can make and no terminal takes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _nearest(text: str, allowed: tuple[str, ...]) -> str | None:
    matches = difflib.get_close_matches(folded(text), allowed, n=1) if text else []
    return matches[0] if matches else None
