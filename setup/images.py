"""The steps that make what machines start from: their image, and the workload's image as containerd keeps it.

mmdebstrap makes root file systems from Debian's packages. podman builds the workload's image on one of them, and a
container of the machine's image unpacks it with the containerd that machines run: each machine then gets the unpacked
files as hard links, in a fraction of a second and without a second copy.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from local.podman import PREFIX, boot_flags
from setup import golang
from setup.children import CommandFailed, Progress
from setup.step import MARKER, Site, Step, held_if_free, lock_of

SUITE = "bookworm"
MACHINE_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt", "containerd", "runc",
    "containernetworking-plugins", "conntrack", "iproute2", "iptables", "ethtool", "kmod", "mount", "procps", "chrony",
    "ca-certificates", "zstd",
)  # fmt: skip
"""What plays the AMI: an init system, a way in, what Ansible needs, and what the kubelet needs."""
PYTHON_PACKAGES = ("python3", "python3-pip", "python-is-python3", "ca-certificates")
"""What the workload's image stands on."""
OVERLAY = Path("local/machines/image")
"""Files of the machine's image that are ours, under the paths that they have in it."""
TRAIN_REPOSITORY, PAUSE_IMAGE = "localhost/aidc/train", "localhost/aidc/pause:1"
"""What the images are called in every machine's containerd; the workload's tag is its store's digest."""
IMAGE_SOURCES = ("Dockerfile", "requirements.txt", "chips", "train", "etl")
"""What in ``workloads`` its image is made of; ``components/registry.py`` says the same to the cloud."""
ARCHIVE = "images.tar.zst"
"""A store's images once more, for machines that run already when the workload changes."""
REFUSED = "refused"
"""A file in the machine image's folder: why this host cannot boot it."""
_UNITS = ("kubelet", "kube-proxy", "coredns")
_MASKED_UNITS = (
    "getty@.service", "autovt@.service", "console-getty.service", "systemd-logind.service",  # terminals are the host's
    "fstrim.timer", "e2scrub_all.timer",  # so are the disks
    "apt-daily.timer", "apt-daily-upgrade.timer",  # what configures machines installs, at a time of its choice
)  # fmt: skip
_HOSTS_SYSCTLS = ("50-pid-max.conf", "99-protect-links.conf")
"""Debian's settings of the kernel, which is the host's."""
_KEPT_OF_A_STEP = 2
_SHARED_FROM_HOST = ("/etc/ssl/certs/ca-certificates.crt",)
_PIP_OPTIONS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
_PAUSE_DOCKERFILE = 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n'
_UNPACK = """
set -e
containerd >/tmp/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1; do sleep 0.1; kill -0 $! || { cat /tmp/containerd.log; exit 1; }; done
ctr --namespace k8s.io images import /images.tar
kill $!
wait || true
"""


def machine_image(checkout: Path) -> Step:
    """``machine.tar.zst``: a root file system that boots."""
    overlay = checkout / OVERLAY
    files = [path for path in sorted(overlay.rglob("*")) if path.is_file()]
    texts = (f"{path.relative_to(overlay)}\n{path.read_text()}" for path in files)
    hooks = (
        'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/machine-id; : > "$1"/etc/machine-id',
        f'chroot "$1" systemctl enable {" ".join(_UNITS)}',
        f'chroot "$1" systemctl mask {" ".join(_MASKED_UNITS)}',
        *(f'ln -sf /dev/null "$1"/etc/sysctl.d/{name}' for name in _HOSTS_SYSCTLS),
    )

    def build(folder: Path, site: Site, progress: Progress) -> None:
        tarball = folder / "machine.tar.zst"
        _bootstrap(tarball, MACHINE_PACKAGES, (f"sync-in {overlay} /", *hooks), folder, site, progress)
        _try_to_boot(folder, site, progress)
        for old in _forget_old(folder):
            with contextlib.suppress(CommandFailed):  # machines still run from it, and then it stays
                site.children.run(["podman", "rmi", image_name(old)], folder / "setup.log", progress)

    return Step("machine", (SUITE, *MACHINE_PACKAGES, *_LEFT_OUT, *hooks, *texts), (), build)


def python_base() -> Step:
    """``python.tar.zst``: a root file system with a Python that pip may install into."""
    hooks = ('rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',)

    def build(folder: Path, site: Site, progress: Progress) -> None:
        _bootstrap(folder / "python.tar.zst", PYTHON_PACKAGES, hooks, folder, site, progress)

    return Step("python", (SUITE, *PYTHON_PACKAGES, *_LEFT_OUT, *hooks), (), build)


def workload_store(checkout: Path) -> Step:
    """``containerd/``: the folder of a containerd that has the workload's image and the pods' first process.

    It needs a machine image that boots here: ask `refusal` first.
    """
    workloads = checkout / "workloads"
    paths = (path for path in sorted(workloads.rglob("*")) if path.is_file())
    sources = [path for path in paths if _is_source(path.relative_to(workloads))]
    texts = (f"{path.relative_to(workloads)}\n{path.read_text()}" for path in sources)
    machine, python = machine_image(checkout), python_base()

    def build(folder: Path, site: Site, progress: Progress) -> None:
        pause = golang.pause(checkout).folder(site.cache)
        _build_images(folder, python.folder(site.cache), pause, workloads, site, progress)
        _unpack(folder, machine.folder(site.cache), site, progress)
        _forget_old(folder)

    # The source of the pods' first process, and not what it was built with: machines start without a Go at hand.
    pause_source = (checkout / golang.TOOLS / "pause" / "main.go").read_text()
    ingredients = (*python.ingredients, pause_source, TRAIN_REPOSITORY, PAUSE_IMAGE, ARCHIVE, _UNPACK, *texts)
    return Step("store", ingredients, ("machine", "python", "pause"), build)


def refusal(checkout: Path, cache: Path) -> str | None:
    """Why machines cannot start from what the set-up made; None where they can."""
    folder = machine_image(checkout).folder(cache)
    try:
        return (folder / REFUSED).read_text()
    except OSError:
        return None


def try_again(site: Site, stream: TextIO) -> None:
    """Ask a host that could not boot the machine's image whether it can now."""
    folder = machine_image(site.checkout).folder(site.cache)
    if (folder / REFUSED).exists():
        (folder / REFUSED).unlink()
        _try_to_boot(folder, site, Progress("machine", stream))


def train_image(store: Path) -> str:
    """What a store's image of the workload is called in containerd."""
    return f"{TRAIN_REPOSITORY}:{store.name.rpartition('-')[2]}"


def image_name(folder: Path) -> str:
    """What podman calls the image of a step's folder."""
    step, _, digest = folder.name.rpartition("-")
    return f"localhost/{PREFIX}{step}:{digest}"


def import_command(folder: Path) -> list[str]:
    """How podman takes the root file system of a step's folder as an image."""
    (tarball,) = folder.glob("*.tar.zst")
    return ["podman", "import", "--quiet", str(tarball), image_name(folder)]


def _bootstrap(
    tarball: Path, packages: tuple[str, ...], hooks: tuple[str, ...], folder: Path, site: Site, progress: Progress
) -> None:
    progress.say(f"makes a Debian root file system of {len(packages)} packages and what they need")
    # Not into the name of the result, which would look whole when mmdebstrap is killed.
    part = tarball.with_name(f"part.{tarball.name}")
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--skip=cleanup/reproducible"]
    command += [f"--aptopt={option}" for option in ('Apt::Install-Recommends "false"', *_apt_options())]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    command += [f"--customize-hook={hook}" for hook in hooks]
    command += [f"--include={','.join(packages)}", SUITE, str(part)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    site.children.run(command, folder / "setup.log", progress, env=environment)
    part.rename(tarball)


def _apt_options() -> Iterator[str]:
    """How this host's apt reaches its mirrors: proxies, and whether it minds old lists."""
    dump = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False).stdout
    for line in dump.splitlines():
        name = line.split(" ", 1)[0].lower()
        if "proxy" in name or name in ("acquire::check-valid-until", "acquire::check-date", "acquire::retries"):
            yield line.rstrip(";")


def _try_to_boot(folder: Path, site: Site, progress: Progress) -> None:
    """Start a program as a machine would be started, and write down why that failed, where it did."""
    log = folder / "setup.log"
    site.children.run(import_command(folder), log, progress)
    command = ["podman", "run", "--rm", *boot_flags(), "--network=none", image_name(folder), "systemctl", "--version"]
    try:
        site.children.run(command, log, progress)
    except CommandFailed as problem:
        (folder / REFUSED).write_text(
            f"podman cannot start a privileged container: {str(problem).splitlines()[-1].strip()}"
        )


def _build_images(folder: Path, python: Path, pause: Path, workloads: Path, site: Site, progress: Progress) -> None:
    log = folder / "setup.log"
    (folder / "pause.Dockerfile").write_text(_PAUSE_DOCKERFILE)
    site.children.run(import_command(python), log, progress)
    build = ["podman", "build", "--quiet", "--layers=false", "--isolation=chroot", "--network=host"]
    progress.say("installs the workload's packages into its image")
    with _pip_conf(folder) as way:
        volumes = [f"--volume={path}:{path}:ro" for path in _SHARED_FROM_HOST if Path(path).is_file()]
        volumes.append(f"--volume={way}:/etc/pip.conf:ro")
        base = f"--build-arg=BASE={image_name(python)}"
        site.children.run([*build, base, *volumes, f"--tag={train_image(folder)}", workloads], log, progress)
    site.children.run([*build, f"--tag={PAUSE_IMAGE}", f"--file={folder / 'pause.Dockerfile'}", pause], log, progress)
    archive = ["--quiet", "--multi-image-archive", "--format=docker-archive", f"--output={folder / 'images.tar'}"]
    site.children.run(["podman", "save", *archive, train_image(folder), PAUSE_IMAGE], log, progress)
    site.children.run(["podman", "rmi", "--force", train_image(folder), PAUSE_IMAGE, image_name(python)], log, progress)


def _unpack(folder: Path, machine: Path, site: Site, progress: Progress) -> None:
    progress.say("unpacks it as machines do")
    (folder / "containerd").mkdir()
    (folder / "unpack.sh").write_text(_UNPACK)
    places = {"containerd": "/var/lib/containerd", "images.tar": "/images.tar:ro", "unpack.sh": "/unpack.sh:ro"}
    volumes = [f"--volume={folder / name}:{place}" for name, place in places.items()]
    run = ["podman", "run", "--rm", *boot_flags(), "--network=none", *volumes, image_name(machine)]
    site.children.run([*run, "bash", "/unpack.sh"], folder / "setup.log", progress)
    pack = ["zstd", "--quiet", "-1", "--threads=0", "--rm", folder / "images.tar", "-o", folder / ARCHIVE]
    site.children.run(pack, folder / "setup.log", progress)


def _forget_old(folder: Path) -> list[Path]:
    """Keep what a step has just made and what it made before that: a store is two gigabytes. What was removed.

    What another checkout's set-up is making just now is its own: it holds the lock, and there is no marker yet.
    """
    step = folder.name.rpartition("-")[0]
    others = [other for other in folder.parent.glob(f"{step}-*") if (other / MARKER).is_file() and other != folder]
    old = sorted(others, key=lambda other: other.stat().st_mtime)[: -(_KEPT_OF_A_STEP - 1)]
    return [other for other in old if _remove(other)]


def _remove(folder: Path) -> bool:
    with held_if_free(lock_of(folder)) as is_ours:
        if is_ours:
            (folder / MARKER).unlink(missing_ok=True)  # first: killed half way, it is not taken for whole
            shutil.rmtree(folder, ignore_errors=True)
        return is_ours


@contextlib.contextmanager
def _pip_conf(folder: Path) -> Iterator[Path]:
    """The file that pip in the image's build reads. It may hold a password: nobody else reads it, and it goes."""
    path = folder / "pip.conf"
    path.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(_pip_configuration())
        yield path
    finally:
        path.unlink(missing_ok=True)


def _pip_configuration() -> str:
    """The host's way to its package index, for pip inside the image: files and variables, but no path of the host."""
    found = configparser.RawConfigParser()
    found.read([Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"])
    options = {name: found.get("global", name, fallback="") for name in _PIP_OPTIONS}
    options |= {name: os.environ[key] for name in _PIP_OPTIONS if (key := _variable(name)) in os.environ}
    lines = [f"{name} = {value}" for name, value in options.items() if value]
    certificates = [f"cert = {path}" for path in _SHARED_FROM_HOST if Path(path).is_file()]
    return "\n".join(["[global]", *lines, *certificates, ""])


def _variable(option: str) -> str:
    return f"PIP_{option.replace('-', '_').upper()}"


def _is_source(path: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return path.parts[0] in IMAGE_SOURCES and not hidden and path.suffix not in (".pyc", ".pyo")
