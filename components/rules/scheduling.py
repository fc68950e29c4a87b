"""What teams, quotas and priorities may not be."""

from __future__ import annotations

from collections.abc import Iterator

from components.quotas import units, units_of
from components.settings.scheduling import HIGHEST_PRIORITY, TAKEN_NAMESPACES, QuotaConfig, SchedulingConfig
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


def _nodes_or_chips(config: StackConfig) -> Iterator[Conflict]:
    for team, pool, quota in _quotas(config):
        key = (_HERE, "teams", team, "quotas", pool)
        if (quota.nodes is None) == (quota.chips is None):
            yield Conflict(key=key, message="says nodes or chips, one of the two")
        elif quota.chips is not None and pool in config.pools and not config.pools[pool].instance.chips:
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


def _namespaces(config: StackConfig) -> Iterator[Conflict]:
    for team in (config.scheduling or SchedulingConfig()).teams:
        if team in TAKEN_NAMESPACES or team.startswith("kube-"):
            message = f"the namespace {team} is not a team's: give the team another name"
            yield Conflict(key=(_HERE, "teams", team), message=message)


def _priorities(config: StackConfig) -> Iterator[Conflict]:
    priorities = (config.scheduling or SchedulingConfig()).priorities
    default = next((name for name, one in priorities.items() if one.default), None)
    for name, one in priorities.items():
        key = (_HERE, "priorities", name)
        if one.value > HIGHEST_PRIORITY:
            message = (
                f"{one.value} would go before what the cluster itself needs (system-cluster-critical, "
                f"system-node-critical): at most {HIGHEST_PRIORITY}"
            )
            yield Conflict(key=(*key, "value"), message=message)
        if name.startswith("system-"):
            yield Conflict(key=key, message="names that begin with system- are Kubernetes' own")
        if one.default and name != default:
            yield Conflict(key=(*key, "default"), message=f"{default} is the default already")


def _topology_of_kueue(config: StackConfig) -> Iterator[Conflict]:
    if config.scheduling and config.scheduling.topology and config.scheduling.kueue is None:
        message = "it is Kueue that places by the network: say with kueue which release is installed"
        yield Conflict(key=(_HERE, "topology"), message=message)


RULES = (_known_pools, _nodes_or_chips, _within_the_pool, _namespaces, _priorities, _topology_of_kueue)
