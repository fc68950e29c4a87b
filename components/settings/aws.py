"""The ``aws:`` keys of a stack file."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from .network import too_few_zones
from .section import Conflict, Section, rule_of
from .values import AccountId, Region


class AwsConfig(Section):
    """The ``aws:`` keys. The accounts are a list on purpose: a stack that names none could touch any."""

    region: Region = Field(description="The region everything is in.")
    allowed_account_ids: tuple[AccountId, ...] = Field(
        alias="allowedAccountIds",
        strict=False,
        min_length=1,
        description="Accounts this stack may touch; any other is refused.",
    )
    profile: str | None = Field(
        default=None, description="Named profile of the AWS credentials; absent: the environment's."
    )


@rule_of(AwsConfig)
def _zones_of_its_region(aws: AwsConfig) -> Iterator[Conflict]:
    yield from too_few_zones(aws.region)
