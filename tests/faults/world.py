# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine that is only played, for what would take too long on real hosts: hardway works on it as its own node (local: true), is killed
or loses power at any call, or finds its disk full. The scripts that run there, and the tools they use, are the real ones."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))

import mirror as mirrors  # noqa: E402

CLUSTER = """\
cluster: faults
kubernetes: v1.36.3
arch: amd64
endpoint: { address: 10.77.0.10 }
nodes:
  - { name: c0, address: 10.77.0.20, roles: [controller], local: true }
  - { name: lb0, address: 10.77.0.11, roles: [loadbalancer] }
"""
CHANGED = CLUSTER + """\
profile: { network: wifi }
extra-args:
  etcd: { snapshot-count: 9000 }
  kube-apiserver: { audit-log-maxage: 31 }
"""
NODES = {"c0": "10.77.0.20", "lb0": "10.77.0.11"}
# What a machine is when it is to be installed: a node, and whether there is nothing of hardway's yet
KINDS = [(node, what) for node in NODES for what in ("fresh", "change")]
RESET = ["reset", "--yes", "--force", "--node", "c0"]
LONG = os.environ.get("HARDWAY_TEST_TIER") == "long"
SEED = int(os.environ.get("HARDWAY_TEST_SEED", "1"))
# What only the scripts that do the work need, while they do
PASSING = ("/staged", "/manifest", ".hw-new")
# All that an installation changes
PLACES = ["/etc/kubernetes", "/etc/hardway", "/etc/systemd/system", "/opt/hardway", "/usr/local/bin", "/var/lib/etcd", "/var/lib/hardway",
          "/etc/sysctl.d", "/usr/lib/sysusers.d", "/etc/haproxy", "/etc/keepalived", "/etc/tmpfiles.d",
          "/usr/lib/systemd/system/haproxy.service", "/usr/lib/systemd/system/keepalived.service"]
# Scripts that stand in for the package manager (a package is installed once its unit is there), for what it installs, and for Perl
PROGRAMS = {
    "dpkg-query": """for name; do case $name in haproxy | keepalived) [ ! -e /usr/lib/systemd/system/$name.service ] ||
        case $* in *'${Package} '*) echo "$name installed" ;; *) printf installed ;; esac ;; esac; done""",
    "apt-cache": """case $* in *policy*) echo '  Candidate: 1.0' ;; esac""",
    "apt-get": """set -e; exec 9>/run/dpkg.lock; flock 9; for name; do case $name in
        -s) echo 'Inst libneeded (1.0)'; exit ;;
        haproxy | keepalived)
                systemd-sysusers --inline "u $name - - /var/lib/$name"
                mkdir -p /etc/$name
                [ $name = keepalived ] || [ -e /etc/haproxy/haproxy.cfg ] || echo theirs >/etc/haproxy/haproxy.cfg
                ln -sf /usr/local/bin/program /usr/sbin/$name
                unit=/usr/lib/systemd/system/$name.service
                printf '[Service]\\nExecStart=/usr/sbin/%s\\n[Install]\\nWantedBy=multi-user.target\\n' $name >$unit.dpkg-new
                sync -f $unit.dpkg-new
                mv $unit.dpkg-new $unit
                sync -f $unit ;;
        esac; done""",
    "dpkg": "exit 0",
    "program": "exit 0",
    # it would listen on the network for seconds, in which nobody is there to be heard
    "perl": """case $* in *'"listened'*) echo listened ;; esac""",
}


def cluster_on(node, text):
    """The cluster file on a machine that is that node."""
    return text.replace(", local: true", "").replace(f"name: {node},", f"name: {node}, local: true,")


def install(node):
    """What is played listens before it is installed."""
    return ["install", "--node", node, "--ignore", "ports-free"]


class Site:
    """What the machines of one session have in common: the tools, and a cluster directory in which all is ready to be installed."""

    def __init__(self, directory):
        build = pathlib.Path(os.environ["HARDWAY"]).resolve().parent
        self.directory = directory
        (directory / "tools").mkdir()
        for tool in (build / "hardway", *(build / "tests" / "faults" / name for name in ("faults", "manager", "stand-in"))):
            shutil.copy(tool, directory / "tools")
        for name, script in PROGRAMS.items():
            (directory / "tools" / name).write_text(f"#!/bin/sh\n{script}\n")
            (directory / "tools" / name).chmod(0o755)
        (directory / "cluster").mkdir()
        (directory / "cluster" / "hardway.yaml").write_text(CLUSTER)
        self.program = directory / "tools" / "hardway"
        self.prepare()

    def hardway(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "XDG_CACHE_HOME": str(self.directory / "cache")}
        done = subprocess.run([self.program, *words], cwd=self.directory / "cluster", env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done

    def prepare(self):
        stand_in = (self.directory / "tools" / "stand-in").read_bytes()
        original = mirrors.program
        mirrors.program = lambda name, architecture: stand_in + name.encode()
        try:
            (self.directory / "mirror").mkdir()
            mirror = mirrors.Mirror(self.directory / "mirror")
        finally:
            mirrors.program = original
        try:
            self.hardway("pki", "gen")
            self.hardway("fetch", *mirror.options())
        finally:
            mirror.stop()


class Machine:
    """One machine; what it can do: see inside.py."""

    def __init__(self, site):
        self.kept = set()
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc", "--mount-proc", sys.executable,
             str(HERE / "inside.py"), str(site.directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __getattr__(self, do):
        def order(**more):
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            assert line, f"the machine has ended: {do}"
            answer = json.loads(line)
            assert "error" not in answer, f"{do}: {answer}"
            return answer["answer"]

        return order

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def begin(self, node, what, options=""):
        """A machine that is to become a node: "fresh", or for a "change": installed, with files of an older plan, and another cluster file."""
        self.play(name=node, address=None if node == "c0" else NODES[node])
        if node not in self.kept:
            self.fresh()
            self.write(path="/cluster/hardway.yaml", text=cluster_on(node, CLUSTER))
            self.keep(name=node)
            self.kept.add(node)
        if what == "change" and f"{node} changed" not in self.kept:
            self.fresh(kept=node)
            self.hardway(*install(node))
            self.leave_behind("/etc/kubernetes/older.conf", "older\n")
            self.write(path="/var/lib/hardway/before/etc/kubernetes/older.conf", text="theirs\n")
            self.write(path="/var/lib/hardway/taken", text=self.read(path="/var/lib/hardway/taken") + "/etc/kubernetes/older.conf kept\n")
            self.leave_behind("/etc/systemd/system/older.service", "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
            self.write(path="/cluster/hardway.yaml", text=cluster_on(node, CHANGED))
            self.keep(name=f"{node} changed")
            self.kept.add(f"{node} changed")
        self.fresh(kept=f"{node} changed" if what == "change" else node, options=options)

    def installed_only(self):
        if "installed only" not in self.kept:
            self.fresh()
            self.hardway(*install("c0"))
            self.keep(name="installed only")
            self.kept.add("installed only")
        self.fresh(kept="installed only")

    def leave_behind(self, path, text):
        """A file that an older hardway has put there, and this one would not."""
        record = json.loads(self.read(path="/var/lib/hardway/applied.json"))
        record["files"].append({"path": path, "sha256": hashlib.sha256(text.encode()).hexdigest(), "stamp": ""})
        self.write(path=path, text=text)
        self.write(path="/var/lib/hardway/applied.json", text=json.dumps(record))
        self.write(path="/var/lib/hardway/applied.paths", text=self.read(path="/var/lib/hardway/applied.paths") + path[1:] + "\n")

    def hardway(self, *words, status=0):
        done = self.run(argv=["hardway", *words])
        assert done["status"] == status, f"{words}: status {done['status']}\n{done['out']}\n{done['err']}"
        return done

    def struck(self, at, whose, what, *words):
        """A command to which something happens at its at-th call; also gives the calls, and what was done."""
        done = self.run(argv=["faults", "/run/faults.log", str(at), whose, what, "hardway", *words])
        done["calls"] = self.read(path="/run/faults.log").splitlines()
        return done

    def kept_there(self):
        """The paths of which it is written down that what lay there is kept."""
        taken = self.read(path="/var/lib/hardway/taken") if self.files(paths=["/var/lib/hardway/taken"]) else ""
        return [line.split()[0] for line in taken.splitlines() if line.split()[1] == "kept"]

    def state(self):
        """All that was installed; of applied.json only what is the same in each run."""
        files = self.files(paths=PLACES)
        for name in ("generation", "generation.new", "put.lock"):  # of the lock that writers take
            files.pop(f"/var/lib/hardway/{name}", None)
        kept = {f"/var/lib/hardway/before{path}" for path in self.kept_there()}
        for path in [path for path, what in files.items() if path.startswith("/var/lib/hardway/before") and path not in kept]:
            files.pop(path)  # directories, and what means nothing without its line
        record = files.get("/var/lib/hardway/applied.json")
        if record:
            applied = json.loads(self.read(path="/var/lib/hardway/applied.json"))
            for file in applied["files"]:
                file.pop("stamp")
            record[3] = applied
        return files


def choose(n_points, n):
    """All points in the long tier; else n of them: half of them spread evenly, the others anywhere."""
    if LONG or n >= n_points:
        return list(range(n_points))
    even = {i * n_points // (n // 2) for i in range(n // 2)}
    rest = random.Random(SEED).sample(sorted(set(range(n_points)) - even), n - len(even))
    return sorted(even | set(rest))


# what tells what was done so far, and so may stand in between; in the end it is as if nothing had happened
RECORDS = tuple(f"/var/lib/hardway/{name}" for name in ("applied", "taken", "users"))


def old_or_new(found, undisturbed):
    """Nothing is half written."""
    for path, what in found.items():
        if path.startswith(RECORDS) or path.endswith(PASSING) or what[0].startswith("0o4"):
            continue
        assert what[3] in [state[path][3] for state in (undisturbed["before"], undisturbed["after"]) if path in state], f"{path}: {what}"


def converges(machine, node, undisturbed, struck):
    done = machine.run(argv=["hardway", *install(node)])
    assert done["status"] == 0, f"{struck}\n{done}"
    found, after = machine.state(), undisturbed["after"]
    differs = {path: (found.get(path), after.get(path)) for path in {*found, *after} if found.get(path) != after.get(path)}
    assert not differs, f"{differs}\n{done}\n{struck}"
    assert "nothing to change" in machine.hardway(*install(node))["out"], struck
