"""The arithmetic of quotas: what nodes and chips of a pool come to, in Kubernetes' resources.

Amounts are whole numbers of each resource's smallest unit here, so that parts never add up to more than the whole.
"""

from __future__ import annotations

from collections.abc import Iterable

from .settings.pools import PoolConfig
from .settings.scheduling import QuotaConfig

Amounts = dict[str, int]

_UNITS = {"cpu": "m", "memory": "Mi", "hugepages-2Mi": "Mi"}


def units(pool: PoolConfig, nodes: int) -> int:
    """What quotas of a pool are counted in: chips where it has some, nodes elsewhere."""
    return nodes * (pool.instance.chips or 1)


def units_of(pool: PoolConfig, quota: QuotaConfig) -> int:
    """A quota in its pool's units."""
    return quota.chips if quota.chips is not None else units(pool, quota.nodes or 0)


def amounts(pool: PoolConfig, count: int) -> Amounts:
    """What ``count`` units of a pool come to: of a node that is divided, each chip has its equal part, rounded down.

    CPU and memory are the machine's: what the system keeps for itself is not known here, and a quota reserves nothing.
    """
    row = pool.instance
    node = {"cpu": row.vcpus * 1000, "memory": row.memory_gib * 1024}
    node |= {name: int(amount.removesuffix("Mi")) for name, amount in row.pod_resources(pool.adapters).items()}
    return {name: amount * count // (row.chips or 1) for name, amount in node.items()}


def capacity(pool: PoolConfig) -> Amounts:
    """Of the pool with the most nodes that it may have."""
    return amounts(pool, units(pool, pool.most))


def spare(pool: PoolConfig, quotas: Iterable[QuotaConfig]) -> Amounts:
    """What no quota has promised to anybody."""
    left = capacity(pool)
    for quota in quotas:
        left = {name: left[name] - amount for name, amount in amounts(pool, units_of(pool, quota)).items()}
    return left


def total(parts: Iterable[Amounts]) -> Amounts:
    """The sum, over all resources that any part has."""
    found: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found.get(name, 0) + amount
    return found


def quantity(resource: str, amount: int) -> str:
    """As Kubernetes writes it."""
    return f"{amount}{_UNITS.get(resource, '')}" if amount else "0"
