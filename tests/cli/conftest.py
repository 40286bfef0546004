# SPDX-License-Identifier: LGPL-2.1-or-later
"""Command line tests: the built program, from outside. $HARDWAY is its path."""
import os
import subprocess

import pytest

NODES = [
    "--controller", "c0=10.77.0.20", "--controller", "c1=10.77.0.21", "--controller", "c2=10.77.0.22",
    "--loadbalancer", "lb0=10.77.0.11", "--loadbalancer", "lb1=10.77.0.12", "--vip", "10.77.0.10",
]


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def __repr__(self):
        return f"status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Program:
    """hardway in a directory of its own, with an environment that nobody's settings reach."""

    def __init__(self, directory):
        self.path = os.path.abspath(os.environ["HARDWAY"])
        self.directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory / "home"),
            "XDG_CACHE_HOME": str(directory / "cache"),
            "LANG": "C.UTF-8",
            **{name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ},
        }
        self.cluster = directory / "hardway.yaml"

    def __call__(self, *words, status=0, env=None, stdin=subprocess.DEVNULL, cwd=None):
        done = subprocess.run([self.path, *words], cwd=cwd or self.directory, stdin=stdin, capture_output=True, text=True,
                              env={**self.environment, **(env or {})}, timeout=120, check=False)
        result = Result(done)
        assert status is None or result.status == status, result
        # What a sanitizer has to say is not part of any message.
        assert "Sanitizer" not in result.err and "runtime error" not in result.err, result
        return result

    def init(self, *words, status=0):
        return self("init", *NODES, *words, status=status)


@pytest.fixture
def hardway(tmp_path):
    return Program(tmp_path)


@pytest.fixture
def cluster(hardway):
    """The program in a directory with a cluster file."""
    hardway.init()
    return hardway
