"""The bucket of the state, made by boto3: each step finds what is there already, so that it can be run again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from components.bucket import tls_only
from components.naming import partition
from components.settings import PROJECT
from operations.exits import OperationFailed

OWN_TAG = f"{PROJECT}:state-bucket"
"""On the bucket and on its key, with the bucket's name as its value: what bears it is this command's."""
KEPT_DAYS = 365
"""How long an overwritten state can still be had: each `up` writes one."""
# S3 guide, "General purpose bucket naming rules"; without dots, which TLS certificates of buckets do not cover.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=30)
_NO_CREDENTIALS = re.compile(
    r"InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken|UnrecognizedClient|AuthFailure|InvalidAccessKeyId"
)
_REFUSED = re.compile(r"AccessDenied|UnauthorizedOperation|^403$")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Account:
    """The account of the credentials, in one region."""

    id: str
    region: str
    session: boto3.Session
    _clients: dict[str, Any] = field(default_factory=dict[str, Any])

    def client(self, service: str) -> Any:
        """The client of one service."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, config=_CONFIG)  # pyright: ignore
        return self._clients[service]


def alias_of(bucket: str) -> str:
    """The alias of the key that encrypts the bucket and the secrets of its stacks."""
    return f"alias/{bucket}"


def open_account(region: str, profile: str | None) -> Account:
    """The account that the environment's credentials, or a profile's, are of."""
    with _told("sts GetCallerIdentity", region):
        session = boto3.Session(region_name=region, profile_name=profile)
        identity = session.client("sts", config=_CONFIG).get_caller_identity()  # pyright: ignore
    return Account(identity["Account"], region, session)


def ensure(account: Account, bucket: str, tell: Tell) -> str:
    """Make what is missing of the bucket and its key; the key's ARN."""
    if not _NAME.fullmatch(bucket):
        raise OperationFailed(
            f"`{bucket}` can be no bucket of the state: 3 to 63 small letters, digits and dashes, with a letter or a "
            "digit at both ends."
        )
    with _told(f"the state's bucket {bucket}", account.region):
        is_there = _check_owner(account, bucket)
        key_arn = _ensure_key(account, bucket, tell)
        if not is_there:
            _create(account, bucket)
        tell(f"bucket {bucket}: {'is there' if is_there else 'made'}")
        for setting in _settings(account, bucket, key_arn):
            setting()
        tell("versions, encryption, privacy, TLS only, lifecycle: set")
    return key_arn


def _check_owner(account: Account, bucket: str) -> bool:
    """Whether the bucket is there and may be used; its owner is who lists it."""
    s3 = account.client("s3")
    own = [one["Name"] for one in s3.list_buckets(Prefix=bucket).get("Buckets", [])]
    if bucket not in own:
        if _exists(s3, bucket):
            raise OperationFailed(
                f"Somebody else has a bucket {bucket}: names are the whole of AWS's. Choose another one with --bucket."
            )
        return False
    found = s3.get_bucket_location(Bucket=bucket).get("LocationConstraint") or "us-east-1"
    if found != account.region:
        raise OperationFailed(
            f"The bucket {bucket} is in {found}, and not in {account.region}: say --region {found}, or choose another "
            "one with --bucket."
        )
    if _tags(s3, bucket).get(OWN_TAG) != bucket and not _is_empty(s3, bucket):
        raise OperationFailed(
            f"The bucket {bucket} is this account's and holds something else than the state (it has no tag {OWN_TAG}): "
            f"nothing was changed. Choose another one with --bucket, or tag it {OWN_TAG}={bucket} if its policy, "
            "lifecycle and encryption may be replaced."
        )
    return True


def _exists(s3: Any, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if _code(error) in ("404", "NoSuchBucket"):
            return False
        if not _REFUSED.search(_code(error)) and _code(error) != "301":  # there, in a region of another's
            raise
    return True


def _tags(s3: Any, bucket: str) -> dict[str, str]:
    try:
        return {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    except ClientError as error:
        if _code(error) == "NoSuchTagSet":
            return {}
        raise


def _is_empty(s3: Any, bucket: str) -> bool:
    """Also of old versions: what a killed run leaves has never held anything."""
    found = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    return not found.get("Versions") and not found.get("DeleteMarkers")


def _ensure_key(account: Account, bucket: str, tell: Tell) -> str:
    """The key under the alias; one without alias, of a run that was killed between the two, gets it."""
    kms, alias = account.client("kms"), alias_of(bucket)
    key = _key_of(kms, alias)
    if key is None:
        arn = _orphan(account, kms, bucket) or _create_key(account, kms, bucket)
        kms.create_alias(AliasName=alias, TargetKeyId=arn)
        key = _key_of(kms, alias) or {"Arn": arn, "KeyState": "Enabled"}
        tell(f"key {arn} ({alias}): made")
    else:
        tell(f"key {key['Arn']} ({alias}): is there")
    if key["KeyState"] != "Enabled":
        raise OperationFailed(
            f"The key {key['Arn']} ({alias}) is {key['KeyState']}: what it encrypts cannot be read. Enable it (or "
            "cancel its deletion), or move the alias to another key if nothing is under this one."
        )
    kms.enable_key_rotation(KeyId=key["Arn"])
    return key["Arn"]


def _key_of(kms: Any, alias: str) -> dict[str, Any] | None:
    try:
        return kms.describe_key(KeyId=alias)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        return None


def _orphan(account: Account, kms: Any, bucket: str) -> str | None:
    tagging = account.client("resourcegroupstaggingapi")
    filters = [{"Key": OWN_TAG, "Values": [bucket]}]
    found = tagging.get_resources(TagFilters=filters, ResourceTypeFilters=["kms:key"])["ResourceTagMappingList"]
    arns = [one["ResourceARN"] for one in found]
    usable = [arn for arn in arns if kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"]
    return usable[0] if usable else None


def _create_key(account: Account, kms: Any, bucket: str) -> str:
    """IAM decides who may use it: the policy names the account alone."""
    root = f"arn:{partition(account.region)}:iam::{account.id}:root"
    statement = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    made = kms.create_key(
        Description=f"The state of Pulumi in {bucket}, and its secrets",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        Tags=[{"TagKey": OWN_TAG, "TagValue": bucket}],
    )
    return made["KeyMetadata"]["Arn"]


def _create(account: Account, bucket: str) -> None:
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    account.client("s3").create_bucket(
        Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **({} if account.region == "us-east-1" else elsewhere)
    )


def _settings(account: Account, bucket: str, key_arn: str) -> Iterator[Callable[[], object]]:
    """What the bucket is to be, the private first; the tag says that the rest may be set again."""
    s3, own = account.client("s3"), {"Bucket": bucket, "ExpectedBucketOwner": account.id}
    everything = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    sealed = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
    expired = {"NoncurrentVersionExpiration": {"NoncurrentDays": KEPT_DAYS}}
    lifecycle = {
        "ID": "old-states",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        **expired,
    }
    policy = json.dumps(tls_only(f"arn:{partition(account.region)}:s3:::{bucket}"))
    yield lambda: s3.put_bucket_tagging(**own, Tagging={"TagSet": [{"Key": OWN_TAG, "Value": bucket}]})
    yield lambda: s3.put_public_access_block(**own, PublicAccessBlockConfiguration=dict.fromkeys(everything, True))
    yield lambda: s3.put_bucket_ownership_controls(
        **own, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    yield lambda: s3.put_bucket_versioning(**own, VersioningConfiguration={"Status": "Enabled"})
    yield lambda: s3.put_bucket_encryption(
        **own,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": sealed, "BucketKeyEnabled": True}]
        },
    )
    yield lambda: s3.put_bucket_policy(**own, Policy=policy)
    yield lambda: s3.put_bucket_lifecycle_configuration(**own, LifecycleConfiguration={"Rules": [lifecycle]})


@contextmanager
def _told(what: str, region: str) -> Iterator[None]:
    """What AWS refuses as a sentence: what, why, and what to do."""
    try:
        yield
    except ClientError as error:
        code, text = _code(error), error.response.get("Error", {}).get("Message", "")
        if _NO_CREDENTIALS.search(code):
            remedy = "the credentials are wrong or have expired: sign in again, then `aws sts get-caller-identity`"
        elif _REFUSED.search(code):
            remedy = f"the credentials lack the right to {error.operation_name}: use those of an administrator"
        else:
            remedy = "run it again: what has been done is found, and not done twice"
        raise OperationFailed(f"{what} in {region}: AWS answered {code} ({text}); {remedy}.") from None
    except BotoCoreError as error:
        raise OperationFailed(
            f"{what} in {region}: {error}. It takes credentials of the stack's account (an AWS profile, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and a way to AWS; the next run finds what is done."
        ) from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
