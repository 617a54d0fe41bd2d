"""Tests of everything, and what they share."""

import os
import sys

# Python keeps what it compiled, as it does for an installed package, also where the environment forbids it: else each
# process that a test starts compiles all of fediblog again, for 0.3 s, and each process of pytest all tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The command line speaks the language of the environment, and tests expect English.
os.environ["LC_ALL"] = "C.UTF-8"
