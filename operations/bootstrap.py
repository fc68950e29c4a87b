"""``aidc bootstrap``: the bucket of the state and its key, which have to be there before ``pulumi login``.

No program of Pulumi's can make the place where its own state will be. So this is done by hand's few requests, each of
which finds what an earlier run has done: a run that was killed is made good by the next.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from components.config import ConfigurationError, load
from components.naming import BUCKET_LIMIT, fit
from components.settings import StackConfig
from operations import state_bucket
from operations.exits import OperationFailed
from operations.workplace import Workplace


@dataclass(frozen=True)
class Made:
    """Where the state is, and the commands that come next."""

    account_id: str
    region: str
    bucket: str
    key_arn: str
    key_alias: str
    login: str
    init: str


def bootstrap(place: Workplace, *, bucket: str | None = None, region: str | None = None) -> None:
    """Make what is missing of the state's place for a stack, and say how Pulumi is told of it.

    Args:
        bucket: its name; absent: made of the stack's name, account and region.
        region: where it is; absent: the stack's own. Another one outlives the loss of the stack's.

    Raises:
        OperationFailed: the stack file is wrong, the credentials are none or another account's, or the bucket is
            somebody else's.
    """
    place.require_stack_file()
    config = _config(place)
    where = region or config.aws.region
    account = state_bucket.open_account(where, config.aws.profile)
    _check_account(account.id, config)
    name = bucket or fit(config.name, "state", account.id, where, limit=BUCKET_LIMIT)
    key_arn = state_bucket.ensure(account, name, place.tell)
    made = Made(
        account_id=account.id,
        region=where,
        bucket=name,
        key_arn=key_arn,
        key_alias=state_bucket.alias_of(name),
        login=login_command(name, where, config.aws.profile),
        init=init_command(place.stack, name, where, config.aws.profile),
    )
    place.give(asdict(made), f"{made.login}\n{made.init}")


def login_command(bucket: str, region: str, profile: str | None) -> str:
    """What tells Pulumi where the state is (Pulumi guide, "State and backends", AWS S3)."""
    return f"pulumi login '{_url('s3', bucket, region, profile)}'"


def init_command(stack: str, bucket: str, region: str, profile: str | None) -> str:
    """What makes the stack in it, with its secrets under the key."""
    secrets = _url("awskms", state_bucket.alias_of(bucket), region, profile)
    return f"pulumi stack init {stack} --secrets-provider='{secrets}'"


def _url(scheme: str, place: str, region: str, profile: str | None) -> str:
    return f"{scheme}://{place}?region={region}&awssdk=v2" + (f"&profile={profile}" if profile else "")


def _config(place: Workplace) -> StackConfig:
    try:
        return load(place.stack_file)
    except ConfigurationError as error:
        raise OperationFailed.of_configuration(error) from None


def _check_account(account_id: str, config: StackConfig) -> None:
    allowed = config.aws.allowed_account_ids
    if account_id not in allowed:
        raise OperationFailed(
            f"These are credentials of account {account_id}, and the stack may touch {', '.join(allowed)} only "
            "(aws:allowedAccountIds): nothing was made. Use credentials of one of them, or correct the stack file."
        )
