# SPDX-License-Identifier: LGPL-2.1-or-later
"""What hardway is told to do while faults come, for tests/lab/chaos: it is at work when one begins, and goes on under the next."""
import itertools
import os
import re
import subprocess
import tempfile
import threading
import time

from lab import CONTROLLERS, await_true

# How long its user tries: the cluster may still be ill from the fault before, and then is not worked on
LET_IN_SECONDS, COMMAND_SECONDS = 300, 600
TEXT_MAX = 1 << 20


class Command:
    words = []
    at_work = r": \d+ files?\b"  # told once a node has them; then its components are restarted
    hosts = sorted(CONTROLLERS)  # where something may be down that is its doing
    mends = ("install", "--wait")  # what is done before it is tried again

    def __init__(self, draw):
        self.after = draw.uniform(0, 6)  # from there to the fault
        self.process, self.said, self.met = None, None, False

    def __str__(self):
        return "hardway " + " ".join(self.words)

    def prepare(self, lab):
        """Without which there would be nothing to do."""

    def begin(self, lab):
        """Returns in the middle of it."""
        self.prepare(lab)
        await_true(f"{self} is at work", lambda: self.is_let_in(lab), LET_IN_SECONDS, pause=2)
        time.sleep(self.after)  # the moment in which the fault comes

    def text(self):
        """So far: read without moving the place where it writes."""
        return os.pread(self.said.fileno(), TEXT_MAX, 0).decode(errors="replace")

    def is_let_in(self, lab):
        self.said = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self.process = lab.start(*self.words, output=self.said)
        until = time.monotonic() + COMMAND_SECONDS
        while not re.search(self.at_work, self.text()):
            assert time.monotonic() < until, f"{self} does not end:\n{self.text()}"
            if self.process.poll() is not None and not re.search(self.at_work, self.text()):
                assert self.process.returncode != 0, f"{self} had nothing to do:\n{self.text()}"
                print(f"          {self.outcome()}", flush=True)
                if self.mends:
                    lab.hardway(*self.mends, check=False)
                return False
            time.sleep(0.05)
        return True

    def look(self):
        """Is it at work still, once the fault is there?"""
        self.met = self.process.poll() is None

    def has_succeeded(self):
        """So far."""
        return self.process.poll() == 0

    def end(self, lab):
        """Not waited for here."""

    def is_done(self):
        """Waits for it."""
        return self.process.wait(COMMAND_SECONDS) == 0

    def outcome(self):
        if self.is_done():
            return f"{self} has succeeded"
        return "\n    ".join([f"{self} has failed:", *self.text().splitlines()[-8:]])


class Install(Command):
    """The cluster file wants other flags each time, of what hurts most to restart."""
    words = ["install", "--wait"]
    mends = None  # itself does
    turns = itertools.count(1)
    flags = {}

    def prepare(self, lab):
        turn = next(Install.turns)
        self.flags = {"etcd": f"snapshot-count={9000 + turn}", "kube-apiserver": f"audit-log-maxage={30 + turn}"}
        text = lab.read("hardway.yaml").partition("\nextra-args:\n")[0]
        for number, (component, flag) in enumerate(self.flags.items()):
            text += ("" if number else "\nextra-args:\n") + f"  {component}: {{ {flag.replace('=', ': ')} }}\n"
        with open(os.path.join(lab.directory, "hardway.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def judge(self, lab):
        """What runs has been started with them."""
        for host in CONTROLLERS:
            for pid, (component, flag) in zip(lab.pids(host, list(self.flags)), self.flags.items()):
                argv = lab.sh(host, f"tr '\\0' '\\n' </proc/{pid}/cmdline").out.splitlines()
                assert f"--{flag}" in argv, f"{component} on {host} does not run as it was installed: {flag}\n{argv}"


class Renew(Command):
    words = ["pki", "renew", "--wait"]


class Replace(Command):
    """Goes on with what an earlier one has left half-way; then nothing is stopped, but all is installed."""
    at_work = r": (old member stopped|\d+ files?)\b"

    def __init__(self, draw):
        super().__init__(draw)
        self.hosts = [draw.choice(sorted(CONTROLLERS))]
        self.words = ["etcd", "replace", *self.hosts, "--force", "--yes", "--wait"]


class Snapshot(Command):
    """One takes a second: here one after the other, and a node's own, until the fault is over."""
    words = ["etcd", "snapshot"]
    hosts = []
    numbers = itertools.count(1)

    def __init__(self, draw):
        super().__init__(draw)
        self.host, self.over, self.thread, self.last, self.n_taken, self.n_runs = draw.choice(sorted(CONTROLLERS)), threading.Event(), None, None, 0, 0
        self.running = False

    def __str__(self):
        return f"hardway etcd snapshot, and that of {self.host}, again and again"

    def begin(self, lab):
        os.makedirs(os.path.join(lab.directory, "taken"), exist_ok=True)
        self.thread = threading.Thread(target=self.repeat, args=(lab,))
        self.thread.start()
        await_true("a snapshot was taken", lambda: self.n_taken > 0, LET_IN_SECONDS)
        time.sleep(self.after)

    def repeat(self, lab):
        while not self.over.is_set():
            lab.sh(self.host, "systemctl start --no-block etcd-snapshot.service", check=False)
            self.running = True
            self.last = lab.hardway(*self.words, f"taken/{next(Snapshot.numbers)}.db", check=False)
            self.running = False
            self.n_runs += 1
            self.n_taken += self.last.status == 0

    def look(self):
        self.met = bool(await_true("a snapshot is under way", lambda: self.running, 10, pause=0.01))

    def has_succeeded(self):
        return not self.thread.is_alive()

    def end(self, lab):
        self.over.set()

    def is_done(self):
        self.thread.join()
        return self.last.status == 0

    def outcome(self):
        done = self.is_done()
        return f"{self}: {self.n_taken} of {self.n_runs} taken" + ("" if done else "; the last one was not:\n    " + self.last.err.strip())

    @staticmethod
    def judge(lab):
        """What has a name is whole, here and on the nodes."""
        names = os.listdir(os.path.join(lab.directory, "taken"))
        assert names and all(name.endswith(".db") for name in names), names
        for name in names:
            done = subprocess.run([lab.binary("etcdutl"), "snapshot", "status", name], cwd=os.path.join(lab.directory, "taken"),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 0, f"{name}: {done.stderr}"
        for host in CONTROLLERS:
            lab.sh(host, 'cd /var/lib/etcd-snapshots; for file in *.db; do [ ! -e "$file" ] || /opt/hardway/etcd-*/etcdutl snapshot status "$file" || exit 1; done')
