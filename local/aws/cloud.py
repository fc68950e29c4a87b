"""One region of the local AWS: clients, calls, and errors as sentences.

Credentials are the fixed fake ones and the only address is moto's on this machine: nothing of the user's own AWS
configuration is read, so that no call can leave this machine.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.config
import botocore.loaders
import botocore.model
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

from local import moto
from local.paths import DataRoot
from local.provider import ProviderError

ACCOUNT = moto.ACCOUNT
GONE = re.compile(r"NotFound|NoSuch|Non[Ee]xistent|\.Malformed|ResourceNotFound|^404$|DoesNotExist")
"""Error codes by which the services say that something is not there."""

_CONFIG = botocore.config.Config(
    retries={"total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=60,
    max_pool_connections=64,
    parameter_validation=True,
    s3={"addressing_style": "path"},
)


class ServiceError(ProviderError):
    """A service refused a request; ``code`` is its error code."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)

    @property
    def is_gone(self) -> bool:
        """Whether the service says that what was asked about does not exist."""
        return GONE.search(self.code) is not None


class Account:
    """The clients of one data root's moto server, shared by all threads and regions."""

    def __init__(self, root: DataRoot) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._server: moto.MotoServer | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._session = botocore.session.Session(
            session_vars={"config_file": (None, None, None, None), "credentials_file": (None, None, None, None)}
        )
        self._session.set_credentials("testing", "testing")

    @property
    def server(self) -> moto.MotoServer:
        """The server, started at the first use."""
        with self._lock:
            if self._server is None:
                self._server = moto.ensure(self.root)
            return self._server

    def client(self, service: str, region: str) -> Any:
        """The client of ``service`` in ``region``; making one is not thread-safe, using it is."""
        server = self.server
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._session.create_client(
                    service, region_name=region, endpoint_url=server.endpoint_url, config=_CONFIG
                )
            return self._clients[key]

    def model(self, service: str) -> botocore.model.ServiceModel:
        """Botocore's model of ``service``, for requests that nothing can answer."""
        with self._lock:
            return self._session.get_service_model(service)

    def at(self, region: str) -> Cloud:
        """The account's services in ``region``."""
        return Cloud(self, region)


@dataclass(frozen=True)
class Cloud:
    """One region's services. Calls raise ServiceError or ProviderError, each one sentence."""

    account: Account
    region: str
    partition: str = field(default="aws")

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """Call ``operation`` (boto3's name for it) and give its answer."""
        client = self.account.client(service, self.region)
        try:
            return getattr(client, operation)(**request)
        except ClientError as error:
            failure = error.response.get("Error", {})
            code, text = str(failure.get("Code", "")), str(failure.get("Message", ""))
            raise ServiceError(code, f"{service} {operation} in {self.region}: {code}: {text}") from None
        except ParamValidationError as error:
            raise ProviderError(f"{service} {operation}: {error}") from None
        except (HTTPClientError, BotoCoreError) as error:
            raise ProviderError(self._unreachable(service, operation, error)) from None

    def seek(self, service: str, operation: str, **request: Any) -> dict[str, Any] | None:
        """As :meth:`call`; None where the service says that it is not there."""
        try:
            return self.call(service, operation, **request)
        except ServiceError as error:
            if error.is_gone:
                return None
            raise

    def arn(self, service: str, resource: str, region: str | None = None, account: str = ACCOUNT) -> str:
        """The ARN of ``resource``; ``region`` is this one unless given."""
        return f"arn:aws:{service}:{self.region if region is None else region}:{account}:{resource}"

    def _unreachable(self, service: str, operation: str, error: Exception) -> str:
        server = self.account.server
        alive = moto.running(self.account.root)
        log = moto.log_file(self.account.root)
        if alive == server:
            return (
                f"{service} {operation}: moto (AWS on this machine, {server.endpoint_url}) failed: {error}; see {log}"
            )
        return (
            f"{service} {operation}: moto, which stands in for AWS at {server.endpoint_url}, has stopped (it was "
            f"process {server.pid}) and what it held is lost. Run `aidc up --refresh` to rebuild it; its log is {log}"
        )


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_map(tags: Any) -> dict[str, str]:
    """Tags from either of the shapes in which services give them."""
    if isinstance(tags, Mapping):
        return dict(tags)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return {tag.get("Key", tag.get("TagKey")): tag.get("Value", tag.get("TagValue", "")) for tag in tags or ()}
