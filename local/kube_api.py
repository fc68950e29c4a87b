"""A thin client of the Kubernetes API on the standard library: requests and watches, in JSON.

The control plane and the node agents use it in place of the ``kubernetes`` package, whose import alone takes 1.2 s and
45 MB more; two agents and their pods share a small machine.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"


class ApiError(Exception):
    """The API server refused: ``status`` is its HTTP status, the message its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Exception):
    """There is no answer from the API server; it may be restarting."""


@dataclass(frozen=True)
class Credentials:
    """Where an API server is and who asks: files in PEM."""

    endpoint: str
    ca: Path
    certificate: Path
    key: Path


class KubeApi:
    """One API server as one identity, at ``host`` and ``port``.

    Threads may share it: each has its own kept-alive connection.
    """

    def __init__(self, credentials: Credentials, timeout_s: float = 10.0) -> None:
        address = urlsplit(credentials.endpoint)
        self.host, self.port = address.hostname or "127.0.0.1", address.port or 443
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context(cafile=str(credentials.ca))
        self._tls.load_cert_chain(credentials.certificate, credentials.key)
        self._local = threading.local()

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """One object or list; raises `ApiError` with status 404 when there is none."""
        return self._request("GET", path, None, query)

    def find(self, path: str) -> dict[str, Any] | None:
        """One object; None when there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create in the collection ``path``."""
        return self._request("POST", path, body, {})

    def update(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the object at ``path``."""
        return self._request("PUT", path, body, {})

    def patch(self, path: str, body: Mapping[str, Any], kind: str = STRATEGIC_MERGE_PATCH) -> dict[str, Any]:
        """Patch the object at ``path``."""
        return self._request("PATCH", path, body, {}, kind)

    def delete(self, path: str, grace_s: int | None = None, uid: str | None = None) -> None:
        """Delete the object at ``path`` (only that of this uid, where given); fine when it is gone."""
        # What it owns goes with it: the API's default for a Job is to leave its pods behind.
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            self._request("DELETE", path, options, {})
        except ApiError as error:
            if error.status not in (404, 409):  # 409: the name has another object by now
                raise

    def text(self, path: str) -> str:
        """A page that is not JSON, such as ``/readyz``."""
        return self._send("GET", path, None, {})[1].decode(errors="replace")

    def watch(self, path: str, version: str, **query: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Changes since a list's resource version, as (type, object), until the server ends the watch (5 min).

        Raises:
            ApiError: status 410 when the version is too old: list again.
            Unreachable: the connection broke: watch or list again.
        """
        query = {**query, "watch": "1", "resourceVersion": version, "timeoutSeconds": "300"}
        connection = self._connect(timeout_s=330)
        try:
            connection.request("GET", f"{path}?{urlencode(query)}", headers={"Accept": "application/json"})
            response = connection.getresponse()
            if response.status >= 400:
                raise _error(response.status, response.read())
            while line := response.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(
                        int(event["object"].get("code", 500)), event["object"].get("message", "watch failed")
                    )
                yield event["type"], event["object"]
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(str(error)) from error
        finally:
            connection.close()

    def _connect(self, timeout_s: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout_s, context=self._tls)

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str], kind: str = ""
    ) -> dict[str, Any]:
        status, content = self._send(method, path, body, query, kind)
        if status >= 400:
            raise _error(status, content)
        return json.loads(content)

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str], kind: str = ""
    ) -> tuple[int, bytes]:
        """One request; again on a fresh connection when a kept-alive one had been closed by a server's restart."""
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": "*/*", "Content-Type": kind or "application/json"}
        content = None if body is None else json.dumps(body)
        for connection in (getattr(self._local, "connection", None), None):
            try:
                fresh = connection or self._connect(self._timeout_s)
                fresh.request(method, target, content, headers)
                response = fresh.getresponse()
                answer = response.status, response.read()
                self._local.connection = fresh
                return answer
            except (OSError, http.client.HTTPException) as error:
                self._local.connection = None
                if connection is None:
                    raise Unreachable(f"{self.host}:{self.port}: {error}") from error
        raise AssertionError("the second connection either answers or raises")


def _error(status: int, content: bytes) -> ApiError:
    try:
        message = json.loads(content)["message"]
    except (ValueError, KeyError, TypeError):
        message = content.decode(errors="replace")
    return ApiError(status, str(message) or f"HTTP status {status}")
