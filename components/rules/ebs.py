"""What EBS sells in a class of disks."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.ebs import EbsClassConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _one_default(name: str, disk: EbsClassConfig, config: StackConfig) -> Iterator[Conflict]:
    first = next((one for one, other in config.ebs.items() if other.default), name)
    if disk.default and name != first:
        message = f"{first} is the default already, and of two Kubernetes takes the newer"
        yield Conflict(key=("ebs", name, "default"), message=message)


RULES = (_one_default,)
