"""A fuzzer that looks inside: `python -m tests.fuzz.atheris_run json_text -max_total_time=60`, in a venv with atheris.

It is no dependency of the tests. What it finds is put into `FOUND` in `test_parsers.py`. Without a name it runs through
all of the checks; all else on the command line is libFuzzer's.
"""

from __future__ import annotations

import importlib
import sys


def main(arguments: list[str]) -> None:
    """Fuzz one check, or whichever the first byte of the input says."""
    fuzzer = importlib.import_module("atheris")
    with fuzzer.instrument_imports(include=["fediblog"]):
        from tests.fuzz.parsers import CHECKS

    chosen = [word for word in arguments if word in CHECKS]
    checks = [CHECKS[word] for word in chosen or CHECKS]

    def run(data: bytes) -> None:
        if len(checks) == 1:
            checks[0](data)
        elif data:
            checks[data[0] % len(checks)](data[1:])

    fuzzer.Setup([sys.argv[0], *(word for word in arguments if word not in CHECKS)], run)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
