"""An option as a stack file to start from. It is loaded before it is put in place: what is written can be read."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from components.accelerators import CATALOGUE, Capacity, Cloud, is_sold_in, regions_with, zones_of
from components.config import ConfigurationError, load
from components.settings.values import REGIONS
from local.files import require_room, write_atomically
from operations.sizing import quantities
from operations.sizing.model import Option, Plan

PLACEHOLDER_ACCOUNT = "111122223333"
"""AWS's account for examples: `pulumi up` refuses with the credentials of any real one until it is replaced."""
PLACEHOLDER_RESERVATION = "cr-00000000000000000"
DEFAULT_REGION = "us-east-1"
CPU_POOL_VCPUS = 8
CPU_POOL_MEMORY_GIB = 32
NODE_GROUP_QUOTA = 450
"""Nodes in a managed node group: EKS's service quotas."""


class StackFileError(Exception):
    """The file cannot be written; the message says why and what to do."""


def write(plan: Plan, option: Option, path: Path, region: str | None = None, *, force: bool = False) -> None:
    """Write the stack file; whole or not at all, also when it is interrupted.

    ``region`` is by default us-east-1, or the first that sells the type.

    Raises:
        StackFileError: there is one already and ``force`` is not set, it cannot be written, or a stack file cannot say
            what the option needs.
    """
    region = region_for(option, region)
    content = text(plan, option, name_of(path), region)
    try:
        if path.exists() and not force:
            raise StackFileError(f"{path} exists; choose another name, or overwrite it with --force")
        _load(content)
        require_room(path)  # which makes no folder
        write_atomically(path, content, replace=force)
    except ConfigurationError as error:
        why = "; ".join(problem.message for problem in error.problems)
        raise StackFileError(f"a stack file cannot say this option yet, choose another: {why}") from None
    except FileExistsError:
        raise StackFileError(f"{path} has come meanwhile; overwrite it with --force") from None
    except OSError as error:
        raise StackFileError(f"{path} cannot be written: {error.strerror}") from None


def _load(content: str) -> None:
    with TemporaryDirectory(prefix="aidc-") as folder:
        draft = Path(folder) / "Pulumi.draft.yaml"
        draft.write_text(content, encoding="utf-8")
        load(draft)


def stack_of(path: Path) -> str | None:
    """The stack whose file that is, by its name: ``Pulumi.<stack>.yaml``."""
    found = re.fullmatch(r"Pulumi\.([A-Za-z0-9_-]+)\.yaml", path.name)
    return found[1] if found else None


def name_of(path: Path) -> str:
    """The prefix of all names, from the stack's; "train" where that makes no name."""
    name = f"aidc-{stack_of(path)}"
    return name if re.fullmatch(r"[a-z][a-z0-9-]{0,18}[a-z0-9]", name) else "aidc-train"


def region_for(option: Option, region: str | None) -> str:
    """The region to write.

    Raises:
        StackFileError: there is no such region, it does not sell the type, or that is no machine of EC2.
    """
    name = option.instance_type
    if CATALOGUE[name].cloud is not Cloud.AWS:
        raise StackFileError(
            f"{name} is no machine of EC2, and only pools of EC2 are written: choose another by --option or --type. A "
            "TPU slice is the section `tpu` of a stack file (docs/stack-file.md)"
        )
    if region is not None and region not in REGIONS:
        raise StackFileError(f"{region} is no region that is known; these are: {', '.join(REGIONS)}")
    sold = regions_with(name) or (DEFAULT_REGION,)
    wanted = region or (DEFAULT_REGION if is_sold_in(DEFAULT_REGION, name) else sold[0])
    if not is_sold_in(wanted, name):
        raise StackFileError(f"{wanted} does not sell {name}; these do: {', '.join(sold)}")
    return wanted


def text(plan: Plan, option: Option, name: str, region: str) -> str:
    """The stack file's text."""
    model = plan.request.model
    zones = (zones_of(region) or tuple(f"{region}{letter}" for letter in "abc"))[:3]
    return f"""\
# yaml-language-server: $schema=schemas/stack.schema.json
# Written by `aidc size`: {quantities.short(model.parameters)} parameters on {quantities.short(plan.request.tokens)} \
tokens in {quantities.time(option.duration_s)} on {option.chips:,} {option.chip}.
# Layout: {option.layout}; a checkpoint every {quantities.time(option.checkpoint_interval_s)}.
config:
  aws:region: {region}
  # Your account. This one is of no one, so that nothing happens until you have said yours.
  aws:allowedAccountIds: ["{PLACEHOLDER_ACCOUNT}"]
  ai-datacenter:name: {name}
  ai-datacenter:retain_data: true
  ai-datacenter:network:
    cidr: 10.64.0.0/16
    # The machines that train are in one zone: their fabric does not cross zones. Name the one that has your capacity.
    zones: [{", ".join(zones)}]
    nat: per_zone
  ai-datacenter:pools:
    # Where add-ons and everything without an accelerator runs.
    cpu:
      instance_type: {_cpu_type()}
      desired_size: 3
      min_size: 3
      max_size: 6
    train:
      instance_type: {option.instance_type}
      desired_size: {option.machines}
      # As many more as are likely to be away for repair at one time.
      max_size: {option.machines + option.spares}
      zone: {zones[0]}
{_capacity(option)}
      disk_size_gb: 500
  ai-datacenter:storage:
    # A checkpoint of {quantities.size(plan.checkpoint_bytes)} is overwritten all the time: what is overwritten goes \
after a day.
    noncurrent_days: 1
  ai-datacenter:smoke_test:
    pool: train
    steps: 200
    timeout_s: 3600
"""


def _capacity(option: Option) -> str:
    """How the machines are bought."""
    if Capacity.ON_DEMAND in CATALOGUE[option.instance_type].capacities:
        said = "So many are rarely there for the asking: a reservation or a Capacity Block makes sure of them."
        return f"      # {said}{_quota(option)}\n      capacity: on_demand"
    said = "Sold in Capacity Blocks only: put your reservation here."
    lines = ("capacity: capacity_block", f"capacity_reservation_id: {PLACEHOLDER_RESERVATION}")
    return f"      # {said}{_quota(option)}\n      " + "\n      ".join(lines)


def _quota(option: Option) -> str:
    """A line for a pool that is larger than EKS allows without being asked."""
    if option.machines + option.spares <= NODE_GROUP_QUOTA:
        return ""
    return f"\n      # EKS has {NODE_GROUP_QUOTA} nodes in a node group until a higher quota is asked for."


def _cpu_type() -> str:
    """The cheapest CPU type of the catalogue that is large enough for what runs beside the training."""
    rows = [
        (row.price.usd_per_hour, row.name)
        for row in CATALOGUE.values()
        if row.chip is None and row.price and row.vcpus >= CPU_POOL_VCPUS and row.memory_gib >= CPU_POOL_MEMORY_GIB
    ]
    return min(rows)[1]
