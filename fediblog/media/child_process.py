"""What programs of ours that read what anybody wrote are given: no secret, little memory, little time and no files."""

from __future__ import annotations

import os
import sys

FILES = 32  # open at the same time


def bare_environment() -> dict[str, str]:
    """Nothing of ours but where the system's libraries are: such a program must not know any secret."""
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}


def confine(memory: int, cpu_seconds: int) -> None:
    """Called by such a program before it reads the first byte: gives up what it does not need, for good.

    `memory` is in bytes of address space. Nothing is written to disk, nor at a crash; no further process or thread is
    begun, which the kernel asks of everybody but root. The server and its database come before it.
    """
    sys.dont_write_bytecode = True
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_NPROC: 0,
    }
    for kind, wanted in limits.items():
        _, most = resource.getrlimit(kind)
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (value, value))
    os.nice(10)
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
