# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin for pytest, for runs that may take an hour or be cut short: what failed is told at once; what took long, by its name; and a test that
hangs fails, with the line at which it does."""
import os
import signal

import pytest

LONG_SECONDS, AGAIN_SECONDS = 20, 120
LIMIT_SECONDS = 3600 if os.environ.get("HARDWAY_TEST_TIER") == "long" else 900


def pytest_configure(config):
    # With several at a time, the process that starts them is told of all, and it alone may write
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Teller(config), "hardway-teller")


class Teller:
    def __init__(self, config):
        self.config, self.seconds = config, {}

    def line(self, text):
        self.config.get_terminal_writer().line(text)

    def failure(self, what, report):
        self.line(f"\n=== {what}: {report.nodeid}\n{report.longreprtext}")
        for title, text in report.sections:
            self.line(f"--- {title}\n{text}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.failure("cannot be read", report)

    def pytest_runtest_logreport(self, report):
        seconds = self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failure(f"failed in {report.when} after {seconds:.0f} s", report)
        elif report.when == "teardown" and seconds >= LONG_SECONDS:
            self.line(f"\n{seconds:6.0f} s {report.nodeid}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol():
    def fail(*_):
        pytest.fail(f"not at its end after {LIMIT_SECONDS} s")
    before = signal.signal(signal.SIGALRM, fail)
    # and again, as what is done on the way out may hang, too
    signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS, AGAIN_SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
