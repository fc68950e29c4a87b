"""The reference page of the components: what each takes and gives, made from their types and docstrings."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import textwrap
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import pulumi

import components

_HEAD = """# The components

Made from `components/` by `make docs`: do not edit. Each is a Pulumi component and can be used alone, from a program of
your own: [examples/components](../examples/components/README.md) has a program for each. Types that end in `Config`
are sections of a stack file, with the same fields, limits and defaults: [stack-file.md](stack-file.md). Every component
also takes its name in Pulumi and Pulumi's `opts`; what is inside a cluster takes the cluster's provider there.
"""
_PARTS = """# Parts of arguments and outputs

Plain values without resources, in the tables above by name.
"""

# What the same name means wherever it stands, so that no component has to say it again.
_EVERYWHERE = {
    "name": "The prefix of every name that is made.",
    "region": "The region that it is made in.",
    "account_id": "The account that it is made in.",
    "config": "The section of the stack file.",
    "key_arn": "The KMS key that encrypts what rests.",
    "vpc_id": "The network.",
    "vpc_cidr": "The network's range.",
    "cluster_name": "The EKS cluster.",
    "cluster_security_group_id": "The group that every node of the cluster is in.",
    "nodes_security_group_id": "The group that every node is in.",
    "kubernetes_version": "The cluster's minor version, such as 1.34.",
    "retain": "Whether what holds data stops a destroy.",
    "tags": "Further tags, beside those of the provider.",
    "dns_name": "The name under which it answers.",
}
_NAMED = re.compile(r"((?:``\w+``(?:, | and )?)+)(?::| is) ")


class Undocumented(Exception):
    """Arguments or outputs of which nothing says what they mean."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """An argument or an output; ``default`` as it is written, ``None`` where there is none."""

    name: str
    type: str
    default: str | None = None


def render() -> str:
    """The page.

    Raises:
        Undocumented: arguments or outputs have no meaning: all of them, by class.
    """
    kinds = list(component_classes())
    parts = list(_parts_of(kinds))
    missing = [f"{kind.__name__}.{name}" for kind in [*kinds, *parts] for name in _without_meaning(kind)]
    if missing:
        raise Undocumented(f"say in the docstring of the class or its arguments what these are: {', '.join(missing)}")
    contents = " · ".join(f"[{kind.__name__}](#{kind.__name__.lower()})" for kind in kinds)
    sections = [*(_component(kind) for kind in kinds), _PARTS, *(_part(part) for part in parts)]
    return "\n".join([_HEAD, contents + "\n", *sections]).rstrip() + "\n"


def component_classes() -> Iterator[type[pulumi.ComponentResource]]:
    """Every component of the package, by module; those for TPUs need Google's SDK."""
    for module in sorted(pkgutil.iter_modules(components.__path__), key=lambda module: module.name):
        loaded = importlib.import_module(f"{components.__name__}.{module.name}")
        for kind in vars(loaded).values():
            is_own = inspect.isclass(kind) and kind.__module__ == loaded.__name__
            if is_own and issubclass(kind, pulumi.ComponentResource):
                yield kind


def arguments_of(kind: type[Any]) -> list[Entry]:
    """What a component takes besides its name and options, in one object or as it is; what a part is made of."""
    holder = _holder(kind)
    if dataclasses.is_dataclass(holder):
        return [Entry(field.name, str(field.type), _default(field)) for field in dataclasses.fields(holder)]
    given = list(inspect.signature(kind.__init__).parameters.values())[2:]
    return [Entry(one.name, str(one.annotation)) for one in given if one.name != "opts"]


def outputs_of(kind: type[Any]) -> list[Entry]:
    """The public attributes that a component declares."""
    if not issubclass(kind, pulumi.ComponentResource):
        return []
    declared = inspect.get_annotations(kind).items()
    return [Entry(name, str(type)) for name, type in declared if not name.startswith("_")]


def _holder(kind: type[Any]) -> type[Any] | None:
    """The dataclass with the arguments: a part itself."""
    return kind if dataclasses.is_dataclass(kind) else typing.get_type_hints(kind.__init__).get("args")


def _parts_of(kinds: Sequence[type[Any]]) -> Iterator[type[Any]]:
    """The dataclasses that arguments and outputs name, and those that these name, each once."""
    known, waiting = {_holder(kind) for kind in kinds}, list(kinds)
    while waiting:
        kind = waiting.pop(0)
        for entry in [*arguments_of(kind), *outputs_of(kind)]:
            for word in re.findall(r"\b[A-Z]\w+", entry.type):
                found = getattr(inspect.getmodule(kind), word, None)
                if dataclasses.is_dataclass(found) and isinstance(found, type) and found not in known:
                    known.add(found)
                    waiting.append(found)
                    yield found


def _component(kind: type[Any]) -> str:
    holder, outputs = _holder(kind), outputs_of(kind)
    imported = f"from {kind.__module__} import {kind.__name__}{f', {holder.__name__}' if holder else ''}"
    what = _paragraphs(inspect.getdoc(inspect.getmodule(kind)))[0]
    parts = [f"## {kind.__name__}\n", f"{what} `{imported}`\n", f"{_prose(kind)}\n", _alone(kind), *_arguments(kind)]
    if outputs:
        rows = [f"| `{one.name}` | {_type(one)} | {_meanings(kind)[one.name]} |" for one in outputs]
        parts += ["", "| output | type | |", "|---|---|---|", *rows]
    return "\n".join(parts) + "\n"


def _alone(kind: type[Any]) -> str:
    """Where a program has it and nothing else of the project."""
    file = f"examples/components/{kind.__module__.rpartition('.')[2]}.py"
    return f"Alone: [{file}](../{file})\n"


def _part(kind: type[Any]) -> str:
    imported = f"from {kind.__module__} import {kind.__name__}"
    return "\n".join([f"## {kind.__name__}\n", f"{_prose(kind)} `{imported}`".strip() + "\n", *_arguments(kind)]) + "\n"


def _arguments(kind: type[Any]) -> list[str]:
    meanings = {**_meanings(kind), **_told(inspect.getdoc(_holder(kind)))}  # an output may have the same name
    rows = [
        f"| `{one.name}` | {_type(one)} | {f'`{one.default}`' if one.default else 'required'} | {meanings[one.name]} |"
        for one in arguments_of(kind)
    ]
    return ["| argument | type | default | |", "|---|---|---|---|", *rows]


def _without_meaning(kind: type[Any]) -> list[str]:
    meanings = _meanings(kind)
    return [entry.name for entry in [*arguments_of(kind), *outputs_of(kind)] if entry.name not in meanings]


def _meanings(kind: type[Any]) -> dict[str, str]:
    return {**_EVERYWHERE, **_told(inspect.getdoc(_holder(kind))), **_told(inspect.getdoc(kind))}


def _told(doc: str | None) -> dict[str, str]:
    """What a docstring says of names: in an ``Attributes`` section, or as ``name``: and the rest of the sentence."""
    prose, _, attributes = (doc or "").partition("Attributes:\n")
    text = " ".join(prose.split())
    starts = list(_NAMED.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    told: dict[str, str] = {}
    for start, end in zip(starts, ends, strict=False):
        meaning = text[start.end() : end].strip(" ;.,").partition(". ")[0]
        told |= dict.fromkeys(re.findall(r"``(\w+)``", start[1]), _sentence(meaning))
    return {**told, **_listed(textwrap.dedent(attributes.partition("\n\n")[0]).strip())}


def _listed(section: str) -> dict[str, str]:
    told: dict[str, str] = {}
    for entry in re.split(r"\n(?=\w)", section):
        names, _, meaning = entry.partition(": ")
        told |= dict.fromkeys(names.split(", "), _sentence(" ".join(meaning.split())))
    return told


def _sentence(text: str) -> str:
    """As it reads in a table: with a capital and a full stop."""
    marked = _marked(text).replace("|", "\\|").rstrip(".")
    return f"{marked[:1].upper()}{marked[1:]}."


def _marked(text: str) -> str:
    """With Markdown's own marks for code and classes."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


def _paragraphs(doc: str | None) -> list[str]:
    return [_marked(" ".join(paragraph.split())) for paragraph in (doc or "").split("\n\n")]


def _prose(kind: type[Any]) -> str:
    """What a class' docstring says of the whole."""
    doc = re.split(r"^(?:Attributes|Raises):\n", inspect.getdoc(kind) or "", flags=re.MULTILINE)[0]
    return " ".join(_paragraphs("\n\n".join(part for part in doc.split("\n\n") if not _NAMED.match(part)))).strip()


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    return None if field.default_factory is dataclasses.MISSING else repr(field.default_factory())


def _type(entry: Entry) -> str:
    return f"`{entry.type.replace('pulumi.', '')}`".replace("|", "\\|")
