"""Inputs checked against the types of Google's SDK for Pulumi: names, kinds of values, and what must be there."""

from __future__ import annotations

import collections.abc
import difflib
import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args, get_origin

from pulumi import _types

from local.provider import Failure, Unknown, Values

_SCALARS: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), bool: (bool,), float: (int, float)}


def problems(token: str, inputs: Values) -> list[Failure]:
    """What the SDK's type of these inputs does not allow, each with its property's path."""
    return list(_section("", arguments(token), inputs))


def arguments(token: str) -> type:
    """The SDK's class of a resource's inputs."""
    package, module, name = token.split(":")
    sdk = importlib.import_module(f"pulumi_{package}.{module.partition('/')[0]}")
    return getattr(sdk, f"{name}Args")


def _section(path: str, kind: type, values: Any) -> Iterator[Failure]:
    if not isinstance(values, Mapping):
        yield Failure(path, f"is a {type(values).__name__}, and must be a mapping of properties")
        return
    given = cast(Values, values)
    types = _types.input_type_types(kind)
    for name, value in given.items():
        place = f"{path}.{name}" if path else name
        if name.startswith("__"):
            continue
        if name not in types:
            near = difflib.get_close_matches(name, types, n=1)
            yield Failure(place, "is no property of the type" + (f"; {near[0]} is" if near else ""))
        elif value is not None:
            yield from _value(place, types[name], value)
    for name in _required(kind):
        if given.get(name) is None:
            yield Failure(f"{path}.{name}" if path else name, "is missing")


def _value(path: str, kind: Any, value: Any) -> Iterator[Failure]:
    if isinstance(value, Unknown):
        return
    kind = _types.unwrap_type(kind)  # of an item, which may be an output of another resource
    origin = get_origin(kind)
    if origin in (collections.abc.Sequence, list):
        if isinstance(value, list):
            for index, item in enumerate(cast(list[Any], value)):
                yield from _value(f"{path}[{index}]", get_args(kind)[0], item)
        else:
            yield Failure(path, f"is a {type(value).__name__}, and must be a list")
    elif origin in (collections.abc.Mapping, dict):
        if isinstance(value, dict):
            for key, item in cast(Values, value).items():
                yield from _value(f"{path}.{key}", get_args(kind)[1], item)
        else:
            yield Failure(path, f"is a {type(value).__name__}, and must be a mapping")
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind is not bool):
            yield Failure(path, f"is {value!r}, and must be of the kind {kind.__name__}")
    elif isinstance(kind, type) and _types.is_input_type(kind):
        yield from _section(path, kind, value)


def _required(kind: type) -> Iterator[str]:
    """The properties whose argument has no default."""
    names = _types.input_type_py_to_pulumi_names(kind)
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if parameter.default is inspect.Parameter.empty and name in names:
            yield names[name]
