# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway plan --script, run by hand on a fresh machine, leaves the same machine as hardway install, file by file: for a node of each role in each shape
of clusters. That what is started then works is for tests/lab/test_script.py."""
import json
import pathlib
import platform
import re

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
# What only tells who did it when: of the lock that writers take, and what hardway itself looks at. The script leaves no record, and the first
# install after it writes it; see hardway(1).
WHOSE = re.compile(r"/var/lib/hardway/(generation|put\.lock|applied\.(json|paths))|/(cluster|cache|root|tmp)(/.*)?|/etc/\.pwd\.lock")
# A golden test's cluster, what is added to it, and a node of each role in which it is like no other
SHAPES = {
    "default": ("", ["controller-1", "lb-0"]),
    "vip-on-controllers": ("", ["controller-0"]),
    "external-etcd": ("", ["controller-2", "etcd-1"]),
    "one-controller": ("watch: { textfile: /var/lib/prometheus/node-exporter }\nsnapshots: { every: never }\n", ["controller-0"]),
    "foreign-endpoint": ("", ["controller-1"]),
    "five-controllers": ("", ["controller-4"]),
    "ipv6": ("", ["controller-0", "lb-1"]),
    "dual-stack": ("", ["controller-2"]),
    "extra-args": ("", ["controller-0"]),
    "amd64-wifi-sdcard": ("", ["controller-2", "lb-1"]),
}


def read_cluster(shape):
    text = (GOLDEN / shape / "hardway.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^arch: \S+", f"arch: {ARCHITECTURE}", text, flags=re.M)
    text += SHAPES[shape][0]
    return text, dict(re.findall(r"name: (\S+), address: ([^ ,]+)", text))


def arrange(machine, shape):
    """The driving side of a cluster, with each of its nodes as the machine on which that is done, in a directory for each."""
    text, addresses = read_cluster(shape)
    machine.fresh()
    machine.run(argv=["mkdir", "-p", "/var/lib/prometheus/node-exporter"])
    for name in addresses:
        machine.write(path=f"/cluster/{name}/hardway.yaml", text=text.replace(f"name: {name},", f"name: {name}, local: true,"))
    first, *others = addresses
    machine.hardway("pki", "gen", "-c", f"{first}/hardway.yaml")
    copies = [f"cp hardway.lock {name}" for name in addresses] + [f"cp -a {first}/pki {first}/secrets {first}/*.conf {name}" for name in others]
    for entry in json.loads(machine.read(path="/cluster/hardway.lock"))["artifacts"]:
        copies.append(f"cp /cache/hardway/sha256/*/{entry['sha256']} binaries/{entry['name']}")
    done = machine.run(argv=["sh", "-ec", "mkdir binaries\n" + "\n".join(copies)])
    assert done["status"] == 0, done
    machine.keep(name=shape)


def named(machine, found):
    """Owners by their names, as numbers are given in the order in which users are made; and no digest of the lists that have these."""
    names = {kind: {line.split(":")[2]: line.split(":")[0] for line in machine.read(path=path).splitlines()}
             for kind, path in (("user", "/etc/passwd"), ("group", "/etc/group"))}
    for path, what in found.items():
        if what:
            what[1:3] = names["user"].get(str(what[1]), what[1]), names["group"].get(str(what[2]), what[2])
    for path in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"):
        for kept in (path, path + "-"):
            found.pop(kept, None)
        found[path] = sorted(re.sub(r":[0-9]+", ":N", line) for line in machine.read(path=path).splitlines())
    return found


def look(machine):
    return named(machine, {path: what for path, what in machine.changed().items() if not WHOSE.fullmatch(path)})


def record(machine):
    """What hardway writes down of a node, but for the stamps of files."""
    tree = json.loads(machine.read(path="/var/lib/hardway/applied.json"))
    for file in tree["files"]:
        file.pop("stamp")
    return tree, sorted(machine.read(path="/var/lib/hardway/applied.paths").splitlines())


def install(machine, name):
    """As far as it does something to the node: until it waits for what it has started, which does nothing here."""
    return machine.until(argv=["hardway", "install", "--json", "--node", name, "--ignore", "ports-free", "--ignore", "flags", "-c", f"{name}/hardway.yaml"], words='"ready"',
                         timeout=300)


def by_hand(machine, name):
    done = machine.run(argv=["sh", "-ec", f"cd {name}; hardway plan --output /run/out --secrets; hardway plan --script --node {name} >/run/script;"
                             f" mkdir -p /run/systemd/system; sh /run/script --secrets /run/out/{name} --binaries /cluster/binaries"], timeout=300)
    assert done["status"] == 0, done


def compare(machine, what):
    shape, name = what
    if shape not in machine.kept:
        arrange(machine, shape)
        machine.kept.add(shape)
    machine.play(name=name, address=read_cluster(shape)[1][name])
    machine.fresh(kept=shape)
    done = install(machine, name)
    assert '"ready"' in done["out"], (what, done)
    installed, recorded = look(machine), record(machine)
    machine.fresh(kept=shape)
    by_hand(machine, name)
    scripted = look(machine)
    differs = {path: (installed.get(path), scripted.get(path)) for path in {*installed, *scripted} if installed.get(path) != scripted.get(path)}
    assert not differs, f"{what}\n" + "\n".join(f"{path}: installed {one}, by hand {other}" for path, (one, other) in sorted(differs.items()))
    assert len(installed) > 20
    # hardway takes it over, and all that it does is to write that down
    done = install(machine, name)
    assert '"put"' not in done["out"] and '"units"' not in done["out"], (what, done)
    assert record(machine) == recorded, what


def test_script_and_install(for_each):
    for_each([(shape, name) for shape, (_, names) in SHAPES.items() for name in names], compare)


# A package that comes slowly, and who is at work meanwhile
SLOW = """#!/bin/sh
case $* in *" -s "*) exit ;; esac
: >/run/comes
until [ -e /run/go ]; do sleep 0.1; done
"""
BESIDE = """{first} >/run/first 2>&1 &
until [ -e /run/comes ]; do sleep 0.1; done
r=0
{second} >/run/second 2>&1 || r=$?
kill -9 $!
wait || :
flock -n /run/hardway/run.lock true || flock -w 10 /run/hardway/run.lock true || r=locked
: >/run/go
echo $r
"""


def test_script_beside_install(for_each):
    """Whoever comes second changes nothing, and is told who is there; one that was killed leaves no lock, though what it has started goes on."""

    def beside(machine, script_is_first):
        shape, name = "default", "lb-0"
        if shape not in machine.kept:
            arrange(machine, shape)
            machine.kept.add(shape)
        machine.play(name=name, address=read_cluster(shape)[1][name])
        machine.fresh(kept=shape)
        machine.write(path="/usr/local/bin/apt-get", text=SLOW)
        machine.run(argv=["sh", "-ec", f"chmod 755 /usr/local/bin/apt-get; mkdir -p /run/systemd/system;"
                                       f" hardway plan --script --node {name} -c {name}/hardway.yaml >/run/script"], timeout=300)
        script = "sh /run/script --secrets /nowhere"
        hardway = f"hardway install --node {name} --ignore ports-free -c {name}/hardway.yaml"
        first, second = (script, hardway) if script_is_first else (hardway, script)
        done = machine.run(argv=["sh", "-ec", BESIDE.format(first=first, second=second)], timeout=300)
        said = machine.read(path="/run/second")
        assert done["out"].split() == ["75" if script_is_first else "1"], (done, machine.read(path="/run/first"), said)
        doing = "the script of hardway plan" if script_is_first else "hardway install"
        assert re.search(rf"in use by root@{name} since \S+Z: {doing} \(process [0-9]+\)", said), said

    for_each([True, False], beside)
