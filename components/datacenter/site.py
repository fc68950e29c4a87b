"""What every area is built from: the configuration, the account, and AWS in the stack's region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from ..naming import default_tags
from ..settings import StackConfig


def aws_provider(config: StackConfig, stack: str, name: str = "aws", region: str | None = None) -> aws.Provider:
    """AWS as the stack file has it: the region, the accounts that may be touched, and tags on everything.

    ``region``: another one than the stack's.
    """
    return aws.Provider(
        name,
        region=region or config.aws.region,
        allowed_account_ids=list(config.aws.allowed_account_ids),
        profile=config.aws.profile,
        default_tags={"tags": default_tags(config, stack)},
    )


@dataclass(frozen=True, kw_only=True)
class Site:
    """``workloads``: what the image is made of; ``playbooks``: what configures the nodes.

    ``recovery_provider``: AWS in the recovery region, where the stack has one.
    """

    config: StackConfig
    stack: str
    provider: aws.Provider
    recovery_provider: aws.Provider | None
    account_id: pulumi.Output[str]
    workloads: Path
    playbooks: Path

    @staticmethod
    def of(config: StackConfig, stack: str, provider: aws.Provider, *, workloads: Path, playbooks: Path) -> Site:
        """Asks AWS for the account."""
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider))
        there = aws_provider(config, stack, "aws-recovery", config.recovery.region) if config.recovery else None
        return Site(
            config=config,
            stack=stack,
            provider=provider,
            recovery_provider=there,
            account_id=account.account_id,
            workloads=workloads,
            playbooks=playbooks,
        )

    @property
    def name(self) -> str:
        """The prefix of every name."""
        return self.config.name

    @property
    def region(self) -> str:
        """The stack's own region."""
        return self.config.aws.region

    @property
    def opts(self) -> pulumi.ResourceOptions:
        """In the stack's own region."""
        return pulumi.ResourceOptions(provider=self.provider)

    @property
    def tags(self) -> dict[str, str]:
        """Those of the provider, for what makes other things that no provider tags."""
        return default_tags(self.config, self.stack)

    def after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        """:attr:`opts`, once ``resources`` are there."""
        return pulumi.ResourceOptions.merge(self.opts, pulumi.ResourceOptions(depends_on=list(resources)))
