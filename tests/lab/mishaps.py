# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can befall a lab, drawn by seed: for tests/lab/chaos. Each has a begin() and an end(); in between lies the time that it lasts.

What has no effect is no fault: if a tool were broken, a calm run would look as if everything had been borne. So each is looked at once it has begun,
where it can be in another way than the one in which it was made (rules, Slow and Delay: that they are set). `hosts` are those that it befalls."""
import contextlib
import os
import random
import re
import subprocess
import tempfile
import time

from errands import Command, Install, Renew, Replace, Snapshot
from lab import BALANCERS, CONTROLLERS, TOP, await_true, run

HOSTS = {**CONTROLLERS, **BALANCERS}
UNITS = {**{host: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] for host in CONTROLLERS},
         **{host: ["haproxy", "keepalived"] for host in BALANCERS}}


# How long a component may take to be there to be killed: it may be on its way, after the fault before this one
UP_SECONDS = 60
SMALL_DISK_MAX = 16 << 30


class NoEffect(AssertionError):
    """It was begun, and nothing is different."""


class Fault:
    hosts = []

    def begin(self, lab):
        self.strike(lab)
        if not self.is_felt(lab):
            raise NoEffect(f"{self} has had no effect")

    def strike(self, lab):
        raise NotImplementedError

    def is_felt(self, lab):
        raise NotImplementedError

    def end(self, lab):
        pass


def is_on(lab, host):
    return lab.enter("echo", "on", host=host, check=False).out == "on\n"


def is_reached(lab, host):
    """By who drives the lab, within a second."""
    connect = "import socket, sys; socket.create_connection((sys.argv[1], 22), timeout=1); print('reached')"
    return lab.enter("/usr/bin/python3", "-c", connect, HOSTS[host], check=False).out == "reached\n"


class Kill(Fault):
    """A component is killed; systemd starts it again."""
    SIGNAL, GONE = "KILL", "[ ! -e /proc/$pid ]"

    def __init__(self, draw):
        self.hosts = [draw.choice(sorted(HOSTS))]
        self.unit = draw.choice(UNITS[self.hosts[0]])
        self.pid = None

    def __str__(self):
        return f"kill {self.unit} on {self.hosts[0]}"

    def find(self, lab):
        out = lab.sh(self.hosts[0], f"systemctl show -p MainPID --value {self.unit}", check=False).out.strip()
        return out if out not in ("", "0") else None

    def strike(self, lab):
        with contextlib.suppress(AssertionError):  # what is not there is not killed, which is_felt() sees
            self.pid = await_true(f"{self.unit} runs", lambda: self.find(lab), UP_SECONDS if is_on(lab, self.hosts[0]) else 0)
            lab.sh(self.hosts[0], f"systemctl kill --signal={self.SIGNAL} {self.unit}")

    def is_felt(self, lab):
        wait = f"pid={self.pid}; for _ in $(seq 50); do if {self.GONE}; then echo felt; exit; fi; sleep 0.1; done"
        return bool(self.pid) and lab.sh(self.hosts[0], wait, check=False).out == "felt\n"


class Freeze(Kill):
    """A component hangs."""
    SIGNAL, GONE = "STOP", "grep -q '^State:.*T' /proc/$pid/status"

    def __str__(self):
        return f"freeze {self.unit} on {self.hosts[0]}"

    def end(self, lab):
        lab.sh(self.hosts[0], f"systemctl kill --signal=CONT {self.unit}", check=False)


class Power(Fault):
    """A host loses its power."""

    def __init__(self, draw):
        self.hosts = [draw.choice(sorted(HOSTS))]

    def __str__(self):
        return "power cut of " + ", ".join(self.hosts)

    def strike(self, lab):
        lab.tool("power", "cut", *self.hosts, check=False)

    def is_felt(self, lab):
        return not any(is_on(lab, host) or is_reached(lab, host) for host in self.hosts)

    def end(self, lab):
        lab.tool("power", "on", *self.hosts)


class Blackout(Power):
    """All hosts lose their power at once."""

    def __init__(self, draw):
        super().__init__(draw)
        self.hosts = sorted(HOSTS)


class Link(Fault):
    """A cable is pulled, or a switch drops everything without a word."""

    def __init__(self, draw):
        self.hosts, self.how = [draw.choice(sorted(HOSTS))], draw.choice(["down", "mute"])

    def __str__(self):
        return f"link {self.how} of {self.hosts[0]}"

    def strike(self, lab):
        lab.tool("link", self.how, self.hosts[0], check=False)

    def is_felt(self, lab):
        return is_on(lab, self.hosts[0]) and not is_reached(lab, self.hosts[0])

    def end(self, lab):
        """A host that lost its power meanwhile has no link, and gets a new one."""
        lab.tool("link", "up", self.hosts[0], check=False)


class Filter(Fault):
    """Rules of the lab's switch, in a table of their own."""
    number = 0

    def __init__(self, draw):
        Filter.number += 1
        self.table = f"chaos{Filter.number}"
        self.rules = self.draw_rules(draw)

    def draw_rules(self, draw):
        raise NotImplementedError

    def strike(self, lab):
        lab.enter("nft", f"add table bridge {self.table}; add chain bridge {self.table} forward {{ type filter hook forward priority 0; }}; "
                  + "; ".join(f"add rule bridge {self.table} forward {rule}" for rule in self.rules))

    def is_felt(self, lab):
        return lab.enter("nft", f"list table bridge {self.table}").out.count(" drop") == len(self.rules)

    def end(self, lab):
        lab.enter("nft", f"delete table bridge {self.table}")


class OneWay(Filter):
    """What one host sends to another does not arrive; the other way it does."""

    def draw_rules(self, draw):
        self.hosts = draw.sample(sorted(HOSTS), 2)
        return [f"ip saddr {HOSTS[self.hosts[0]]} ip daddr {HOSTS[self.hosts[1]]} drop"]

    def __str__(self):
        return "nothing from {} to {}".format(*self.hosts)


class Loss(Filter):
    """Some of what a host sends and gets is lost."""

    def draw_rules(self, draw):
        self.hosts, self.percent = [draw.choice(sorted(HOSTS))], draw.choice([5, 20, 40])
        address = HOSTS[self.hosts[0]]
        return [f"ip {way} {address} numgen random mod 100 < {self.percent} drop" for way in ("saddr", "daddr")]

    def __str__(self):
        return f"{self.percent} % loss at {self.hosts[0]}"


class Slow(Fault):
    """A link that carries little: what does not fit waits, for up to 400 ms, and then is lost."""

    def __init__(self, draw):
        self.hosts, self.rate = [draw.choice(sorted(HOSTS))], draw.choice([256, 1024])

    def __str__(self):
        return f"{self.rate} kbit/s from {self.hosts[0]}"

    def strike(self, lab):
        lab.sh(self.hosts[0], f"tc qdisc add dev host0 root tbf rate {self.rate}kbit burst 8kb latency 400ms", check=False)

    def is_felt(self, lab):
        return " tbf " in lab.sh(self.hosts[0], "tc qdisc show dev host0", check=False).out

    def end(self, lab):
        """Gone already if the host lost its power meanwhile."""
        lab.sh(self.hosts[0], "tc qdisc del dev host0 root 2>/dev/null", check=False)


class Delay(Fault):
    """All that a host sends and gets is under way for long: see delay.py."""
    number = 0

    def __init__(self, draw):
        Delay.number += 1
        self.tap = f"delay{Delay.number}"
        self.hosts, self.milliseconds = [draw.choice(sorted(HOSTS))], draw.choice([50, 100, 200])
        self.process = None

    def __str__(self):
        return f"{self.milliseconds} ms from and to {self.hosts[0]}"

    def strike(self, lab):
        """Not if the host is off."""
        link = lab.enter("ip", "-o", "link", "show", "host0", host=self.hosts[0], check=False).out
        found = re.search(r"host0@if(\d+):", link)
        port = found and re.search(rf"^{found[1]}: ([^@:]+)[@:]", lab.enter("ip", "-o", "link").out, re.M)
        if not port:
            return
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(TOP, "lab", "enter"), "--name", lab.name, "--", "/usr/bin/python3", os.path.join(TOP, "tests", "lab", "delay.py"),
             port[1], self.tap, str(self.milliseconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def is_felt(self, lab):
        return bool(self.process) and f" {self.tap}: " in lab.enter("ip", "-o", "link").out

    def end(self, lab):
        if self.process:
            self.process.communicate()
            assert self.process.returncode == 0, self


class Shifted(Fault):
    """A certificate that begins in an hour: as it looks to hosts whose clocks are an hour behind, since all hosts here share one. And what it
    takes, a restart, happens to the others, too."""
    HOURS, WHEN = (1, 300 * 24), "from in an hour"  # from then until then
    PLACES = {"apiserver": ("kube-apiserver", "apiserver", "ca"), "etcd": ("etcd", "etcd/server", "etcd/ca"), "peer": ("etcd", "etcd/peer", "etcd/ca")}

    def __init__(self, draw):
        self.hosts, self.what = [draw.choice(sorted(CONTROLLERS))], draw.choice(sorted(self.PLACES))
        self.unit, name, self.ca = self.PLACES[self.what]
        self.name = f"/etc/kubernetes/pki/{name}.crt"
        self.source = f"pki/nodes/{self.hosts[0]}/pki/{name}"
        self.shifted = None
        self.done = False

    def __str__(self):
        return f"certificate of {self.what} on {self.hosts[0]} {self.WHEN}"

    def strike(self, lab):
        self.shifted = shift(lab, self.source, self.ca, self.HOURS)
        self.done = lab.enter("sh", "-c", f"""set -e; [ ! -e {self.name}.kept ]
cat >{self.name}.new; chown --reference={self.name} {self.name}.new; chmod --reference={self.name} {self.name}.new
mv {self.name} {self.name}.kept; mv {self.name}.new {self.name}
systemctl --no-block restart {self.unit}""", host=self.hosts[0], check=False, text_input=self.shifted).status == 0

    def is_felt(self, lab):
        return self.done and lab.sh(self.hosts[0], f"cat {self.name}", check=False).out == self.shifted

    def end(self, lab):
        """Unless a renewal or an installation has put it in order meanwhile."""
        if self.done:
            self.put_back(lab)

    def put_back(self, lab):
        lab.enter("sh", "-c", f"""[ -e {self.name}.kept ] || exit 0
if [ "$(cat {self.name})" = "$(cat)" ]; then mv {self.name}.kept {self.name}; else rm {self.name}.kept; fi
systemctl --no-block restart {self.unit}""", host=self.hosts[0], check=False, text_input=self.shifted)


class Expired(Shifted):
    """A certificate that ended an hour ago: as it looks to hosts whose clocks are ahead, and where nobody has renewed it."""
    HOURS, WHEN = (-25, -1), "until an hour ago"


CA_CONFIG = """[ca]
default_ca = x
[x]
database = {work}/index
serial = {work}/serial
new_certs_dir = {work}
default_md = sha256
policy = any
copy_extensions = copyall
unique_subject = no
[any]
commonName = supplied
organizationName = optional
"""


def shift(lab, source, authority, hours):
    """The same certificate, by the same authority, from and until that many hours from now: in PEM."""
    with tempfile.TemporaryDirectory() as work:
        for name, text in {"index": "", "serial": os.urandom(8).hex() + "\n", "ca.cnf": CA_CONFIG.format(work=work)}.items():
            with open(os.path.join(work, name), "w", encoding="ascii") as file:
                file.write(text)
        begin, end = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 3600 * hour)) for hour in hours]
        path = os.path.join(lab.directory, source)
        argv = [["openssl", "x509", "-x509toreq", "-copy_extensions", "copyall", "-in", f"{path}.crt", "-signkey", f"{path}.key", "-out", f"{work}/csr"],
                ["openssl", "ca", "-batch", "-notext", "-config", f"{work}/ca.cnf", "-cert", os.path.join(lab.directory, f"pki/{authority}.crt"),
                 "-keyfile", os.path.join(lab.directory, f"pki/{authority}.key"), "-startdate", begin, "-enddate", end, "-in", f"{work}/csr",
                 "-out", f"{work}/crt"]]
        for words in argv:
            done = run(words)
            assert done.status == 0, done
        with open(os.path.join(work, "crt"), encoding="ascii") as file:
            return file.read()


class FullDisk(Fault):
    """Nothing fits on the disk any more, which is that of all hosts: see small_disk()."""

    def __init__(self, draw):
        self.hosts = sorted(HOSTS)

    def __str__(self):
        return "disk full, of all hosts"

    def strike(self, lab):
        state = os.environ["HARDWAY_LAB_STATE"]
        free = os.statvfs(state)
        if free.f_blocks * free.f_frsize > SMALL_DISK_MAX or not os.path.ismount(state):
            raise NoEffect(f"{state} is no small disk of the hosts' own: it is not filled")
        with open(os.path.join(state, "filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(4096, free.f_bavail * free.f_frsize - (8 << 20)))
            file.seek(0, os.SEEK_END)
            while True:
                file.write(bytes(65536))

    def is_felt(self, lab):
        left = os.statvfs(os.environ["HARDWAY_LAB_STATE"])
        return left.f_bavail * left.f_frsize < 1 << 20

    def end(self, lab):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(os.environ["HARDWAY_LAB_STATE"], "filler"))


KINDS = [Kill, Freeze, Power, Blackout, Link, OneWay, Loss, Slow, Delay, Shifted, Expired, FullDisk, Install, Renew, Snapshot, Replace]


# What a command meets: nothing that the load balancers alone would notice
HARD = [Power, Blackout, Link, OneWay, Loss, Delay, FullDisk]


class Deck:
    """One card of each kind, shuffled: every kind comes before any comes again, and none twice in a row."""

    def __init__(self, draw):
        self.draw, self.cards, self.last = draw, [], None

    def look(self):
        """The next card."""
        while not self.cards or self.cards[-1] is self.last:
            self.cards = self.draw.sample(KINDS, len(KINDS))
        return self.cards[-1]

    def take(self):
        self.last = self.look()
        self.cards.pop()
        return self.last(self.draw)


def draw_hard(draw):
    """Something that befalls controllers, and no load balancer alone."""
    while True:
        fault = draw.choice(HARD)(draw)
        if set(fault.hosts) <= set(CONTROLLERS) or set(fault.hosts) >= set(CONTROLLERS):
            return fault


def draw_step(draw, deck):
    """One or two faults; a command comes with one that it meets, which is no card."""
    faults = [deck.take()]
    if isinstance(faults[0], Command):
        faults.append(draw_hard(draw))
    elif draw.choice([False, False, True]) and not issubclass(deck.look(), Command):
        faults.append(deck.take())
    return faults


def draw_steps(seed):
    """Without end: one or two faults, how long they last, and the pause before the next."""
    draw = random.Random(seed)
    deck = Deck(draw)
    while True:
        yield draw_step(draw, deck), draw.uniform(2, 10), draw.uniform(1, 6)
