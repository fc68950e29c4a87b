"""A provider of nothing, for the engine's tests: its world is a folder of JSON files, or a dict.

Types of the package ``null``: ``null:index:Thing`` (inputs ``value``, ``force`` which replaces, ``first`` which
replaces and deletes first, ``password``, ``fail``, ``half``, ``sleep``, ``says``, ``unready``). Objects are
adopted when one with the same URN and inputs is there already: what a killed run made is not made twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, status_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from local.engine.values import UNKNOWN, Values, from_struct, has_unknown, reveal, to_struct


class World:
    """What exists: the truth that tests check against. In a folder it survives the process."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.calls: list[tuple[str, str]] = []
        self.running = self.most_running = 0
        self.lock = threading.RLock()
        self._things: dict[str, Values] = {}
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def all(self) -> dict[str, Values]:
        """Every object by its id."""
        if self.folder:
            with self.lock:  # a file that another thread removes must not vanish between listing and reading
                return {path.stem: json.loads(path.read_text()) for path in self.folder.glob("*.json")}
        return dict(self._things)

    def names(self) -> list[str]:
        """The logical names of all objects, sorted; a duplicate shows up twice."""
        return sorted(thing["urn"].rsplit("::", 1)[-1] for thing in self.all().values())

    def put(self, identity: str, thing: Values) -> None:
        """Make or change an object, in one step that a kill cannot split."""
        if self.folder:
            target = self.folder / f"{identity}.json"
            draft = target.with_suffix(".draft")
            draft.write_text(json.dumps(thing))
            draft.replace(target)
        else:
            self._things[identity] = thing

    def remove(self, identity: str) -> None:
        """Take an object away; one that is not there already is fine."""
        if self.folder:
            with self.lock:
                (self.folder / f"{identity}.json").unlink(missing_ok=True)
        else:
            self._things.pop(identity, None)

    def find(self, urn: str, digest: str) -> str | None:
        """The id of the object that an earlier create of the same resource with the same inputs made."""
        things = self.all() if self.folder else self._things
        return next((i for i, t in things.items() if t["urn"] == urn and t["digest"] == digest), None)


class NullProvider(ResourceProviderServicer):
    """The servicer; ``adopts=False`` skips the search for earlier objects, which benchmarks do not need."""

    def __init__(self, world: World, adopts: bool = True) -> None:
        self.world = world
        self.adopts = adopts
        self.config: Values = {}
        self.log: Callable[[str, str, str], None] = lambda urn, severity, message: None

    def _note(self, what: str, urn: str) -> None:
        with self.world.lock:
            self.world.calls.append((what, urn.rsplit("::", 1)[-1]))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = reveal(from_struct(request.old_inputs)), reveal(from_struct(request.news))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if old != new else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=["region"] if old.get("region") != new.get("region") else [],
        )

    def Configure(self, request: Any, context: Any) -> Any:
        self.config = reveal(from_struct(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        news = from_struct(request.news)
        if reveal(news.get("value")) == "refuse":
            failure = provider_pb2.CheckFailure(property="value", reason="must not be 'refuse'")
            return provider_pb2.CheckResponse(failures=[failure])
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        changed = [
            k for k in sorted({*old, *new}) if has_unknown(new.get(k)) or reveal(old.get(k)) != reveal(new.get(k))
        ]
        if reveal(new.get("unready")):
            changed.append("status")  # as a failed Job's provider does: no input, and yet it asks for a replacement
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=[key for key in changed if key in ("force", "first", "status")],
            deleteBeforeReplace="first" in changed,
            diffs=changed,
        )

    def Create(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct({**inputs, "token": UNKNOWN}))
        self._note("create", request.urn)
        self._take_time(inputs)
        plain = reveal(inputs)
        if plain.get("says"):
            self.log(request.urn, "info", plain["says"])
        if plain.get("fail"):
            context.abort(grpc.StatusCode.UNKNOWN, f"cannot be made: {plain['fail']}")
        digest = hashlib.sha256(json.dumps([plain, self.config.get("region")], sort_keys=True).encode()).hexdigest()
        identity = (self.world.find(request.urn, digest) if self.adopts else None) or uuid.uuid4().hex
        outputs = {
            **inputs,
            "token": f"token-of-{request.urn.rsplit('::', 1)[-1]}",
            "region": self.config.get("region", ""),
        }
        self.world.put(identity, {"urn": request.urn, "digest": digest, "inputs": plain})
        if plain.get("half"):
            self._fail_half_made(context, identity, outputs, plain["half"])
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    def _take_time(self, inputs: Values) -> None:
        with self.world.lock:
            self.world.running += 1
            self.world.most_running = max(self.world.most_running, self.world.running)
        time.sleep(reveal(inputs).get("sleep", 0))
        with self.world.lock:
            self.world.running -= 1

    def _fail_half_made(self, context: Any, identity: str, outputs: Values, reason: str) -> None:
        detail = any_pb2.Any()
        detail.Pack(provider_pb2.ErrorResourceInitFailed(id=identity, properties=to_struct(outputs), reasons=[reason]))
        status = status_pb2.Status(code=2, message=reason, details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, reason)

    def Update(self, request: Any, context: Any) -> Any:
        news = from_struct(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct({**from_struct(request.olds), **news}))
        self._note("update", request.urn)
        plain = reveal(news)
        if plain.get("fail"):
            context.abort(grpc.StatusCode.UNKNOWN, f"cannot be changed: {plain['fail']}")
        self.world.put(request.id, {"urn": request.urn, "digest": "", "inputs": plain})
        return provider_pb2.UpdateResponse(properties=to_struct({**from_struct(request.olds), **news}))

    def Read(self, request: Any, context: Any) -> Any:
        thing = self.world.all().get(request.id)
        if thing is None:
            return provider_pb2.ReadResponse()
        outputs = {**from_struct(request.properties), **thing["inputs"]}
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_struct(outputs), inputs=to_struct(thing["inputs"])
        )

    def Delete(self, request: Any, context: Any) -> Any:
        self._note("delete", request.urn)
        if reveal(from_struct(request.properties)).get("keep"):
            context.abort(grpc.StatusCode.UNKNOWN, "cannot be deleted")
        self.world.remove(request.id)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        args = from_struct(request.args)
        if args.get("value") == "fail":
            context.abort(grpc.StatusCode.UNKNOWN, "nobody knows")
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct({"echo": args.get("value"), "pid": os.getpid()}))
        return response

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()
