"""When EFS archives."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.efs import EfsConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _archive(name: str, system: EfsConfig, config: StackConfig) -> Iterator[Conflict]:
    key = ("efs", name, "archive_days")
    if system.archive_days is None:
        return
    if system.throughput != "elastic":
        message = 'EFS archives with elastic throughput only (EFS guide, "Managing storage lifecycle")'
        yield Conflict(key=key, message=message)
    if system.infrequent_days is None or system.archive_days <= system.infrequent_days:
        first = "never" if system.infrequent_days is None else f"after {system.infrequent_days} days"
        message = f"{system.archive_days} days must be more than until infrequent access, which is {first}"
        yield Conflict(key=key, message=message)


RULES = (_archive,)
