"""Between the SDK's camelCase properties and a service's request, guided by botocore's model of the service.

The model says how members are spelt and what they are, so that no table repeats it: ``"true"`` becomes ``True``
where the service wants a boolean, a map of tags becomes a list where it wants a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from local.provider import ProviderError
from local.provider.values import Values

Renames = Mapping[str, str]


def to_members(values: Mapping[str, Any], shape: Shape, renames: Renames | None = None, where: str = "") -> Values:
    """The members of ``shape`` that ``values`` fill.

    Args:
        values: properties as the SDK spells them.
        shape: the structure that the service takes.
        renames: property to member, where more than upper and lower case differs; valid at any depth.
        where: the property path so far, for messages.

    Raises:
        ProviderError: a property that the service does not know.
    """
    members = members_of(shape)
    spelt = {name.lower(): name for name in members}
    filled: Values = {}
    for key, value in values.items():
        if value is None:
            continue
        member = (renames or {}).get(key) or spelt.get(key.lower())
        if member is None or member not in members:
            raise ProviderError(f"{where}{key} is not known to {shape.name} of the service's API")
        filled[member] = _to_member(value, members[member], renames, f"{where}{key}.")
    return filled


def input_of(model: ServiceModel, operation: str) -> Shape:
    """What ``operation`` takes."""
    return cast(Any, model.operation_model(operation)).input_shape


def members_of(shape: Shape) -> dict[str, Shape]:
    """The members of a structure by their names."""
    return cast(Any, shape).members


def validate(request: Mapping[str, Any], shape: Shape) -> None:
    """Check a request against the service's model. Raises ProviderError with everything that is wrong."""
    report = ParamValidator().validate(dict(request), shape)
    if report.has_errors():
        raise ProviderError(f"{shape.name}: {report.generate_report()}")


def from_members(value: Any) -> Any:
    """A service's answer in the SDK's spelling: members begin with a small letter, timestamps are text."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: from_members(item) for key, item in cast(Values, value).items()}
    if isinstance(value, list):
        return [from_members(item) for item in cast(list[Any], value)]
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _to_member(value: Any, shape: Shape, renames: Renames | None, where: str) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return to_members(cast(Values, value), shape, renames, where)
    if isinstance(shape, ListShape):
        member = cast(Shape, cast(Any, shape).member)
        if isinstance(value, Mapping) and isinstance(member, StructureShape) and "Key" in members_of(member):
            return [{"Key": key, "Value": str(item)} for key, item in cast(Values, value).items()]
        items = cast(list[Any], value if isinstance(value, list) else [value])
        return [_to_member(item, member, renames, where) for item in items]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {
            key: _to_member(item, cast(Shape, cast(Any, shape).value), renames, where)
            for key, item in cast(Values, value).items()
        }
    return _scalar(value, shape)


def _scalar(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, (int, float)):
        return str(value)
    return value
