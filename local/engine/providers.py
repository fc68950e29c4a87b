"""The providers of one run: one configured servicer a provider resource, reached without a network."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pulumi.runtime.proto import provider_pb2

from local.engine.calls import ProviderFailure, call
from local.engine.store.model import ResourceState
from local.engine.urns import name_of, package_of, split_reference, type_of
from local.engine.values import Values, from_struct, has_unknown, reveal, to_struct

INTERNAL = "__internal"  # what the CLI keeps in a provider's inputs for itself (``providers/registry.go``)


ProviderLog: TypeAlias = Callable[[str, str, str], None]
"""Takes a provider's message about a resource that it works on: URN, severity and text."""


@dataclass
class Provider:
    """One configured provider.

    ``is_known`` is false in a preview in which its configuration depends on what does not exist yet: then it is not
    configured, and everything about its resources is unknown, as under the CLI.
    """

    servicer: Any
    is_known: bool = True
    supports_preview: bool = True
    accepts_secrets: bool = True


class ProviderRegistry:
    """Makes, configures and finds providers. May be used from many threads."""

    def __init__(
        self, factories: Mapping[str, Callable[[], Any]], old: Callable[[str], ResourceState | None], log: ProviderLog
    ) -> None:
        """``old`` finds a provider in the state that the run began with, by reference (``<urn>::<id>``) or URN.

        ``log`` is given to the providers that have an attribute of that name.
        """
        self._factories = factories
        self._old = old
        self._log = log
        self._lock = threading.RLock()
        self._by_reference: dict[str, Provider] = {}
        self._by_urn: dict[str, Provider] = {}

    def make(self, urn: str) -> Any:
        """A servicer that is not configured yet, for a provider resource.

        Raises:
            ProviderFailure: there is no provider for the package.
        """
        package = package_of(type_of(urn))
        if package not in self._factories:
            offered = ", ".join(sorted(self._factories)) or "none"
            raise ProviderFailure(
                f"there is no provider for the package {package!r}; this engine was given: {offered}. "
                "`aidc up --engine cli` uses the Pulumi CLI, which installs providers."
            )
        servicer = self._factories[package]()
        if hasattr(servicer, "log"):
            servicer.log = self._log
        return servicer

    def check(self, servicer: Any, urn: str, old: Mapping[str, Any], new: Values) -> tuple[Values, list[Any]]:
        """The provider's inputs as it would have them, and what is wrong with them."""
        request = provider_pb2.CheckRequest(
            urn=urn, olds=to_struct(public(old)), news=to_struct(public(new)), name=name_of(urn), type=type_of(urn)
        )
        try:
            response = call(servicer.CheckConfig, request)
        except ProviderFailure as failure:
            if not failure.is_unimplemented:
                raise
            return new, []
        checked = from_struct(response.inputs)
        for reserved in ("version", INTERNAL):
            if reserved in new:
                checked[reserved] = new[reserved]
        return checked, list(response.failures)

    def diff(self, servicer: Any, old: ResourceState, new_urn: str, new: Values) -> provider_pb2.DiffResponse:
        """What a changed configuration means for the provider's resources."""
        request = provider_pb2.DiffRequest(
            id=old.id, urn=new_urn, olds=to_struct(old.outputs), news=to_struct(public(new)),
            old_inputs=to_struct(public(old.inputs)), name=name_of(new_urn), type=old.type,
        )  # fmt: skip
        try:
            response = call(servicer.DiffConfig, request)
        except ProviderFailure as failure:
            if not failure.is_unimplemented:
                raise
            response = provider_pb2.DiffResponse()
        if response.changes == provider_pb2.DiffResponse.DIFF_UNKNOWN:
            is_same = reveal(dict(old.outputs)) == reveal(public(new))
            response.changes = provider_pb2.DiffResponse.DIFF_NONE if is_same else provider_pb2.DiffResponse.DIFF_SOME
        return response

    def configure(self, servicer: Any, state: ResourceState) -> Provider:
        """Configure the servicer with a provider resource's inputs, and find it by that resource from now on.

        Raises:
            ProviderFailure: the provider does not accept them.
        """
        inputs = public(state.inputs)
        provider = Provider(servicer, is_known=not has_unknown(inputs))
        if provider.is_known:
            package = package_of(state.type)
            request = provider_pb2.ConfigureRequest(
                args=to_struct(inputs), acceptSecrets=True, acceptResources=True, sends_old_inputs=True,
                sends_old_inputs_to_delete=True, urn=state.urn, name=state.name, type=state.type, id=state.id,
                variables={f"{package}:config:{k}": v for k, v in reveal(inputs).items() if isinstance(v, str)},
            )  # fmt: skip
            response = call(servicer.Configure, request)
            provider.supports_preview = response.supportsPreview
            provider.accepts_secrets = response.acceptSecrets
        with self._lock:
            self._by_reference[state.reference] = self._by_urn[state.urn] = provider
        return provider

    def find(self, reference: str) -> Provider:
        """The provider that a resource refers to; one that only the state knows is configured as it was then.

        Raises:
            ProviderFailure: there is no such provider.
        """
        urn, _ = split_reference(reference)
        with self._lock:
            if reference in self._by_reference:
                return self._by_reference[reference]
            old = self._old(reference)
            if old is not None:
                current = self._by_urn.get(urn)
                provider = self.configure(self.make(old.urn), old)
                if current is not None:
                    self._by_urn[urn] = current
                return provider
            if urn in self._by_urn:
                return self._by_urn[urn]
        raise ProviderFailure(f"the provider {reference} is neither declared by the program nor in the state")


def public(inputs: Mapping[str, Any]) -> Values:
    """A provider's inputs without what only the engine may see."""
    return {key: value for key, value in inputs.items() if key != INTERNAL}


def new_provider_id() -> str:
    """The id of a provider resource: random, as the CLI makes it."""
    return str(uuid.uuid4())


def default_name(version: str, download_url: str = "") -> str:
    """The name of a package's default provider, as the CLI makes it (``ProviderRequest.DefaultName``)."""
    name = "default"
    if version:
        core, _, build = version.partition("+")
        core, _, pre = core.partition("-")
        parts = [*core.split("."), *(pre.split(".") if pre else ()), *(build.split(".") if build else ())]
        name += "_" + "_".join(parts)
    if download_url:
        name += "_" + "".join(c if c.isalnum() or c in "_." else "_" for c in download_url)
    return name
