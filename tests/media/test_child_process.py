"""Programs of ours that read what anybody wrote, each in a process of its own, can do nothing else."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fediblog
from fediblog.media.child_process import FILES, bare_environment

SOURCES = Path(fediblog.__file__).parent.rglob("*.py")
_STARTED = r'"-I", "-m", "(fediblog\.[\w.]+)"'  # isolated: neither our folder nor our environment
PROGRAMS = sorted({name for path in SOURCES for name in re.findall(_STARTED, path.read_text())})

AFTERWARDS = """
import importlib, json, os, resource, sys, tempfile
try: importlib.import_module(sys.argv[1]).main(*sys.argv[2:])
except Exception: pass
could = []
try: bytearray(2 << 30); could.append("memory")
except MemoryError: pass
try:
    with tempfile.TemporaryFile() as file: file.write(b"x"); file.flush()
    could.append("file")
except OSError: pass
try: os.getuid() == 0 or os.fork() or os._exit(0)
except OSError: pass
else: could.append("fork")
kinds = ("CORE", "CPU", "NOFILE", "NPROC")
limits = [resource.getrlimit(getattr(resource, f"RLIMIT_{each}"))[1] for each in kinds]
sys.stderr.write(json.dumps([could, limits, os.getpriority(os.PRIO_PROCESS, 0)]))
"""


def test_there_are_programs() -> None:
    assert [
        *("fediblog.federation.difference_program", "fediblog.federation.text_program", "fediblog.media.decoder")
    ] == PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_confined(program: str) -> None:
    """What it can still do after it has run, with nothing to read."""
    more = ["post"] if program.endswith("decoder") else []
    command = [sys.executable, "-I", "-c", AFTERWARDS, program, *more]
    ended = subprocess.run(command, input=b"", capture_output=True, env=bare_environment(), timeout=60, check=True)
    could, limits, niceness = json.loads(ended.stderr)
    assert could == (["fork"] if os.getuid() == 0 else [])
    assert niceness >= 10  # the server and its database come first
    assert limits == [0, importlib.import_module(program).CPU_SECONDS, FILES, 0]
