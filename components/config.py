"""Reading a stack file into :class:`StackConfig`: everything that is wrong is told at once, with its place and remedy.

The Pulumi program and ``aidc`` both start here, before anything is created. No pulumi import.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from .settings import PROJECT, AwsConfig, PoolConfig, StackConfig, conflicts
from .stack_file import Document, Key, Position, read

__all__ = ["ConfigurationError", "Problem", "StackConfig", "load"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong in a stack file; line and column count from 1.

    Attributes:
        key: as the file spells it, such as ``ai-datacenter:pools.cpu.instance_type``.
        allowed: the allowed values, or the known keys; empty where there is no list.
        nearest: the allowed one that is spelled most alike.
    """

    file: Path
    line: int
    column: int
    key: str
    message: str
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    def __str__(self) -> str:
        text = f"{self.file.name}:{self.line}:{self.column}: {self.key}: {self.message}."
        if self.nearest:
            text += f' Did you mean "{self.nearest}"?'
        if self.allowed:
            text += f" Allowed: {', '.join(self.allowed)}."
        return text


class ConfigurationError(Exception):
    """A stack file says something that cannot be; ``problems`` are in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def load(path: Path) -> StackConfig:
    """The configuration in the stack file ``path``.

    Raises:
        ConfigurationError: with every problem of the file, not only the first.
    """
    try:
        document = read(path)
    except OSError as error:
        problem = Problem(file=path, line=1, column=1, key=PROJECT, message=f"cannot be read: {error.strerror}")
        raise ConfigurationError((problem,)) from None
    reader = _Reader(path, document)
    config = reader.config()
    if config is None:
        raise ConfigurationError(tuple(sorted(reader.problems, key=lambda p: (p.line, p.column))))
    return config


class _Reader:
    """One reading of one file: gathers problems while it makes sections of what is right."""

    def __init__(self, path: Path, document: Document) -> None:
        self._path = path
        self._document = document
        self._spelling: dict[Key, Key] = {}  # a field of StackConfig -> the file's key
        self.problems: list[Problem] = []

    def config(self) -> StackConfig | None:
        for fault in self._document.faults:
            self._tell(fault.at, self._spelled(fault.key), fault.message)
        raw = self._fields()
        if raw is None:
            return None
        self._refuse_unknown_keys(raw)
        sections = {name: self._section(name, raw) for name in StackConfig.model_fields}
        known = {name: value for name, value in sections.items() if value is not None}
        names = tuple(raw["pools"]) if isinstance(raw.get("pools"), dict) else ()
        for conflict in conflicts({**known, "pool_names": names}):
            self._tell_at(conflict.key, conflict.message, conflict.allowed)
        return None if self.problems else self._validated((), StackConfig, raw)

    def _fields(self) -> dict[str, Any] | None:
        """The file's keys by field: bare keys and the project's are fields, ``aws:`` makes one section."""
        values = self._document.values
        if not isinstance(values, dict):
            if not self.problems:
                self._tell(Position(1, 1), "config", "a stack file is a mapping with the key config")
            return None
        config = values.get("config")
        if not isinstance(config, dict):
            self._tell(self._document.where(("config",)), "config", "the file needs a mapping under the key config")
            return None
        raw: dict[str, Any] = {"aws": {}}
        self._spelling[("aws",)] = ("config",)
        for spelled, value in config.items():
            namespace, _, name = spelled.rpartition(":")
            if namespace == "aws":
                raw["aws"][name] = value
                self._spelling[("aws", name)] = ("config", spelled)
            elif namespace in ("", PROJECT):
                raw[name] = _typed(name, value)
                self._spelling[(name,)] = ("config", spelled)
            elif near := difflib.get_close_matches(namespace, (PROJECT, "aws"), n=1, cutoff=0.75):
                at = self._document.where(("config", spelled), of_key=True)
                self._tell(at, spelled, f'no namespace "{namespace}" is used here', (PROJECT, "aws"), near[0])
        return raw

    def _refuse_unknown_keys(self, raw: dict[str, Any]) -> None:
        """Tell and drop keys that no field has, so that the rest can still be checked."""
        allowed = tuple(name for name in StackConfig.model_fields if name != "aws")
        for name in [name for name in raw if name not in StackConfig.model_fields]:
            del raw[name]
            self._tell_unknown((name,), allowed)

    def _section(self, name: str, raw: Mapping[str, Any]) -> Any:
        """The section, or ``None`` where it is wrong, or absent though it has to be there."""
        field = StackConfig.model_fields[name]
        if name not in raw:
            if not field.is_required():
                return field.get_default(call_default_factory=True)
            if not any(fault.key[1:2] == self._file_key((name,))[1:2] for fault in self._document.faults):
                self._tell(self._document.where(("config",), of_key=True), f"{PROJECT}:{name}", "is missing")
            return None
        value = raw[name]
        if name == "pools" and isinstance(value, dict) and value:
            pools = {key: self._validated((name, key), PoolConfig, pool) for key, pool in value.items()}
            self._validated((name,), dict[_key_type(), Any], value)
            return {key: pool for key, pool in pools.items() if pool is not None}
        annotation: Any = field.annotation
        for constraint in field.metadata:
            annotation = _annotated(annotation, constraint)
        return self._validated((name,), annotation, value)

    def _validated(self, key: Key, annotation: Any, value: Any) -> Any:
        """The value as ``annotation`` has it, told and ``None`` where it is not; unknown keys do not hide the rest."""
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        is_section = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        try:
            return adapter.validate_python(value, strict=None if is_section else True)  # a section says it itself
        except ValidationError as error:
            extra: list[Key] = []
            for found in error.errors(include_url=False):
                where = (*key, *found["loc"])
                if found["type"] == "extra_forbidden":
                    extra.append(found["loc"])
                    self._tell_unknown(where, _known_keys(annotation, found["loc"][:-1]))
                elif not (found["type"] == "too_short" and found["input"]):  # its items are wrong, and told
                    self._tell_error(where, found)
            if len(extra) == error.error_count():
                return adapter.validate_python(_without(value, extra))
        return None

    def _tell_error(self, key: Key, found: Any) -> None:
        if any(fault.key[: len(self._file_key(key))] == self._file_key(key) for fault in self._document.faults):
            return  # left out for what its YAML has wrong, and told already
        context = found.get("ctx", {})
        kind, value = found["type"], found.get("input")
        if kind == "missing":
            self._tell_at(key, "is missing")
        elif isinstance(value, dict) and "secure" in value and kind != "missing":
            self._tell_at(key, "is a secret, and no field of the configuration is one")
        elif kind == "string_type":
            self._tell_at(key, f'needs text, and {_yaml(value)} is {_kind(value)}: quote it ("{_yaml(value)}")')
        elif kind == "literal_error":
            self._tell_at(key, f"{_yaml(value)} is not known", _literals(context["expected"]), value)
        elif kind == "not_allowed":
            self._tell_at(key, str(found["msg"]), tuple(map(str, context["allowed"])), value)
        elif kind == "string_pattern_mismatch":
            self._tell_at(key, f'"{value}" does not match {context["pattern"]}')
        else:
            message = str(found["msg"]).replace("Input should", "should")
            self._tell_at(key, message[0].lower() + message[1:] + _said(value))

    def _tell_unknown(self, key: Key, allowed: tuple[str, ...]) -> None:
        at = self._document.where(self._file_key(key), of_key=True)
        near = _nearest(key[-1], allowed)
        self._tell(at, self._spelled(self._file_key(key)), "no such key", allowed, near)

    def _tell_at(self, key: Key, message: str, allowed: tuple[str, ...] = (), value: Any = None) -> None:
        file_key = self._file_key(key)
        self._tell(self._document.where(file_key), self._spelled(file_key), message, allowed, _nearest(value, allowed))

    def _tell(
        self, at: Position, key: str, message: str, allowed: tuple[str, ...] = (), nearest: str | None = None
    ) -> None:
        problem = Problem(
            file=self._path, line=at.line, column=at.column, key=key, message=message, allowed=allowed, nearest=nearest
        )
        if problem not in self.problems:
            self.problems.append(problem)

    def _file_key(self, key: Key) -> Key:
        """The place in the file of a field of :class:`StackConfig`."""
        if key[-1:] == ("[key]",):
            key = key[:-1]
        for length in (2, 1):
            if key[:length] in self._spelling:
                return (*self._spelling[key[:length]], *key[length:])
        return ("config", *key)

    def _spelled(self, file_key: Key) -> str:
        parts = [str(part) for part in file_key[1:]] or ["config"]
        if parts[0] in AwsConfig.model_fields or parts[0] in ("allowedAccountIds",):
            parts[0] = f"aws:{parts[0]}"
        elif ":" not in parts[0] and parts[0] != "config":
            parts[0] = f"{PROJECT}:{parts[0]}"
        return ".".join(parts)


def _typed(name: str, value: Any) -> Any:
    """A boolean also as the Pulumi CLI leaves it, which rewrites every top-level scalar as text (``stack init``)."""
    field = StackConfig.model_fields.get(name)
    if field is not None and field.annotation is bool and value in ("true", "false"):
        return value == "true"
    return value


def _key_type() -> Any:
    return get_args(StackConfig.model_fields["pools"].annotation)[0]


def _annotated(annotation: Any, constraint: Any) -> Any:
    from typing import Annotated

    return Annotated[annotation, constraint]


def _known_keys(annotation: Any, path: Key) -> tuple[str, ...]:
    """The keys of the model at ``path`` below ``annotation``."""
    model = annotation
    for part in path:
        if isinstance(part, int):
            model = get_args(model)[0]
        elif isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[part].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return ()
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _without(value: Any, paths: list[Key]) -> Any:
    """A copy of ``value`` without the keys at ``paths``."""
    if isinstance(value, dict):
        return {
            key: _without(inner, [path[1:] for path in paths if path[0] == key])
            for key, inner in value.items()
            if (key,) not in paths
        }
    if isinstance(value, list):
        return [_without(inner, [path[1:] for path in paths if path[0] == index]) for index, inner in enumerate(value)]
    return value


def _nearest(value: Any, allowed: tuple[str, ...]) -> str | None:
    matches = difflib.get_close_matches(str(value), allowed, n=1) if value is not None else []
    return matches[0] if matches else None


def _literals(expected: str) -> tuple[str, ...]:
    """The values in pydantic's ``'a', 'b' or 'c'``."""
    return tuple(expected.replace(" or ", ", ").replace("'", "").split(", "))


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _kind(value: Any) -> str:
    kinds: Iterator[tuple[Any, str]] = iter(
        ((bool, "a boolean"), ((int, float), "a number"), (list, "a list"), (dict, "a mapping"))
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "nothing")


def _said(value: Any) -> str:
    return f" (it is {_yaml(value)})" if isinstance(value, str | int | float) or value is None else ""
