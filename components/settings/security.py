"""The security section: what an organisation asks of an account, where this stack is to bring it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from .section import Section

PolicyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$")]


class SecurityConfig(Section):
    """What guards the account beside the stack's own resources."""

    permissions_boundary_arn: PolicyArn | None = Field(
        default=None,
        description="A policy that is there already and bounds what every role of the stack may ever do; absent: none.",
    )
