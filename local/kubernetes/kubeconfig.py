"""Which cluster a provider's configuration means."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from local.provider import ProviderError, Values, has_unknown


def server_of(config: Mapping[str, Any]) -> str | None:
    """The API server's address in a provider's ``kubeconfig`` (text or object), by its ``context`` or ``cluster``.

    Credentials and exec plugins in it are not looked at. None where the kubeconfig is not known yet.

    Raises:
        ProviderError: there is no kubeconfig, or it names no server.
    """
    kubeconfig = config.get("kubeconfig")
    if has_unknown(kubeconfig):
        return None
    if not kubeconfig:
        raise ProviderError(
            "the kubernetes provider has no kubeconfig. Give resources an explicit Provider of the cluster's own "
            "kubeconfig: a machine's ambient one could name a real cluster and is never used locally."
        )
    content = _parsed(kubeconfig)
    cluster = config.get("cluster") or _cluster_of_context(content, config.get("context"))
    for entry in content.get("clusters") or []:
        if entry.get("name") == cluster or cluster is None:
            return str(entry["cluster"]["server"]).rstrip("/")
    raise ProviderError(f"the kubeconfig has no cluster called {cluster!r}")


def identity_of(config: Mapping[str, Any]) -> str | None:
    """What makes two configurations the same cluster: ``clusterIdentifier``, else the server; None while unknown."""
    if identifier := config.get("clusterIdentifier"):
        return None if has_unknown(identifier) else str(identifier)
    return server_of(config) if config.get("kubeconfig") else ""


def _cluster_of_context(content: Values, context: object) -> str | None:
    wanted = context or content.get("current-context")
    for entry in content.get("contexts") or []:
        if entry.get("name") == wanted:
            return str(entry["context"]["cluster"])
    return None


def _parsed(kubeconfig: object) -> Values:
    if isinstance(kubeconfig, dict):
        return cast(Values, kubeconfig)
    try:
        content = _load(str(kubeconfig))
    except (YAMLError, ValueError):
        content = None  # its text may hold credentials, and so may the parser's message
    if not isinstance(content, dict):
        raise ProviderError("the kubeconfig is neither JSON nor YAML of a kubeconfig; paths to files are not read")
    return cast(Values, content)


def _load(text: str) -> Any:
    if text.lstrip().startswith("{"):
        return json.loads(text)
    return YAML(typ="safe").load(io.StringIO(text))
