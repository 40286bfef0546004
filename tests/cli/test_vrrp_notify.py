# SPDX-License-Identifier: LGPL-2.1-or-later
"""What keepalived says of itself stands on the load balancer in the order in which it was said, whichever of its scripts is faster."""
import os
import signal
import subprocess

import pytest

TOP = os.path.join(os.path.dirname(__file__), "..", "..")


@pytest.fixture(name="notify")
def notify_fixture(tmp_path):
    """Gives a function that starts the script, or only what will become it."""
    state = tmp_path / "keepalived.state"
    state.touch()
    script = tmp_path / "hardway-notify"
    with open(os.path.join(TOP, "lbsetup", "scripts", "vrrp-notify.sh"), encoding="utf-8") as file:
        script.write_text(file.read().replace("/run/hardway/keepalived.state", str(state)))
    script.chmod(0o755)
    started = []

    def start(word, held=False):
        command = [script, "INSTANCE", "kubernetes", word, "244"]
        if held:
            command = ["sh", "-c", 'kill -STOP $$; exec "$@"', "sh", *command]
        process = subprocess.Popen(command)
        started.append(process)
        if held:
            os.waitpid(process.pid, os.WUNTRACED)
        return process

    start.state = state
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_it_is_written(notify):
    assert notify("MASTER").wait(10) == 0
    assert notify.state.read_text().startswith("MASTER ")
    assert notify("BACKUP").wait(10) == 0
    first, second = notify.state.read_text().splitlines()
    assert first.split()[0] == "BACKUP" and len(first.split()) == 2
    assert len(second.split()) == 2


def test_an_earlier_word_does_not_stay(notify):
    for late, last in ("BACKUP", "MASTER"), ("FAULT", "BACKUP"):
        slow = notify(late, held=True)
        assert notify(last).wait(10) == 0
        os.kill(slow.pid, signal.SIGCONT)
        assert slow.wait(10) == 0
        assert notify.state.read_text().startswith(last + " ")


def test_what_stands_there_may_be_anything(notify):
    """Of an earlier version, or empty."""
    for text in "BACKUP 1795260425\n", "", "\n\n\n", "x":
        notify.state.write_text(text)
        assert notify("MASTER").wait(10) == 0
        assert notify.state.read_text().startswith("MASTER ")
