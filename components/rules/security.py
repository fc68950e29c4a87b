"""What must hold between the security section and the accounts."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig


def _boundary_of_this_account(config: StackConfig) -> Iterator[Conflict]:
    """IAM takes a boundary of the role's own account, or one of AWS's own policies."""
    boundary = config.security.permissions_boundary_arn if config.security else None
    if boundary is None:
        return
    account = boundary.split(":")[4]
    if account not in ("aws", *config.aws.allowed_account_ids):
        message = f"a policy of account {account}, and a role takes a boundary of its own account only"
        yield Conflict(
            key=("security", "permissions_boundary_arn"), message=message, allowed=config.aws.allowed_account_ids
        )


RULES = (_boundary_of_this_account,)
