"""A run as a live tree by component, for terminals."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from local.engine.display import SYMBOLS, change_text, diagnostic_text, short, summary
from local.engine.events import (
    Diagnostic,
    Event,
    OutputsReady,
    ResourceRegistered,
    RunFinished,
    RunStarted,
    Step,
    StepFinished,
    StepStarted,
)  # fmt: skip
from local.engine.urns import name_of

_STYLES = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red", "read": "cyan", "same": "dim"}
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


@dataclass
class _Node:
    urn: str
    type: str
    parent: str
    began: float = 0.0
    op: str = ""
    step: Step | None = None
    children: list[str] = field(default_factory=list[str])
    done: int = 0  # of all that are below it
    total: int = 0


class TreeDisplay:
    """Shows components with what is under way or has changed below them; what is unchanged is only counted."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.RLock()
        self._nodes: dict[str, _Node] = {}
        self._title = ""
        self._live: Live | None = None

    def show(self, event: Event) -> None:
        """Take ``event`` into the tree; messages are printed above it."""
        with self._lock:
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._nodes.clear()
                self._title = f"{event.command} of {event.project}/{event.stack}"
                self._live = Live(console=self._console, get_renderable=self.render, refresh_per_second=8)
                self._live.start()
            case ResourceRegistered():
                self._register(event)
            case StepStarted():
                self._node(event.urn, event.type).op = event.op
                self._node(event.urn, event.type).began = time.monotonic()
            case StepFinished():
                self._finish(event.step)
            case Diagnostic():
                style = {"error": "bold red", "warning": "yellow"}.get(event.severity, "")
                self._console.print(Text(diagnostic_text(event), style))
            case OutputsReady():
                for name, value in event.outputs.items():
                    self._console.print(Text(f"  {name}: {short(value)}"))
            case RunFinished():
                if self._live is not None:
                    self._live.stop()
                    self._live = None
                self._console.print(Text(summary(event.result), "bold" if event.result.succeeded else "bold red"))

    def _node(self, urn: str, kind: str) -> _Node:
        if urn not in self._nodes:
            self._register(ResourceRegistered(urn, kind, ""))
        return self._nodes[urn]

    def _register(self, event: ResourceRegistered) -> None:
        if event.urn in self._nodes:
            return
        self._nodes[event.urn] = _Node(event.urn, event.type, event.parent)
        parent = self._nodes.get(event.parent)
        if parent is not None:
            parent.children.append(event.urn)
        for above in self._above(event.urn):
            above.total += 1

    def _finish(self, step: Step) -> None:
        node = self._node(step.urn, step.type)
        if node.step is None:
            for above in self._above(step.urn):
                above.done += 1
        node.step, node.began = step, 0.0

    def _above(self, urn: str) -> list[_Node]:
        above: list[_Node] = []
        parent = self._nodes.get(self._nodes[urn].parent)
        while parent is not None:
            above.append(parent)
            parent = self._nodes.get(parent.parent)
        return above

    def render(self) -> Group:
        """The tree as of now."""
        with self._lock:
            tree = Tree(Text(self._title, "bold"))
            for node in list(self._nodes.values()):
                if node.parent not in self._nodes:
                    self._add(tree, node)
            return Group(tree)

    def _add(self, tree: Tree, node: _Node) -> None:
        if not node.total and not self._is_worth_a_line(node):
            return
        branch = tree.add(self._label(node))
        if node.step is not None and not node.total:
            for change in node.step.changes[:8]:
                branch.add(Text(change_text(change), "dim"))
        for urn in node.children:
            self._add(branch, self._nodes[urn])

    def _is_worth_a_line(self, node: _Node) -> bool:
        return bool(node.began) or (node.step is not None and (node.step.op != "same" or bool(node.step.error)))

    def _label(self, node: _Node) -> Text:
        kind = node.type.rsplit(":", 1)[-1]
        label = Text()
        if node.began:
            took = time.monotonic() - node.began
            label.append(f"{_FRAMES[int(time.monotonic() * 8) % len(_FRAMES)]} {kind} ", _STYLES.get(node.op, ""))
            label.append(f"{name_of(node.urn)} {node.op} {took:.0f} s")
        elif node.step is not None and node.step.error:
            label.append(f"✗ {kind} {name_of(node.urn)} {node.step.op} failed", "bold red")
        else:
            op = node.step.op if node.step else "same"
            label.append(f"{SYMBOLS[op]} {kind} ", _STYLES[op])
            label.append(name_of(node.urn))
        if node.total:
            label.append(f"  {node.done}/{node.total}", "dim")
        return label
