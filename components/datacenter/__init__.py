"""The data centre: its areas in order, and what they tell. No area knows those that come after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi_aws as aws

from ..permissions_boundary import bound_roles
from ..settings import StackConfig
from .compute import Compute
from .data import Data
from .foundation import Foundation
from .inside import Inside
from .management import Management
from .oversight import Oversight
from .services import Services
from .site import Site, aws_provider

__all__ = ["Datacenter", "aws_provider"]


class Datacenter:
    """Builds the components in order. No resource of its own: the components are the stack's first level."""

    def __init__(
        self, config: StackConfig, stack: str, provider: aws.Provider, *, workloads: Path, playbooks: Path
    ) -> None:
        if config.security and config.security.permissions_boundary_arn:
            bound_roles(config.security.permissions_boundary_arn)
        self.site = site = Site.of(config, stack, provider, workloads=workloads, playbooks=playbooks)
        self.foundation = Foundation(site)
        self.compute = Compute(site, self.foundation)
        self.services = Services(site, self.foundation, self.compute)
        self.data = Data(site, self.foundation, self.compute)
        self.management = Management(site, self.foundation, self.compute, self.data)
        self.oversight = Oversight(site, self.foundation, self.services, self.data, self.management)
        self.inside = Inside(site, self.foundation, self.compute, self.data, self.management)

    def outputs(self) -> dict[str, Any]:
        """The fields of :class:`components.outputs.DatacenterOutputs`, as outputs."""
        site = self.site
        areas = (
            self.foundation, self.compute, self.services, self.data, self.management, self.oversight, self.inside,
        )  # fmt: skip
        outputs: dict[str, Any] = {
            "name": site.config.name,
            "region": site.config.aws.region,
            "account_id": site.account_id,
        }
        for area in areas:
            outputs |= area.outputs()
        return outputs
