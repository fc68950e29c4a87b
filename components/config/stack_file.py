"""A stack file as plain values that still know their line and column, and that mean the same to every YAML reader.

Stack files are read by the Pulumi CLI (a YAML 1.1 reader with 1.2 habits) and by this project. A plain ``010``, ``1e3``
or ``no`` is a number, a string or a boolean depending on who reads it, so such values are refused instead of guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, Event
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

Key = tuple[str | int, ...]

_DEEPEST = 20  # levels; the configuration needs four
_MOST_DIGITS = 18  # what every reader's integers hold
_TAG = re.compile(r"(&\S+\s+)?!\S*")  # before a value, after its anchor
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
# What some reader turns into a boolean, a number or a date although it is none of the forms above: YAML 1.1 booleans,
# octal, hexadecimal, binary, exponents, underscores, sexagesimal numbers, infinities, signed integers, timestamps.
_AMBIGUOUS = re.compile(
    r"""(y|n|yes|no|on|off|true|false|null)\Z          # any case; the plain lower-case true, false, null come earlier
    |[-+]?0[0-9_]+\Z|[-+]?0[xob][0-9a-f_]+\Z            # octal or padded, hexadecimal, binary
    |[-+]?[0-9][0-9_]*(\.[0-9_]*)?(e[-+]?[0-9]+)?\Z     # exponents, underscores, a trailing point
    |[-+]?\.[0-9_]+(e[-+]?[0-9]+)?\Z                    # a leading point
    |[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?\Z     # sexagesimal
    |[-+]?\.(inf|nan)\Z
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\Z         # a date
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Position:
    """A place in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Fault:
    """One thing that the YAML itself has wrong."""

    at: Position
    key: Key
    message: str


@dataclass
class Document:
    """The values of a stack file, where each stands, and what is wrong with the YAML.

    Attributes:
        values: plain Python values; a value with a fault is left out.
        keys: the position of each key (a list's item: of the item).
        positions: the position of each value.
        faults: in the order of the file.
        text: the file.
    """

    values: Any = None
    keys: dict[Key, Position] = field(default_factory=dict)
    positions: dict[Key, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    text: str = field(default="", repr=False)

    def where(self, key: Key, of_key: bool = False) -> Position:
        """The position of the value (or key) at ``key``, else of the closest thing around it that is in the file."""
        table = self.keys if of_key else self.positions
        if key in table:
            return table[key]
        while key and key not in self.keys:
            key = key[:-1]
        return self.keys.get(key, Position(1, 1))


def read(path: Path) -> Document:
    """Read a stack file.

    A file that is no YAML at all comes back with that one fault and without values.

    Raises:
        OSError: the file cannot be read.
    """
    document = Document()
    try:
        document.text = path.read_text(encoding="utf-8-sig")
        if at := _too_deep(document.text):
            return _unreadable(at, f"this is nested deeper than {_DEEPEST} levels")
        root = YAML(pure=True).compose(document.text)
        document.values = _value(root, (), document) if root is not None else {}
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        return _unreadable(at, f"this is not YAML: {error.problem or error.context}")
    except ReaderError as error:
        code = error.character if isinstance(error.character, int) else ord(error.character)
        return _unreadable(_position_in(document.text, chr(code)), f"this is not YAML: U+{code:04X} may not be in it")
    except UnicodeDecodeError as error:
        return _unreadable(Position(1, 1), f"this is not UTF-8 text ({error.reason})")
    except RecursionError:
        return _unreadable(Position(1, 1), "something in this contains itself")
    return document


def _too_deep(text: str) -> Position | None:
    """Where the file goes deeper than anybody means; found while reading, for a composer takes its time with it."""
    depth = 0
    for event in YAML(pure=True).parse(text):
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            return _position(event)
    return None


def _position_in(text: str, character: str) -> Position:
    before = text.partition(character)[0]
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _unreadable(at: Position, message: str) -> Document:
    return Document(faults=[Fault(at, (), message)])


_LEFT_OUT: Any = object()


def _value(node: Node, key: Key, document: Document) -> Any:
    document.positions[key] = _position(node)
    if len(key) > _DEEPEST:  # an alias can make a list contain itself
        raise RecursionError
    if tag := _TAG.match(document.text, node.start_mark.index):
        message = f"{tag[0].split()[-1]} says what kind of value this is, and the kinds are known: write the value only"
        document.faults.append(Fault(_position(node), key, message))
        return _LEFT_OUT
    if isinstance(node, MappingNode):
        return _mapping(node, key, document)
    if isinstance(node, SequenceNode):
        items = [_item(item, (*key, index), document) for index, item in enumerate(node.value)]
        return [item for item in items if item is not _LEFT_OUT]
    return _scalar(cast(ScalarNode, node), key, document)


def _item(node: Node, key: Key, document: Document) -> Any:
    document.keys[key] = _position(node)
    return _value(node, key, document)


def _mapping(node: MappingNode, key: Key, document: Document) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        name = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
        inner = (*key, name)
        if inner in document.keys:
            first = document.keys[inner]
            document.faults.append(
                Fault(_position(key_node), inner, f'"{name}" stands here a second time (first on line {first.line})')
            )
            continue
        document.keys[inner] = _position(key_node)
        if fault := _key_fault(key_node):
            document.faults.append(Fault(_position(key_node), inner, fault))
            continue
        value = _value(value_node, inner, document)
        if value is not _LEFT_OUT:
            values[name] = value
    return values


def _key_fault(node: Node) -> str | None:
    """What is wrong with a key: it is text to every reader only where it is quoted or looks like nothing else."""
    if not isinstance(node, ScalarNode):
        return "a key is text, and this is a list or a mapping"
    text = node.value
    if node.style is None and (text in ("", "~") or _INTEGER.match(text) or _FLOAT.match(text)):
        return f'{text or "an empty key"} is no text to some YAML readers: quote it ("{text}")'
    if node.style is None and text == "<<":
        return "merged mappings are not used here: write the values out"
    return _ambiguity(text) if node.style is None and _AMBIGUOUS.match(text) else None


def _scalar(node: ScalarNode, key: Key, document: Document) -> Any:
    text = str(node.value)
    if node.style is not None:  # quoted or a block: a string to every reader
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text) and len(text) <= _MOST_DIGITS:
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    if _AMBIGUOUS.match(text):
        document.faults.append(Fault(_position(node), key, _ambiguity(text)))
        return _LEFT_OUT
    return text


def _ambiguity(text: str) -> str:
    lowered = text.lower()
    if lowered in ("y", "n", "yes", "no", "on", "off", "true", "false"):
        plain = "true" if lowered in ("y", "yes", "on", "true") else "false"
        return f'{text} is a boolean to some YAML readers and text to others: write {plain}, or quote it ("{text}")'
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return (
        f"{shown} is turned into another value by some YAML readers: write a number in plain decimal digits, "
        f'or quote it ("{shown}") where text is meant'
    )


def _position(node: Node | Event) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)
