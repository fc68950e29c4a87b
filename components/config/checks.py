"""Checks the values of a stack file one by one against the model, and tells everything that is wrong with them.

Pydantic alone would give a whole section up for one wrong field. Here each field is checked by itself, so that the
rules between values see all that is right (:meth:`components.settings.Section.partial`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ..settings import Section, StackConfig
from .characters import unseen
from .problems import Problems
from .stack_file import Key

_WRONG: Any = object()
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)


def stack(values: Mapping[str, Any], problems: Problems) -> StackConfig:
    """The configuration in ``values``, without what is wrong by itself, which is told to ``problems``."""
    return _section((), StackConfig, values, problems)


def _section(key: Key, model: type[Section], value: Any, problems: Problems) -> Any:
    if not isinstance(value, dict):
        _tell_shape(key, value, "a mapping of keys and values", problems)
        return model.partial({}, set(model.model_fields))
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    allowed = tuple(name for name in names if (key, name) != ((), "aws"))
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for spelled, inner in value.items():
        if spelled not in names:
            problems.tell_key((*key, spelled), "no such key", allowed)
            continue
        found = _field((*key, spelled), model.model_fields[names[spelled]], inner, problems)
        if found is _WRONG:
            wrong.add(names[spelled])
        else:
            values[names[spelled]] = found
    for spelled, name in names.items():
        place = (*key, spelled)
        if spelled not in value and (model.model_fields[name].is_required() or problems.is_faulty(place)):
            wrong.add(name)
            if not problems.is_faulty(place):
                problems.tell(place, "is missing")
    return model.partial(values, wrong)


def _field(key: Key, field: FieldInfo, value: Any, problems: Problems) -> Any:
    if isinstance(value, dict) and set(value) == {"secure"}:
        return _tell_secret(key, problems)
    annotation: Any = _without_none(field.annotation)
    if value is None and annotation is not field.annotation:
        return None
    if _is_section(annotation):
        return _section(key, annotation, value, problems)
    item = _section_in(annotation)
    return _sections(key, item, field, value, problems) if item else _plain(key, annotation, field, value, problems)


def _sections(key: Key, item: type[Section], field: FieldInfo, value: Any, problems: Problems) -> Any:
    """A mapping or a list of sections: the whole by its names and length, then each section by itself."""
    annotation: Any = _without_none(field.annotation)
    if get_origin(annotation) is dict:
        whole = _plain(key, dict[get_args(annotation)[0], Any], field, value, problems)
        pairs: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
        sections = {name: _section((*key, name), item, inner, problems) for name, inner in pairs}
        return sections if sections or whole is not _WRONG else _WRONG
    if _plain(key, tuple[Any, ...], field, value, problems) is _WRONG:
        return _WRONG
    return tuple(_section((*key, index), item, inner, problems) for index, inner in enumerate(value))


def _plain(key: Key, annotation: Any, field: FieldInfo, value: Any, problems: Problems) -> Any:
    """A value that holds no section, as the field has it."""
    found = _WRONG
    try:
        found = _adapter(annotation, tuple(field.metadata)).validate_python(value)
    except ValidationError as error:
        tell(key, error, problems)
    else:
        for place, text in _texts(key, value):
            if hidden := unseen(text):
                found = _WRONG
                problems.tell(place, f"has a character that nobody meant: {hidden}")
    return found


@cache
def _adapter(annotation: Any, metadata: tuple[Any, ...]) -> TypeAdapter[Any]:
    for constraint in metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation, config=_STRICT)


def _texts(key: Key, value: Any) -> Iterator[tuple[Key, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield (*key, name, "[key]"), name
            yield from _texts((*key, name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts((*key, index), inner)


def tell(key: Key, error: ValidationError, problems: Problems) -> None:
    """Tell what pydantic has found wrong with the value at ``key``."""
    found = error.errors(include_url=False)
    for one in found:
        if not (one["type"] == "too_short" and len(found) > 1):  # it lacks the items that are wrong, and told
            _tell((*key, *one["loc"]), one, problems)


def _tell(key: Key, found: Any, problems: Problems) -> None:
    if problems.is_faulty(key):
        return  # left out for what its YAML has wrong, and told already
    context = found.get("ctx", {})
    kind, value = found["type"], found.get("input")
    if isinstance(value, dict) and "secure" in value:
        _tell_secret(key, problems)
    elif kind == "string_type":
        problems.tell(key, f'needs text, and {_yaml(value)} is {_kind(value)}: quote it ("{_yaml(value)}")')
    elif kind == "bool_type" and value in ("true", "false"):
        problems.tell(key, f'needs a boolean, and "{value}" is text: write {value} without quotes')
    elif kind == "int_type" and isinstance(value, str) and value.isdecimal() and value.isascii():
        problems.tell(key, f'needs a whole number, and "{value}" is text: write {value} without quotes')
    elif kind == "literal_error":
        _tell_choice(key, f"{_yaml(value)} is not known", _literals(context["expected"]), value, problems)
    elif kind == "not_allowed":
        _tell_choice(key, str(found["msg"]), context["allowed"], value, problems)
    elif kind == "string_pattern_mismatch":
        problems.tell(key, f'"{_yaml(value)}" does not match {context["pattern"]}', value=value)
    else:
        message = _in_words_of_yaml(str(found["msg"])).replace("Input should", "should")
        problems.tell(key, message[0].lower() + message[1:] + _said(value), value=value)


def _in_words_of_yaml(message: str) -> str:
    for python, yaml in (("tuple", "list"), ("dictionary", "mapping"), (" after validation", "")):
        message = message.replace(python, yaml)
    return message


def _tell_choice(key: Key, message: str, choices: tuple[Any, ...], value: Any, problems: Problems) -> None:
    """A value outside a list, or of another type than those of the list."""
    allowed = tuple(map(str, choices))
    if isinstance(value, bool | int | float) and isinstance(choices[0], str):
        message = f'needs text, and {_yaml(value)} is {_kind(value)}: quote it ("{_yaml(value)}")'
    elif value in allowed:
        message = f'needs a whole number, and "{value}" is text: write {value} without quotes'
    problems.tell(key, message, allowed, value)


def _tell_secret(key: Key, problems: Problems) -> Any:
    problems.tell(key, "is a secret, and no field of the configuration is one")
    return _WRONG


def _tell_shape(key: Key, value: Any, wanted: str, problems: Problems) -> None:
    if not problems.is_faulty(key):
        problems.tell(key, f"needs {wanted}, and this is {_kind(value)}")


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _section_in(annotation: Any) -> type[Section] | None:
    """The section of ``dict[Name, Section]`` or ``tuple[Section, ...]``."""
    arguments = get_args(annotation)
    of_dict = get_origin(annotation) is dict
    found = arguments[1 if of_dict else 0] if of_dict or get_origin(annotation) is tuple else None
    return found if _is_section(found) else None


def _without_none(annotation: Any) -> Any:
    """``X`` of ``X | None``, where that is all there is to it."""
    if get_origin(annotation) in (Union, UnionType):
        rest = [one for one in get_args(annotation) if one is not NoneType]
        if len(rest) == 1 and len(get_args(annotation)) == 2:
            return rest[0]
    return annotation


def _literals(expected: str) -> tuple[str, ...]:
    """The values in pydantic's ``'a', 'b' or 'c'``."""
    return tuple(expected.replace(" or ", ", ").replace("'", "").split(", "))


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = "null" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _kind(value: Any) -> str:
    kinds: Iterator[tuple[Any, str]] = iter(
        ((bool, "a boolean"), ((int, float), "a number"), (str, "text"), (list, "a list"), (dict, "a mapping"))
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "nothing")


def _said(value: Any) -> str:
    return f" (it is {_yaml(value)})" if isinstance(value, str | int | float) or value is None else ""
