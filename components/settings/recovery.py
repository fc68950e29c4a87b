"""The recovery section: the region that is to take over."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import Cidr, Region


class RecoveryConfig(Section):
    """A second region: a VPC like the first one, without machines and ways out, and a peering connection between."""

    region: Region = Field(description="The recovery region; not the stack's own.")
    cidr: Cidr = Field(description="Its VPC's range, /16 to /20; may overlap no other range of the stack.")
    multi_region_key: bool = Field(
        default=True,
        description="The stack's key is a multi-Region key with a replica here; false: this region has a key of its "
        "own. KMS makes no key multi-Region afterwards: on a stack in use, adding this section with true, removing it "
        "or changing this replaces the key and everything that it encrypts. Begin with true, or add it with false.",
    )
