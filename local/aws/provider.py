"""The local AWS provider: the SDK's ``aws`` types on moto, real control planes, process nodes and records."""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Mapping
from typing import Any

from local import vehicle
from local.aws.cloud import ACCOUNT, Account
from local.aws.invokes import INVOKES
from local.aws.lifecycle import Lifecycle, StateKnowledge
from local.aws.resource_type import ResourceType
from local.aws.tables import TYPES
from local.paths import DataRoot
from local.provider import (
    Changes,
    Check,
    CheckFailed,
    Create,
    Delete,
    Diff,
    Failure,
    Found,
    LocalProvider,
    Made,
    ProviderError,
    Read,
    Unknown,
    Update,
    Values,
    compare,
)
from local.provider.values import Asset

_accounts: dict[DataRoot, Account] = {}
_accounts_lock = threading.Lock()


def account_of(root: DataRoot) -> Account:
    """The clients of a data root, shared by all provider instances of this process."""
    with _accounts_lock:
        return _accounts.setdefault(root, Account(root))


class AwsProvider(LocalProvider):
    """One instance a provider resource, each with its own region and default tags."""

    name = "aws"
    version = importlib.metadata.version("pulumi-aws")

    def __init__(self, root: DataRoot | None = None, *, any_account: bool = False) -> None:
        """``any_account`` is for previews only, which change nothing: the stack of a real account may be planned."""
        self._any_account = any_account
        self._account = account_of(root or DataRoot.of_environment())
        self._known = StateKnowledge()
        self._lifecycle: Lifecycle | None = None

    def check_config(self, inputs: Values) -> Values:
        """Only the local account may be allowed, so that a stack of a real account is refused here."""
        from local.provider.servicer import decode_config

        config = decode_config(inputs)
        failures = [] if self._any_account else _account_failures(config)
        region = config.get("region")
        if not region:
            failures.append(Failure("region", "no region: set aws:region in the stack's file, for example us-east-1"))
        if failures:
            raise CheckFailed(*failures)
        return inputs

    def diff_config(self, old: Values, new: Values) -> Changes:
        """Another region means other resources; everything else leaves them in place."""
        return Changes(compare(old, new, lambda path: path == "region"))

    def configure(self, config: Values) -> None:
        """Take region, allowed accounts and default tags."""
        if not self._any_account and (failures := _account_failures(config)):
            raise ProviderError(failures[0].reason)
        region = config.get("region")
        if isinstance(region, Unknown) or not region:
            region = "us-east-1"
        tags = config.get("defaultTags") or {}
        given = tags.get("tags") if isinstance(tags, Mapping) else None
        default_tags = {str(k): v for k, v in (given or {}).items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
        self._lifecycle = Lifecycle(self._account.at(str(region)), default_tags, self._known)

    def check(self, request: Check) -> Values:
        """Known types only; assets get the digest of their content."""
        kind = self._kind(request.type)
        inputs = self._configured.check(kind, request)
        return {key: value.with_hash() if isinstance(value, Asset) else value for key, value in inputs.items()}

    def diff(self, request: Diff) -> Changes:
        """Old inputs against new ones."""
        return self._configured.diff(self._kind(request.type), request)

    def create(self, request: Create) -> Made:
        """Make or adopt."""
        return self._configured.create(self._kind(request.type), request)

    def read(self, request: Read) -> Found | None:
        """Look up."""
        return self._configured.read(self._kind(request.type), request)

    def update(self, request: Update) -> Values:
        """Change in place."""
        return self._configured.update(self._kind(request.type), request)

    def delete(self, request: Delete) -> None:
        """Remove."""
        self._configured.delete(self._kind(request.type), request)

    def invoke(self, token: str, args: Values, preview: bool) -> Mapping[str, Any]:
        """Answer a function; those about regions and accounts need no running cloud."""
        answer = INVOKES.get(token)
        if answer is None:
            raise ProviderError(
                f"{token} is not among the functions that the local aws provider answers: {', '.join(sorted(INVOKES))}"
            )
        cloud = self._configured.cloud
        region = args.get("region")
        return answer(cloud.account.at(region) if isinstance(region, str) and region else cloud, args)

    def fidelity_of(self, type_token: str) -> str:
        """How real the type is here."""
        carried = vehicle.recorded(self._account.root)
        return self._kind(type_token).fidelity_on(carried is not None and carried.is_machines)

    @property
    def _configured(self) -> Lifecycle:
        if self._lifecycle is None:
            self.configure({})
        assert self._lifecycle is not None
        return self._lifecycle

    def _kind(self, token: str) -> ResourceType:
        kind = TYPES.get(token)
        if kind is None:
            raise ProviderError(
                f"{token} is not among the {len(TYPES)} types that the local aws provider stands in for; "
                f"CONTRIBUTING.md says how to add one in local/aws"
            )
        return kind


def _account_failures(config: Values) -> list[Failure]:
    allowed, forbidden = config.get("allowedAccountIds"), config.get("forbiddenAccountIds")
    if isinstance(allowed, list) and allowed and ACCOUNT not in [str(one) for one in allowed]:  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        reason = (
            f"aws:allowedAccountIds allows {', '.join(str(one) for one in allowed)}; "  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            f"the local cloud is account {ACCOUNT}. "
            f"Use a stack that is meant for this machine (aws:allowedAccountIds: ['{ACCOUNT}'])"
        )
        return [Failure("allowedAccountIds", reason)]
    if isinstance(forbidden, list) and ACCOUNT in [str(one) for one in forbidden]:  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return [Failure("forbiddenAccountIds", f"the local cloud is account {ACCOUNT}, which is forbidden")]
    return []
