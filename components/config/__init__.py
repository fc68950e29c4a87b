"""Reading a stack file into :class:`StackConfig`: everything that is wrong is told at once, with its place and remedy.

``aidc`` reads the file (:func:`load`); the program reads what ``pulumi.Config`` hands it
(:mod:`components.config.program`), which the CLI makes of the same file, of ``--config`` and of ``PULUMI_CONFIG``, and
uses the file to say where an error stands. No pulumi import.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from ..rules import conflicts
from ..settings import PROJECT, AwsConfig, StackConfig
from . import checks
from .problems import ConfigurationError, Problem, Problems, field_of
from .stack_file import Document, read

__all__ = ["ConfigurationError", "Problem", "StackConfig", "load", "load_values"]


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
    problems = Problems(path, document)
    written = _written(document, problems)
    if written is None:
        raise ConfigurationError(problems.in_order())
    return _checked(written, problems)


def load_values(path: Path, values: Mapping[str, str], secret_keys: Collection[str] = ()) -> StackConfig:
    """The configuration in ``values``, by full key, as the CLI hands them to a program; ``path`` says where they stand.

    The CLI hands everything as text, objects as JSON. Where the file says the same, the value has the file's type: a
    text ``"1.34"`` and a number ``1.34`` are different only there.

    Raises:
        ConfigurationError: with every problem, not only the first.
    """
    document = _document(path)
    written = _written(document, Problems(path, document)) or {}
    taken: dict[str, Any] = {key: _typed(key, text, written.get(key, _NOTHING)) for key, text in values.items()}
    faulty = {_full(str(fault.key[1])) for fault in document.faults if len(fault.key) > 1}
    taken = {key: written.get(key) if key in faulty else value for key, value in taken.items()}
    taken |= {key: {"secure": ""} for key in secret_keys if key in taken and not _is_secret(taken[key])}
    elsewhere = {key for key, value in taken.items() if value is not written.get(key, _NOTHING)} - faulty
    return _checked(taken, Problems(path, document, elsewhere))


_NOTHING: Any = object()


def _document(path: Path) -> Document:
    """The stack file; an empty one where it is not there, for all values may come from elsewhere."""
    try:
        return read(path)
    except OSError:
        return Document(values={"config": {}})


def _written(document: Document, problems: Problems) -> dict[str, Any] | None:
    """The file's values by full key, as the CLI would name them; ``None``, and told, where it is no stack file."""
    values = document.values
    if not isinstance(values, dict):
        if not document.faults:
            problems.tell_file("a stack file is a mapping with the key config")
        return None
    config = cast("dict[str, Any]", values).get("config")
    if not isinstance(config, dict):
        problems.tell_file("the file needs a mapping under the key config")
        return None
    written: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", config).items():
        full = _full(key)
        if full in written:
            problems.tell(field_of(full), f"stands here as {full} and as {full.rpartition(':')[2]}: keep one")
        written[full] = value
    return written


def _full(key: str) -> str:
    return key if ":" in key else f"{PROJECT}:{key}"


def _typed(key: str, text: str, written: Any) -> Any:
    """A value that came as text: the file's where that says the same, else what its field can only mean."""
    if written is not _NOTHING and _is_same(text, written):
        return written
    field = field_of(key)
    model, name = (AwsConfig, field[-1]) if field[:1] == ("aws",) else (StackConfig, field[0])
    kinds = {spelled.alias or known: spelled.annotation for known, spelled in model.model_fields.items()}
    if kinds.get(str(name), str) in (str, bool, str | None):
        return text
    return _json(text)


def _is_same(text: str, written: Any) -> bool:
    if isinstance(written, str):
        return text == written
    if written is None or _is_secret(written):
        return written is None and text in ("", "null")
    return json.dumps(_json(text), sort_keys=True) == json.dumps(written, sort_keys=True)


def _json(text: str) -> Any:
    """The JSON that the text is, else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _checked(values: Mapping[str, Any], problems: Problems) -> StackConfig:
    by_field = _by_field(values, problems)
    config = checks.stack(by_field, problems)
    for conflict in conflicts(config):
        problems.tell(conflict.key, conflict.message, conflict.allowed, conflict.value)
    if found := problems.in_order():
        raise ConfigurationError(found)
    try:
        return StackConfig.model_validate(by_field)
    except ValidationError as error:  # a rule of a model as a whole, which no single value breaks
        checks.tell((), error, problems)
        raise ConfigurationError(problems.in_order()) from None


def _by_field(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The values by field: bare keys and the project's are fields, the ``aws:`` keys make one section."""
    by_field: dict[str, Any] = {"aws": {}}
    for spelled, value in values.items():
        field = field_of(spelled)
        if field[:1] == ("aws",) and len(field) == 2:
            by_field["aws"][field[1]] = value
        elif field == (spelled,):
            problems.tell_namespace(spelled, spelled.rpartition(":")[0])
        else:
            by_field[str(field[0])] = _boolean(str(field[0]), value)
    return by_field


def _boolean(name: str, value: Any) -> Any:
    """A boolean also as the Pulumi CLI leaves it, which rewrites every top-level scalar as text (``stack init``)."""
    field = StackConfig.model_fields.get(name)
    if field is not None and field.annotation is bool and value in ("true", "false"):
        return value == "true"
    return value
