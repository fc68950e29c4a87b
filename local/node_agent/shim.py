# ruff: noqa: PTH118, PTH110, PTH208, SIM105, SIM115  pathlib and contextlib would cost memory and time a container
"""Stands between the agent and one container: runs its command, waits, and leaves its exit on disk.

It is a process of its own so that a container's exit is known even when the agent was dead at that moment. It uses
the standard library only and is started with ``python -I -S``: about 10 MB.

Read from stdin, as JSON: argv, env, cwd. Secrets in the environment so never touch the disk.
TERM goes on to the command's first process, as in a container; when that has ended, so must all others.
"""

import ctypes
import fcntl
import json
import os
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: orphaned descendants become children of this process


def main() -> int:
    """Run the container of the attempt folder in argv; 3 when another shim has it already."""
    folder = sys.argv[1]
    job = json.loads(sys.stdin.read())  # half a job (the agent was killed) is not valid JSON: nothing is run
    guard = open(os.path.join(folder, "lock"), "w")  # held until this process ends
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return 3
    if os.path.exists(os.path.join(folder, "exit.json")):
        return 3
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.time()
    _write(folder, "shim.process.json", {"pid": os.getpid(), "started": _identity(os.getpid())})
    status = _run(job)
    _kill_children()
    _write(folder, "exit.json", {**status, "started_at": started, "finished_at": time.time()})
    return 0


def _run(job):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # until there is a child to pass it to
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _become(job, writer)
    signal.signal(signal.SIGTERM, lambda *_: _pass_on(child))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    os.close(writer)
    error = os.read(reader, 4096).decode()
    _, status = os.waitpid(child, 0)
    if error:
        return {"exit_code": 128, "signal": 0, "error": error}
    if os.WIFSIGNALED(status):
        return {"exit_code": 128 + os.WTERMSIG(status), "signal": os.WTERMSIG(status), "error": ""}
    return {"exit_code": os.WEXITSTATUS(status), "signal": 0, "error": ""}


def _become(job, writer):
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and programs do not expect that
        os.setpgid(0, 0)
        os.chdir(job["cwd"])
        os.execvpe(job["argv"][0], job["argv"], job["env"])
    except OSError as error:
        os.write(writer, f"exec {job['argv'][0]}: {error.strerror}".encode()[:4096])
    finally:
        os._exit(127)


def _pass_on(child):
    try:
        os.kill(child, signal.SIGTERM)
    except ProcessLookupError:
        pass


def _kill_children():
    """As when a container's first process ends: nothing of it stays."""
    while True:
        for child in _children():
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                        found.append(int(name))
            except OSError:
                pass
    return found


def _identity(pid):
    with open("/proc/sys/kernel/random/boot_id") as boot, open(f"/proc/{pid}/stat") as stat:
        return f"{boot.read().strip()}:{stat.read().rpartition(')')[2].split()[19]}"


def _write(folder, name, content):
    new = os.path.join(folder, f".{name}.new")
    with open(new, "w") as file:
        json.dump(content, file)
    os.replace(new, os.path.join(folder, name))


if __name__ == "__main__":
    sys.exit(main())
