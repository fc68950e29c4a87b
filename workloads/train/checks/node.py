"""The Kubernetes node that the checks run on: kept out until they pass, then let in, and told why not.

One name stands for all: the taint that keeps work away, the label that the checks are called by, and the annotation
with the reason. Requests are the standard library's, with the pod's own credentials.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from train.config.failure import Failure

NAME = "ai-datacenter/unverified"
CREDENTIALS = "/var/run/secrets/kubernetes.io/serviceaccount"
REASON_CHARACTERS = 512
TIMEOUT_S = 10.0
# About half a minute: a control plane that is being updated is away for less. Whoever gives up begins again.
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_ESCAPED = NAME.replace("/", "~1")  # as JSON patches write it
_LABEL, _ANNOTATION = f"/metadata/labels/{_ESCAPED}", f"/metadata/annotations/{_ESCAPED}"
_CHANGED_MEANWHILE = (409, 422)  # 422: a test of the patch did not hold
_BUSY = (429, 500, 502, 503, 504)

Json = dict[str, Any]


@dataclass(frozen=True)
class Node:
    """One node, and how the API server is asked about it. ``waits_s``: before each further try."""

    name: str
    url: str
    credentials: Path
    waits_s: tuple[float, ...] = WAITS_S

    @staticmethod
    def of(name: str, environ: Mapping[str, str]) -> Node:
        """The node that this pod runs on; raises :class:`Failure` where this is no pod, or has no credentials."""
        host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise Failure("KUBERNETES_SERVICE_HOST is missing: only a pod of a cluster can verify its node")
        if not environ.get("NODE_NAME"):
            raise Failure("NODE_NAME is missing: the pod must be told its node, from spec.nodeName")
        address = f"[{host}]" if ":" in host else host
        folder = Path(environ.get("KUBERNETES_CREDENTIALS", CREDENTIALS))
        for file in ("token", "ca.crt"):
            if not (folder / file).is_file():
                raise Failure(f"{folder / file} is missing: the pod must be given its service account's token")
        return Node(name, f"https://{address}:{port}/api/v1/nodes/{name}", folder)

    def keep_out(self) -> None:
        """Put the taint on, where whatever registered the node has left it out.

        Raises:
            Failure: the API server refuses, or does not answer.
        """
        self._change(lambda node: [] if _places(node) else [_tainting(node)])

    def let_in(self) -> None:
        """Take off taint, label and annotation, all or none.

        Raises:
            Failure: the API server refuses, or does not answer.
        """

        def removals(node: Json) -> list[Json]:
            paths = [f"/spec/taints/{place}" for place in reversed(_places(node))]
            for path, kind in ((_LABEL, "labels"), (_ANNOTATION, "annotations")):
                if NAME in (node["metadata"].get(kind) or {}):
                    paths.append(path)
            return [{"op": "remove", "path": path} for path in paths]

        self._change(removals)

    def tell(self, reason: str) -> None:
        """Write the reason on the node, as much of it as fits.

        Raises:
            Failure: the API server refuses, or does not answer.
        """
        text = reason if len(reason) <= REASON_CHARACTERS else f"{reason[: REASON_CHARACTERS - 1]}…"

        def writing(node: Json) -> list[Json]:
            if node["metadata"].get("annotations"):
                return [{"op": "add", "path": _ANNOTATION, "value": text}]
            return [{"op": "add", "path": "/metadata/annotations", "value": {NAME: text}}]

        self._change(writing)

    def _change(self, operations: Callable[[Json], list[Json]]) -> None:
        """One patch of the node as it is now; where somebody else is faster, of the node as it is then."""
        for wait_s in (*self.waits_s, None):
            try:
                node = self._request("GET")
                if found := operations(node):
                    version = node["metadata"]["resourceVersion"]
                    as_read = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
                    self._request("PATCH", [as_read, *found])
                return
            except _Again as again:
                if wait_s is None:
                    raise Failure(f"node {self.name}: {again}") from again
                time.sleep(wait_s)

    def _request(self, method: str, body: list[Json] | None = None) -> Json:
        request = urllib.request.Request(
            self.url, method=method, data=None if body is None else json.dumps(body).encode()
        )
        request.add_header("Content-Type", "application/json-patch+json")
        try:
            # Read anew each time: the kubelet renews the token.
            request.add_header("Authorization", f"Bearer {(self.credentials / 'token').read_text().strip()}")
            tls = ssl.create_default_context(cafile=str(self.credentials / "ca.crt"))
        except (OSError, UnicodeError) as error:
            raise Failure(f"node {self.name}: the pod's credentials cannot be read: {error}") from error
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
        try:
            with opener.open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = _message(error)
            if error.code in (*_CHANGED_MEANWHILE, *_BUSY) and not _is_policy(said):
                raise _Again(f"the API server answered {error.code}: {said}") from error
            raise Failure(f"node {self.name}: the API server refuses ({error.code}): {said}") from error
        except (OSError, ValueError, HTTPException) as error:  # urllib's own is an OSError; the last: it broke off
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise _Again(f"the API server does not answer: {reason}") from error


class _Again(Exception):
    """It may go well another time."""


def _places(node: Json) -> list[int]:
    """Where in the node's taints it is."""
    return [place for place, taint in enumerate(node["spec"].get("taints") or []) if taint["key"] == NAME]


def _tainting(node: Json) -> Json:
    taint = {"key": NAME, "effect": "NoSchedule"}
    if node["spec"].get("taints"):
        return {"op": "add", "path": "/spec/taints/-", "value": taint}
    return {"op": "add", "path": "/spec/taints", "value": [taint]}


def _is_policy(said: str) -> bool:
    """Whether an admission policy refused, which answers as a failed test does."""
    return "ValidatingAdmissionPolicy" in said


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (OSError, ValueError, KeyError, TypeError, HTTPException):
        return error.reason or "no reason given"
