"""What teams, quotas and priorities may not be."""

from __future__ import annotations

from collections.abc import Iterator

from components.quotas import units, units_of
from components.settings.scheduling import QuotaConfig, SchedulingConfig
from components.settings.section import Conflict
from components.settings.stack import StackConfig

_HERE = "scheduling"


def _quotas(config: StackConfig) -> Iterator[tuple[str, str, QuotaConfig]]:
    scheduling = config.scheduling or SchedulingConfig()
    for team, its in scheduling.teams.items():
        for pool, quota in its.quotas.items():
            yield team, pool, quota


def _known_pools(config: StackConfig) -> Iterator[Conflict]:
    for team, pool, _ in _quotas(config):
        if pool not in config.pools:
            key = (_HERE, "teams", team, "quotas", pool)
            yield Conflict(key=key, message="there is no such pool", allowed=tuple(config.pools), value=pool)


def _chips_of_the_pool(config: StackConfig) -> Iterator[Conflict]:
    for team, pool, quota in _quotas(config):
        key = (_HERE, "teams", team, "quotas", pool)
        if (
            quota.nodes is None
            and quota.chips is not None
            and pool in config.pools
            and not config.pools[pool].instance.chips
        ):
            kind = config.pools[pool].instance_type
            yield Conflict(key=(*key, "chips"), message=f"{kind} has no chips: say nodes")


def _within_the_pool(config: StackConfig) -> Iterator[Conflict]:
    """Told where the sum first goes beyond the pool."""
    taken: dict[str, int] = {}
    for team, pool, quota in _quotas(config):
        if pool not in config.pools or (quota.nodes is None) == (quota.chips is None):
            continue
        row, before = config.pools[pool], taken.get(pool, 0)
        if quota.chips is not None and not row.instance.chips:
            continue
        most, taken[pool] = units(row, row.most), before + units_of(row, quota)
        if before <= most < taken[pool]:
            what = "chips" if row.instance.chips else "nodes"
            message = (
                f"with this one the teams have {taken[pool]} {what} of {pool}, which has at most {most}: quotas are "
                "promises; what others leave unused is borrowed beyond them"
            )
            yield Conflict(key=(_HERE, "teams", team, "quotas", pool), message=message)


RULES = (_known_pools, _chips_of_the_pool, _within_the_pool)
