"""The recovery section: the region that is to take over."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import Cidr, Region


class RecoveryConfig(Section):
    """A second region: a VPC like the first one, without machines and ways out, and a peering connection between."""

    region: Region = Field(description="The recovery region; not the stack's own.")
    cidr: Cidr = Field(description="Its VPC's range, /16 to /20; may overlap no other range of the stack.")
