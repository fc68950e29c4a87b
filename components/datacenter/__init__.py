"""The data centre: its areas in order, and what they tell. No area knows those that come after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

from ..google_sdk import why_missing
from ..permissions_boundary import bound_roles
from ..settings import StackConfig
from .backups import Backups
from .compute import Compute
from .data import Data
from .foundation import Foundation
from .inside import Inside
from .management import Management
from .oversight import Oversight
from .recovery_region import RecoveryRegion
from .services import Services
from .site import Site, aws_provider

if TYPE_CHECKING:
    from .tpu import Tpu

__all__ = ["Datacenter", "aws_provider"]


class Datacenter:
    """Builds the components in order. No resource of its own: the components are the stack's first level.

    Raises:
        pulumi.RunError: a package that the stack needs is not installed; nothing was registered.
    """

    def __init__(
        self, config: StackConfig, stack: str, provider: aws.Provider, *, workloads: Path, playbooks: Path
    ) -> None:
        if config.tpu and (why := why_missing("The section tpu of the stack file")):
            raise pulumi.RunError(why)
        if config.security and config.security.permissions_boundary_arn:
            bound_roles(config.security.permissions_boundary_arn)
        self.site = site = Site.of(config, stack, provider, workloads=workloads, playbooks=playbooks)
        self.foundation = Foundation(site)
        self.compute = Compute(site, self.foundation)
        self.services = Services(site, self.foundation, self.compute)
        self.data = Data(site, self.foundation, self.compute)
        self.recovery_region = RecoveryRegion(site, self.foundation, self.data)
        self.backups = Backups(site, self.foundation, self.data)
        self.management = Management(site, self.foundation, self.compute, self.data)
        self.oversight = Oversight(
            site, self.foundation, self.services, self.data, self.recovery_region, self.management
        )
        self.inside = Inside(site, self.foundation, self.compute, self.data, self.management)
        self.tpu = _tpu_area(site, self.foundation, self.data)

    def outputs(self) -> dict[str, Any]:
        """The fields of :class:`components.outputs.DatacenterOutputs`, as outputs."""
        site = self.site
        areas = (
            self.foundation, self.compute, self.services, self.data, self.recovery_region, self.backups,
            self.management, self.oversight, self.inside,
        )  # fmt: skip
        outputs: dict[str, Any] = {
            "name": site.config.name,
            "region": site.config.aws.region,
            "account_id": site.account_id,
        }
        for area in areas:
            outputs |= area.outputs()
        return outputs | (self.tpu.outputs() if self.tpu else {})


def _tpu_area(site: Site, foundation: Foundation, data: Data) -> Tpu | None:
    """The area of Google Cloud; its SDK is imported for stacks that ask for it, and only then."""
    if site.config.tpu is None:
        return None
    from .tpu import Tpu

    return Tpu(site, site.config.tpu, foundation, data)
