# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each command writes on the driving machine: killed at any of these calls, or refused by the disk, it says what went wrong and with which
file; what was there is old or new, never half, and no secret is readable for others; and the same command again completes it, without anything
left over."""
import re
import typing

import pytest

from world import CLUSTER, choose

# errno, what it is called
TROUBLES = {"ENOSPC": "the disk is full|[Nn]o space", "EROFS": "[Rr]ead-only", "EACCES": "denied", "kill": ""}
ONE_NODE = re.sub(r"  - \{ name: lb0.*\n", "", CLUSTER)
C = ("-c", "one/hardway.yaml")
PASSPHRASE = ("--passphrase-file", "passphrase")
INIT = ("init", "-c", "new/hardway.yaml", "--arch", "amd64", "--controller", "c0=10.77.0.20", "--vip", "10.77.0.10", "--local", "c0")


class Verb(typing.NamedTuple):
    """A command, and what it finds."""

    words: tuple
    prepare: str = ""  # in the directory /cluster of a machine that is installed as that of one/hardway.yaml says
    exact: bool = True  # it writes the same each time
    once: bool = False  # it replaces nothing: what is complete stays so
    shows: str = ""  # what else has to go well at any time: that nothing is half written
    into: str = ""  # where standard output goes
    replaces: str = "$."  # what it may take away, and put something else in its place
    n_points: int = 4  # for each trouble


VERBS = {
    "init": Verb(INIT, once=True),
    "init beside a .gitignore": Verb(INIT, "mkdir new; echo mine >new/.gitignore", once=True),
    "pki gen": Verb(("pki", "gen", *C), "rm -r one/pki one/secrets one/*.conf", exact=False),
    "pki gen of some": Verb(("pki", "gen", *C), "rm -r one/pki/nodes one/*.conf", exact=False),
    "pki renew": Verb(("pki", "renew", "apiserver", "etcd/server", *C), exact=False, shows="hardway pki list -c one/hardway.yaml"),
    "pki rotate-ca": Verb(("pki", "rotate-ca", "front-proxy", "--yes", *C), exact=False, shows="hardway pki list -c one/hardway.yaml",
                          replaces="/cluster/one/pki/rotation/.*"),
    "pki rotate-sa": Verb(("pki", "rotate-sa", "--yes", *C), exact=False, shows="hardway pki list -c one/hardway.yaml"),
    "pki rotate-key": Verb(("pki", "rotate-key", "--until", "reissue", *C), exact=False,
                                      shows="hardway pki list -c one/hardway.yaml", n_points=2),
    "backup": Verb(("backup", *PASSPHRASE, "--force", "one/all.backup", *C), "hardway backup --passphrase-file passphrase one/all.backup"
                   " -c one/hardway.yaml; rm one/admin.conf", exact=False,
                   shows="hardway restore --dry-run --directory /nowhere --passphrase-file passphrase one/all.backup", n_points=2),
    "restore": Verb(("restore", *PASSPHRASE, "--directory", "new", "all.backup"),
                    "hardway backup --passphrase-file passphrase all.backup -c one/hardway.yaml", n_points=2),
    "fetch --from": Verb(("fetch", "--from", "all.bundle", "--accept-mirror", *C), "hardway fetch --bundle all.bundle -c one/hardway.yaml;"
                         " rm -r one/hardway.lock /cache/hardway", replaces="/cache/hardway/.*"),
    "fetch --bundle": Verb(("fetch", "--bundle", "all.bundle", *C), "echo older >all.bundle"),
    "install": Verb(("install", "--ignore", "ports-free", *C),
                    "echo 'extra-args: { etcd: { snapshot-count: 9000 } }' >>one/hardway.yaml", replaces="/etc/.*|/var/lib/hardway/.*"),
    "kubeconfig --output": Verb(("kubeconfig", "--output", "new/config", *C), once=True),
    "kubeconfig --force": Verb(("kubeconfig", "--output", "config", "--force", *C), "echo older >config; chmod 600 config"),
    "plan --output": Verb(("plan", "--output", "new", "--secrets", *C)),
    "plan --output again": Verb(("plan", "--output", "new", *C), "hardway plan --output new --secrets -c one/hardway.yaml;"
                                " echo 'extra-args: { etcd: { snapshot-count: 9000 } }' >>one/hardway.yaml"),
    "plan --script": Verb(("plan", "--offline", "--script", "--node", "c0", *C), into="script"),
    "etcd snapshot": Verb(("etcd", "snapshot", *C), exact=False),
    "etcd snapshot FILE": Verb(("etcd", "snapshot", "--force", "one.db", *C), "echo older >one.db"),
}


def arrange(machine, name):
    verb = VERBS[name]
    if "one" not in machine.kept:
        machine.fresh()
        machine.run(argv=["sh", "-c", "mkdir one && cp hardway.lock one && echo correct horse battery staple >passphrase"])
        machine.write(path="/cluster/one/hardway.yaml", text=ONE_NODE)
        machine.hardway("pki", "gen", *C)
        machine.hardway("install", "--ignore", "ports-free", *C)
        machine.keep(name="one")
        machine.kept.add("one")
    if verb.prepare and name not in machine.kept:
        machine.fresh(kept="one")
        done = machine.run(argv=["sh", "-ec", verb.prepare])
        assert done["status"] == 0, done
        machine.keep(name=name)
        machine.kept.add(name)
    machine.fresh(kept=name if verb.prepare else "one")


def state(machine):
    return machine.files(paths=["/cluster", "/cache"])


def go(machine, verb, *strike):
    line = ["hardway", *verb.words]
    if strike:
        line = ["faults", "/run/faults.log", *map(str, strike), *line]
    if verb.into:
        line = ["sh", "-c", f'exec "$@" >{verb.into}', "sh", *line]
    done = machine.run(argv=line)
    if strike:
        done["calls"] = machine.read(path="/run/faults.log").splitlines()
    return done


def names_path(done, call):
    """The error names the file, or its directory."""
    path = re.sub(r"/\.#([^/]*)\.[0-9a-f]{8}$", r"/\1", call.rsplit(" ", 1)[1]).removesuffix(".part").removeprefix("/cluster/")
    if path == "script" and "standard output" in done["err"]:
        return True
    folder = path.rpartition("/")[0]
    path = re.sub(r".*/\.[a-z0-9]+\.part/", "", path)
    tail = "/".join(path.split("/")[-2:])  # what is below a tree is named so
    return path in done["err"] or (folder and folder in done["err"]) or tail in done["err"]


def is_passing(path):
    return re.search(r"/\.#[^/]*\.[0-9a-f]{8}(/|$)|\.part(/|$)|/pki/\.", path)


def judge_struck(verb, before, after, found):
    """Old or new, never half."""
    for path, what in before.items():
        if path not in after:
            continue
        assert path in found, f"{path} is gone"
    for path, what in found.items():
        if what[0].startswith("0o4") or path.endswith("/.hardway-busy") or what == before.get(path):
            continue
        if path in after and (what[3] == after[path][3] or path.endswith("/secrets/backup") or not verb.exact and before.get(path) != after[path]):
            continue
        assert is_passing(path) or re.fullmatch(verb.replaces, path) or path == f"/cluster/{verb.into}", f"{path}: {what}"


def is_of_no_use(path):
    """A certificate without its key, which the next renewal sweeps away; see pki/store-renew.c."""
    return "/pki/.previous" in path and not path.endswith((".key", ".conf"))


def judge_complete(verb, before, after, found):
    def look(files):
        return {path: what[:3] + ([what[3]] if is_known(path) else []) for path, what in files.items()
                if not path.endswith("/.hardway-busy") and not is_of_no_use(path)}

    def is_known(path):
        return not path.endswith("/secrets/backup") and (verb.exact or path in before and before[path] == after.get(path))

    def plain(files):  # the usual name of a snapshot has the time in it, and that of a retired key
        return {re.sub(r"-[0-9]{4}-[0-9TZ.-]+\.(db|crt|key)$", r"-TIME.\1", path): what for path, what in look(files).items()}

    found, after = plain(found), plain(after)
    assert found == after, {path: (found.get(path), after.get(path)) for path in set(found) | set(after)
                            if found.get(path) != after.get(path)}


OPEN = "find /cluster -type f -perm /077 -exec grep -lE 'PRIVATE KEY|client-key-data|secret: ' {} + || :"


@pytest.mark.parametrize("name", VERBS)
def test_driving_side(for_each, name):
    verb, seen = VERBS[name], {}

    def look(machine):
        """Undisturbed: each machine has keys of its own."""
        if machine not in seen:
            arrange(machine, name)
            before = state(machine)
            struck = go(machine, verb, -1, "driver", "kill")
            assert struck["status"] == 0, struck
            seen[machine] = {"before": before, "after": state(machine), "calls": struck["calls"]}
        return seen[machine]

    def count(machine, _):
        kept.update(look(machine))

    def meet(machine, what):
        trouble, at, call = what
        before, after = look(machine)["before"], look(machine)["after"]
        arrange(machine, name)
        struck = go(machine, verb, at, "driver", trouble)
        found, open_files = state(machine), machine.run(argv=["sh", "-c", OPEN])["out"]
        story = f"{what}: {struck['status']}\n{struck['out']}\n{struck['err']}"
        print(story)
        assert not open_files or open_files == "/cluster/script\n", f"{story}\n{open_files}"
        if trouble != "kill" and struck["status"] != 0:
            assert re.search(f"^hardway: .*({TROUBLES[trouble]})", struck["err"], re.M) and names_path(struck, call), story
        try:
            judge_struck(verb, before, after, found)
            if verb.shows:
                done = machine.run(argv=["sh", "-c", verb.shows])
                assert done["status"] == 0, done
            done = go(machine, verb)
            if verb.once and done["status"] == 73:  # it was complete already
                judge_complete(verb, before, after, found)
            else:
                assert done["status"] == 0, done
            judge_complete(verb, before, after, state(machine))
        except AssertionError as error:
            raise AssertionError(f"{story}\n{error}") from error

    kept = {}
    for_each([name], count)
    strikes = []
    for trouble in TROUBLES:
        calls = [call for call in kept["calls"] if trouble == "kill" or f"{trouble}," in call.split(" ")[3]]
        strikes += [(trouble, at, calls[at]) for at in choose(len(calls), verb.n_points)]
    for_each(strikes, meet)
