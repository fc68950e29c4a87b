"""The kinds of values that several sections use: ranges, regions, names, retentions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

# Regions with EKS in the commercial partition: botocore 1.44 ``get_available_regions("eks")``.
REGIONS = tuple(
    """
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
    ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1
    eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1
    me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
    """.split()  # noqa: SIM905 - a list of strings is unreadable here
)
# What CloudWatch Logs takes as a retention: API reference, PutRetentionPolicy.
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288)


_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:00)?(Z|[+-][0-9]{2}:[0-9]{2})$"
_RANGE = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?$"


def not_allowed(what: str, value: object, allowed: tuple[object, ...]) -> PydanticCustomError:
    """The error of a value outside a list, which carries the list."""
    return PydanticCustomError(
        "not_allowed", "{what} {value} is not known", {"what": what, "value": _shown(value), "allowed": allowed}
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def one_of(what: str, allowed: tuple[object, ...]) -> BeforeValidator:
    """The check of a value that is one of a list; the error carries the list."""

    def check(value: object) -> object:
        if isinstance(value, bool | float) or value not in allowed:  # True and 1.0 equal 1, and are no days
            raise not_allowed(what, value, allowed)
        return value

    return BeforeValidator(check)


def enumeration(allowed: tuple[object, ...]) -> WithJsonSchema:
    """The same list for the JSON Schema, which cannot see into a check."""
    return WithJsonSchema({"type": "integer" if isinstance(allowed[0], int) else "string", "enum": list(allowed)})


def _network(value: object) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("cidr", "a range of addresses is text such as 10.0.0.0/16")
    try:
        return IPv4Network(value)
    except ValueError as error:  # the reason repeats the value
        reason = str(error) if len(value) <= 40 else "it is too long"
        message = "{value} is no range of addresses: {reason}"
        raise PydanticCustomError("cidr", message, {"value": _shown(value), "reason": reason}) from None


def _moment(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise PydanticCustomError("moment", 'a time is quoted text such as "2026-12-01T11:30:00Z"')
    try:
        if not re.match(_MOMENT, value):
            raise ValueError
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        message = '{value} is no time of whole minutes with its zone, such as "2026-12-01T11:30:00Z"'
        raise PydanticCustomError("moment", message, {"value": _shown(value)}) from None


Cidr = Annotated[
    IPv4Network,
    BeforeValidator(_network),
    WithJsonSchema({"type": "string", "pattern": _RANGE, "examples": ["10.0.0.0/16"]}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": _MOMENT, "examples": ["2026-12-01T11:30:00Z"]}),
]
Region = Annotated[str, one_of("region", REGIONS), enumeration(REGIONS)]
RetentionDays = Annotated[int, one_of("retention", RETENTION_DAYS), enumeration(RETENTION_DAYS)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$")]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TagValue = Annotated[str, StringConstraints(max_length=256)]
LabelKey = Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]
