# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can befall a lab, drawn by seed: for tests/lab/chaos. Each has a begin() and an end(); in between lies the time that it lasts."""
import contextlib
import os
import random
import re
import subprocess
import tempfile
import time

from lab import BALANCERS, CONTROLLERS, TOP, run

HOSTS = {**CONTROLLERS, **BALANCERS}
UNITS = {**{host: ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] for host in CONTROLLERS},
         **{host: ["haproxy", "keepalived"] for host in BALANCERS}}


class Kill:
    """A component is killed; systemd starts it again."""

    def __init__(self, draw):
        self.host = draw.choice(sorted(HOSTS))
        self.unit = draw.choice(UNITS[self.host])

    def __str__(self):
        return f"kill {self.unit} on {self.host}"

    def begin(self, lab):
        lab.sh(self.host, f"systemctl kill --signal=KILL {self.unit}", check=False)

    def end(self, lab):
        pass


class Freeze(Kill):
    """A component hangs."""

    def __str__(self):
        return f"freeze {self.unit} on {self.host}"

    def begin(self, lab):
        lab.sh(self.host, f"systemctl kill --signal=STOP {self.unit}", check=False)

    def end(self, lab):
        lab.sh(self.host, f"systemctl kill --signal=CONT {self.unit}", check=False)


class Power:
    """A host loses its power."""

    def __init__(self, draw):
        self.hosts = [draw.choice(sorted(HOSTS))]

    def __str__(self):
        return "power cut of " + ", ".join(self.hosts)

    def begin(self, lab):
        lab.tool("power", "cut", *self.hosts, check=False)

    def end(self, lab):
        lab.tool("power", "on", *self.hosts)


class Blackout(Power):
    """All hosts lose their power at once."""

    def __init__(self, draw):
        super().__init__(draw)
        self.hosts = sorted(HOSTS)


class Link:
    """A cable is pulled, or a switch drops everything without a word."""

    def __init__(self, draw):
        self.host, self.how = draw.choice(sorted(HOSTS)), draw.choice(["down", "mute"])

    def __str__(self):
        return f"link {self.how} of {self.host}"

    def begin(self, lab):
        lab.tool("link", self.how, self.host, check=False)

    def end(self, lab):
        """A host that lost its power meanwhile has no link, and gets a new one."""
        lab.tool("link", "up", self.host, check=False)


class Filter:
    """Rules of the lab's switch, in a table of their own."""
    number = 0

    def __init__(self, draw):
        Filter.number += 1
        self.table = f"chaos{Filter.number}"
        self.rules = self.draw_rules(draw)

    def draw_rules(self, draw):
        raise NotImplementedError

    def begin(self, lab):
        lab.enter("nft", f"add table bridge {self.table}; add chain bridge {self.table} forward {{ type filter hook forward priority 0; }}; "
                  + "; ".join(f"add rule bridge {self.table} forward {rule}" for rule in self.rules))

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
        self.host, self.percent = draw.choice(sorted(HOSTS)), draw.choice([5, 20, 40])
        address = HOSTS[self.host]
        return [f"ip {way} {address} numgen random mod 100 < {self.percent} drop" for way in ("saddr", "daddr")]

    def __str__(self):
        return f"{self.percent} % loss at {self.host}"


class Slow:
    """A link that carries little: what does not fit waits, for up to 400 ms, and then is lost."""

    def __init__(self, draw):
        self.host, self.rate = draw.choice(sorted(HOSTS)), draw.choice([256, 1024])

    def __str__(self):
        return f"{self.rate} kbit/s from {self.host}"

    def begin(self, lab):
        lab.sh(self.host, f"tc qdisc add dev host0 root tbf rate {self.rate}kbit burst 8kb latency 400ms", check=False)

    def end(self, lab):
        """Gone already if the host lost its power meanwhile."""
        lab.sh(self.host, "tc qdisc del dev host0 root 2>/dev/null", check=False)


class Delay:
    """All that a host sends and gets is under way for long: see delay.py."""
    number = 0

    def __init__(self, draw):
        Delay.number += 1
        self.tap = f"delay{Delay.number}"
        self.host, self.milliseconds = draw.choice(sorted(HOSTS)), draw.choice([50, 100, 200])
        self.process = None

    def __str__(self):
        return f"{self.milliseconds} ms from and to {self.host}"

    def begin(self, lab):
        """Not if the host is off."""
        link = lab.enter("ip", "-o", "link", "show", "host0", host=self.host, check=False).out
        found = re.search(r"host0@if(\d+):", link)
        port = found and re.search(rf"^{found[1]}: ([^@:]+)[@:]", lab.enter("ip", "-o", "link").out, re.M)
        if not port:
            return
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(TOP, "lab", "enter"), "--name", lab.name, "--", "/usr/bin/python3", os.path.join(TOP, "tests", "lab", "delay.py"),
             port[1], self.tap, str(self.milliseconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def end(self, lab):
        if self.process:
            self.process.communicate()
            assert self.process.returncode == 0, self


class Shifted:
    """A certificate that begins in an hour: as it looks to hosts whose clocks are an hour behind, since all hosts here share one. And what it
    takes, a restart, happens to the others, too."""
    HOURS, WHEN = (1, 300 * 24), "from in an hour"  # from then until then
    PLACES = {"apiserver": ("kube-apiserver", "apiserver", "ca"), "etcd": ("etcd", "etcd/server", "etcd/ca"), "peer": ("etcd", "etcd/peer", "etcd/ca")}

    def __init__(self, draw):
        self.host, self.what = draw.choice(sorted(CONTROLLERS)), draw.choice(sorted(self.PLACES))
        self.unit, name, self.ca = self.PLACES[self.what]
        self.name = f"/etc/kubernetes/pki/{name}.crt"
        self.source = f"pki/nodes/{self.host}/pki/{name}"
        self.shifted = None
        self.done = False

    def __str__(self):
        return f"certificate of {self.what} on {self.host} {self.WHEN}"

    def begin(self, lab):
        self.shifted = shift(lab, self.source, self.ca, self.HOURS)
        self.done = lab.enter("sh", "-c", f"""set -e; [ ! -e {self.name}.kept ]
cat >{self.name}.new; chown --reference={self.name} {self.name}.new; chmod --reference={self.name} {self.name}.new
mv {self.name} {self.name}.kept; mv {self.name}.new {self.name}
systemctl --no-block restart {self.unit}""", host=self.host, check=False, text_input=self.shifted).status == 0

    def end(self, lab):
        """Unless a renewal or an installation has put it in order meanwhile."""
        if self.done:
            self.put_back(lab)

    def put_back(self, lab):
        lab.enter("sh", "-c", f"""[ -e {self.name}.kept ] || exit 0
if [ "$(cat {self.name})" = "$(cat)" ]; then mv {self.name}.kept {self.name}; else rm {self.name}.kept; fi
systemctl --no-block restart {self.unit}""", host=self.host, check=False, text_input=self.shifted)


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
        for name, text in {"index": "", "serial": "4242\n", "ca.cnf": CA_CONFIG.format(work=work)}.items():
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


class FullDisk:
    """Nothing fits on the disk any more, which is that of all hosts: see small_disk()."""

    def __init__(self, draw):
        pass

    def __str__(self):
        return "disk full, of all hosts"

    def begin(self, lab):
        state = os.environ["HARDWAY_LAB_STATE"]
        free = os.statvfs(state)
        with open(os.path.join(state, "filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(4096, free.f_bavail * free.f_frsize - (8 << 20)))
            file.seek(0, os.SEEK_END)
            while True:
                file.write(bytes(65536))

    def end(self, lab):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(os.environ["HARDWAY_LAB_STATE"], "filler"))


class Command:
    """hardway is at work when the next faults come, and waits for the one before it."""
    words = []

    def __init__(self, draw):
        self.process, self.said = None, None

    def __str__(self):
        return "hardway " + " ".join(self.words)

    def begin(self, lab):
        self.said = tempfile.TemporaryFile("w+", errors="replace")  # pylint: disable=consider-using-with
        self.process = lab.start(*self.words, output=self.said)

    def end(self, lab):
        """Not waited for here: it goes on under the next faults."""

    def outcome(self):
        """Waits for it, and says what became of it."""
        status = self.process.wait(600)
        with self.said:
            self.said.seek(0)
            return f"{self} has succeeded" if status == 0 else "\n    ".join([f"{self} has failed:", *self.said.read().splitlines()[-8:]])


class Install(Command):
    words = ["install", "--wait"]


class Renew(Command):
    words = ["pki", "renew", "--wait"]


class Snapshot(Command):
    words = ["etcd", "snapshot"]


class Replace(Command):
    def __init__(self, draw):
        super().__init__(draw)
        self.words = ["etcd", "replace", draw.choice(sorted(CONTROLLERS)), "--force", "--yes", "--wait"]


KINDS = [Kill, Freeze, Power, Blackout, Link, OneWay, Loss, Slow, Delay, Shifted, Expired, FullDisk, Install, Renew, Snapshot, Replace]


class Deck:
    """One card of each kind, shuffled: every kind comes before any comes again, and none twice in a row."""

    def __init__(self, draw):
        self.draw, self.cards, self.last = draw, [], None

    def next(self):
        while not self.cards or self.cards[-1] is self.last:
            self.cards = self.draw.sample(KINDS, len(KINDS))
        self.last = self.cards.pop()
        return self.last(self.draw)


def draw_steps(seed):
    """Without end: one or two faults, how long they last, and the pause before the next."""
    draw = random.Random(seed)
    deck = Deck(draw)
    while True:
        yield [deck.next() for _ in range(draw.choice([1, 1, 2]))], draw.uniform(2, 10), draw.uniform(1, 6)
