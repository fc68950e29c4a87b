"""What a change of a pool's settings does to its nodes: known from the settings alone, before any cloud is asked.

It builds what the component would declare before and after, and compares the two, so that there is no second list of
which setting goes where.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

from .block_calendar import actions
from .launch_template import LaunchTemplateArgs, launch_template
from .node_group import NodeGroupArgs, node_group
from .settings import PoolConfig

# What a managed node group cannot change (EKS API reference, UpdateNodegroupConfig and UpdateNodegroupVersion).
REPLACED = frozenset({"instance_types", "ami_type", "capacity_type", "subnet_ids"})
# What EKS updates by replacing the nodes one after the other (EKS guide, "Managed node group update behaviour").
_ROLLED = frozenset({"launch_template", "release_version"})


class Effect(IntEnum):
    """What becomes of the nodes; a greater one includes the smaller ones."""

    NOTHING = 0
    IN_PLACE = 1
    ROLL = 2
    REPLACE = 3


@dataclass(frozen=True)
class Recycling:
    """What a change does to a pool.

    Attributes:
        effect: the greatest of what the changed settings do.
        because: the settings that do it, as the stack file spells them.
        nodes: how many nodes go: all of them, or what scaling takes away. Of a pool that an autoscaler or a calendar
            sizes it is what the stack file says, which may not be what is there.
        at_once: of those that an update takes away, how many may be away together; 0 where more are started first.
        is_block: whether it is a capacity block's, which EKS updates only while it has no nodes.
    """

    effect: Effect
    because: tuple[str, ...] = ()
    nodes: int = 0
    at_once: int = 0
    is_block: bool = False

    def sentence(self, pool: str) -> str:
        """For whoever is asked whether the change may be made."""
        why = f"because {_listed(self.because)} {'changes' if len(self.because) == 1 else 'change'}"
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes} nodes"
        verb = "is" if self.nodes == 1 else "are"
        if self.effect is Effect.REPLACE:
            return f"pool {pool}: the node group is made anew, and {nodes} {verb} gone until it stands, {why}"
        if self.effect is Effect.ROLL and not self.nodes:
            return f"pool {pool}: new nodes are others, {why}; there are none now"
        if self.effect is Effect.ROLL:
            how = f"at most {self.at_once} away at once" if self.at_once else "new ones start first"
            but = "; EKS updates a capacity block's group at 0 nodes only: scale it down first" if self.is_block else ""
            return f"pool {pool}: {nodes} {verb} recycled ({how}), {why}{but}"
        if self.nodes:
            return f"pool {pool}: {nodes} {'goes' if self.nodes == 1 else 'go'}, {why}"
        return f"pool {pool}: no node is recycled, although {_listed(self.because)} {why.rsplit(' ', 1)[1]}"


def recycles(before: PoolConfig, after: PoolConfig, versions: tuple[str, str]) -> Recycling:
    """What becomes of the nodes when a pool's settings change.

    Args:
        before: the settings that it stands with.
        after: those that it is to have.
        versions: Kubernetes' before and after, which decide the AMI where the pool names none.
    """
    effect = _effect(before, after, versions)
    changed = [name for name in PoolConfig.model_fields if getattr(before, name) != getattr(after, name)]
    by_itself = [
        name
        for name in changed
        if _effect(before, before.model_copy(update={name: getattr(after, name)}), versions) is effect
    ]
    because = tuple(by_itself or changed)
    if not changed and versions[0] != versions[1]:
        because = ("cluster.version",)
    return Recycling(
        effect=effect,
        because=because if effect else (),
        nodes=_nodes(before, after, effect),
        at_once=0 if after.surges else after.max_unavailable,
        is_block=after.capacity == "capacity_block",
    )


def _effect(before: PoolConfig, after: PoolConfig, versions: tuple[str, str]) -> Effect:
    old, new = declared(before, versions[0]), declared(after, versions[1])
    if after.sized_elsewhere:  # the program leaves the size alone then
        for one in (old, new):
            one["scaling_config"].pop("desired_size")
    differ = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if differ & REPLACED:
        return Effect.REPLACE
    if differ & _ROLLED:
        return Effect.ROLL
    return Effect.IN_PLACE if differ else Effect.NOTHING


def declared(config: PoolConfig, kubernetes_version: str) -> dict[str, Any]:
    """What a pool declares, its launch template's data in the place of the template's version; names stand in."""
    template = LaunchTemplateArgs(
        name="name",
        config=config,
        security_group_ids=["cluster", *(["fabric"] if config.adapters else [])],
        placement_group="group" if config.placement_group else None,
        key_arn="key",
        tags={},
    )
    group = NodeGroupArgs(
        name="name",
        pool="pool",
        config=config,
        kubernetes_version=kubernetes_version,
        cluster_name="cluster",
        node_role_arn="role",
        subnet_ids=[config.zone or "all"],
        template_id="template",
        template_version="version",
    )
    planned = actions(config.calendar, config.desired_size) if config.calendar else ()
    return {**_plain(node_group(group)), "launch_template": _plain(launch_template(template)), "calendar": planned}


def _plain(value: Any) -> Any:
    """Arguments as they are passed, without what is absent."""
    if isinstance(value, list):
        return [_plain(one) for one in cast(list[Any], value)]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in cast(dict[str, Any], value).items() if one is not None}
    return _plain(vars(value)) if hasattr(value, "__dict__") else value


def _nodes(before: PoolConfig, after: PoolConfig, effect: Effect) -> int:
    if effect in (Effect.ROLL, Effect.REPLACE):
        return before.desired_size
    return 0 if after.sized_elsewhere else max(0, before.desired_size - after.desired_size)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))
