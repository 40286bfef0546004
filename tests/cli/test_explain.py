# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway explain, as somebody asks it; that everything has an entry is for tests/unit/test-explain-catalogue.c."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def test_without_a_cluster(hardway):
    result = hardway("explain", "--etcd-servers")
    assert result.out.startswith("kube-apiserver --etcd-servers: flag of kube-apiserver\n")
    for label in ("Why", "Without", "See", "By hand"):
        assert f"\n  {label} " in result.out
    assert "Here" not in result.out
    assert "endpoint" in hardway("explain", "endpoint.port").out
    assert "kube-scheduler" in hardway("explain").out


def test_flags_are_arguments_and_options_are_options(cluster):
    one = cluster("explain", "--advertise-address", "--node", "c1", "--json")
    entry, = json.loads(one.out)["entries"]
    assert entry["values"] == [{"where": ["c1"], "value": "10.77.0.21"}]
    again = cluster("explain", "--json", "--node=c1", "kube-apiserver", "--advertise-address")
    assert json.loads(again.out)["entries"] == [entry]
    assert cluster("explain", "-c", "hardway.yaml", "--node=c1", "--json", "--", "--advertise-address").out != ""
    # an abbreviation of an option is a flag, too: etcd's --name, the user's --v
    assert cluster("explain", "--name").out.startswith("etcd --name: ")
    assert "Usage: hardway explain" in cluster("explain", "--help").out


def test_values_in_this_cluster(cluster):
    with open(cluster.cluster, "a", encoding="utf-8") as f:
        f.write("extra-args:\n  kube-apiserver: { v: 2, audit-log-maxage: 7 }\n")
    assert "\n  Here      on c0, c1, c2: https://127.0.0.1:2379\n" in cluster("explain", "--etcd-servers").out
    assert "on c0, c1, c2: 2 (yours)" in cluster("explain", "--v").out
    assert "7 (yours, instead of hardway's)" in cluster("explain", "audit-log-maxage").out
    whole = cluster("explain", "kube-apiserver").out
    assert "    --v=2\n        (yours) " in whole
    assert "Not in this cluster." in cluster("explain", "--node-cidr-mask-size-ipv4").out


def test_a_sysctl_that_is_not_needed(cluster):
    """Who comes from a tutorial looks for it."""
    for word in ("ip_nonlocal_bind", "net.ipv4.ip_nonlocal_bind"):
        result = cluster("explain", word).out
        assert result.startswith("haproxy.cfg bind: line of haproxy.cfg, in frontend kubernetes\n"), result
        assert "no sysctl is needed" in " ".join(result.split()) and "IP_FREEBIND" in result


def test_one_word_for_several_things(cluster):
    result = cluster("explain", "--client-ca-file")
    assert result.out.startswith("'--client-ca-file' could be each of these")
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert f"\n{name} --client-ca-file " in result.out
    tree = json.loads(cluster("explain", "--json", "--client-ca-file").out)
    assert tree["ambiguous"] and len(tree["entries"]) == 3
    # its own name decides, and what else there is of that name is told
    result = cluster("explain", "haproxy")
    assert result.out.startswith("haproxy: component\n")
    assert "\n'haproxy' is also:\n" in result.out and "\npackage haproxy " in result.out
    # one name with several reasons: all of them
    result = cluster("explain", "ProtectSystem")
    assert result.out.count("ProtectSystem: unit setting\n") == 2
    assert "on haproxy.service, keepalived.service: strict" in result.out


def manual():
    """The page, without what is only there for scdoc."""
    path = os.path.join(os.path.dirname(__file__), "..", "..", "man", "hardway.1.scd")
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_a_directory_that_a_flag_opens(cluster):
    with cluster.cluster.open("a") as f:
        f.write("extra-args:\n  kube-apiserver: { audit-log-path: /mnt/ssd/audit/k.log, api-audiences: [one, two] }\n")
    text = cluster("explain", "ReadWritePaths").out
    assert "  Why       A flag of yours has it write there" in text and "\n  Without " in text
    assert "on kube-apiserver.service: /mnt/ssd/audit\n" in text
    assert "\n  Without " in cluster("explain", "RequiresMountsFor").out
    assert "\n  Without " in cluster("explain", "/mnt/ssd/audit").out
    both = cluster("explain", "--", "--api-audiences").out
    assert "one (yours)" in both and "two (yours)" in both


def test_files_beside_the_cluster_file(cluster):
    """All that the manual lists."""
    names = re.findall(r"_([^_]+)_(?=[,\n])", manual().split("# FILES")[1].split("# SEE ALSO")[0])
    assert len(names) > 10 and "hardway.lock" in names
    for name in names:
        assert "\n  Without " in cluster("explain", name).out, name
    assert cluster("explain", "hardway.yaml").out.startswith("hardway.yaml: beside the cluster file\n")


def test_names_of_the_store(cluster):
    """As the directory and pki list have them."""
    cluster("pki", "gen")
    for entry in json.loads(cluster("pki", "list", "--json").out)["entries"]:
        assert "\n  Why " in cluster("explain", entry["name"]).out
    for path in ("pki/nodes/c0/pki/apiserver.key", "pki/nodes/c0/pki/etcd/server.crt", "nodes/c2/scheduler.conf", "pki/etcd/ca.key",
                 "pki/ca.key", "sa.key", "admin.conf", "secrets/identity", "identity"):
        assert "\n  Why " in cluster("explain", path).out, path
    assert cluster("explain", "pki/nodes/c0/pki/apiserver.key").out.startswith("/etc/kubernetes/pki/apiserver.key: private key\n")


def test_findings(cluster):
    """All that the manual lists; a name that means something else, too, wants the word in front."""
    table = manual().split("These are the checks")[1].split("\n## ")[0]
    names = [name for row in re.findall(r"^\|  (.*)$", table, re.MULTILINE) for name in re.findall(r"\*([a-z-]+)\*", row)]
    assert len(names) > 25 and "disk-sync" in names
    for name in names:
        assert cluster("explain", "check", name).out.startswith(f"check {name}: what hardway check looks at\n"), name
        assert "hardway check" not in cluster("explain", "check", name).out.split("  By hand ")[1], name
    assert "  By hand   ssh 10.77.0.11 sudo ip route get 10.77.0.10 " in cluster("explain", "check", "vip-network").out
    assert cluster("explain", "memory").out.startswith("check memory: ")
    assert cluster("explain", "endpoint").out.startswith("hardway.yaml endpoint: ")
    assert "did you mean 'check memory'?" in cluster("explain", "check", "memroy", status=64).err


TOP = os.path.join(os.path.dirname(__file__), "..", "..")


def test_files_that_hardway_keeps_on_the_nodes(cluster):
    """All that some source or script of ours names."""
    found = set()
    for folder in os.listdir(TOP):
        path = os.path.join(TOP, folder)
        if not os.path.exists(os.path.join(path, "meson.build")) or folder in ("tests", "explain", "cli", "man", "lab", "bench"):
            continue
        for directory, _, names in os.walk(path):
            for name in names:
                with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as f:
                    text = re.sub(r'(?<!define )LB_RUN "/', '"/run/hardway/', f.read().replace("$S/", "var/lib/hardway/"))
                found |= set(re.findall(r"\b((?:var/lib|run)/hardway/[a-z][a-z.-]*[a-z])\b", text))
    assert {"var/lib/hardway/applied.json", "var/lib/hardway/staged", "run/hardway/run.lock", "run/hardway/handover"} <= found
    for path in sorted(found):
        assert cluster("explain", "/" + path).out.startswith(f"/{path}: "), path


def test_words(cluster):
    """What the manual and messages speak of, with what it comes to here."""
    ports = cluster("explain", "ports").out
    for line in ("2379/tcp, etcd", "2380/tcp, etcd", "2381/tcp, etcd", "6443/tcp, kube-apiserver", "6443/tcp, haproxy", "8405/tcp, haproxy",
                 "10257/tcp, kube-controller-manager", "10259/tcp, kube-scheduler", "22/tcp, sshd", "protocol 112, keepalived"):
        assert f"\n    {line}\n" in ports, ports
    assert "On c0, c1, c2. From c0, c1, c2, here: etcd's members among each other, and hardway's look" in " ".join(ports.split())
    assert "https://10.77.0.10:6443, held by one of lb0, lb1" in " ".join(cluster("explain", "VIP").out.split())
    assert "IS LEARNER" in cluster("explain", "learner").out and re.search(r"virtual router \d+, an advert", cluster("explain", "VRRP").out)
    forward = " ".join(cluster("explain", "ip_forward").out.split())
    assert "hardway does not set" in forward and "kubelet" in forward
    checks = cluster("explain", "checks").out
    assert "\n    disk-sync\n" in checks and "\n    vrrp-id\n" in checks
    words = cluster("explain").out.split("\nWords:\n")[1].split("\n\n")[0]
    assert re.findall(r"^  (\S+)", words, re.MULTILINE) == [
        "VIP", "quorum", "member", "learner", "VRRP", "drain", "edition", "load", "leader", "CA", "SAN", "rollout", "lock", "upgrade", "worker", "OIDC", "audit",
        "ports", "checks", "drills"]


@pytest.mark.parametrize("word, name", [
    ("CA", "CA"), ("certificate authority", "CA"), ("SAN", "SAN"), ("load balancer", "load balancer"), ("gate", "rollout"), ("lock", "lock"),
    ("leader", "leader"), ("upgrade", "upgrade"), ("kubelet", "worker"), ("CNI", "worker"), ("join", "worker"), ("worker", "worker"), ("oidc", "OIDC"), ("audit", "audit log"),
])
def test_words_of_beginners(cluster, word, name):
    text = cluster("explain", *word.split()).out
    assert text.startswith(f"{name}: word\n") and "\n  Here " in text
    subprocess.run(["bash", "-n"], input=text.split("\n  By hand   ")[1].encode(), check=True, timeout=60)


def test_drained_by_hand_as_by_hardway(hardway):
    """What haproxy is told: "maint" would cut off all that is under way."""
    out = hardway("explain", "drain").out
    assert re.search(r"set server apiservers/\S+ state drain; disable health checks/\S+'", out), out


@pytest.mark.parametrize("line, name", [
    ("    server c0 10.77.0.20:6443 track checks/c0", "haproxy.cfg server: line of haproxy.cfg"),
    ("ProtectSystem=strict", "ProtectSystem: unit setting"),
    ("        --etcd-servers=https://127.0.0.1:2379 \\", "kube-apiserver --etcd-servers: flag of kube-apiserver"),
    ("vrrp_instance kubernetes {", "keepalived.conf vrrp_instance: section of keepalived.conf"),
    ("                10.77.0.12", "keepalived.conf "),
    ("net.ipv4.ip_nonlocal_bind = 1", "haproxy.cfg bind: line of haproxy.cfg"),
])
def test_lines_as_they_stand_in_files(cluster, line, name):
    out = cluster("explain", "--", line).out
    assert out.startswith(name) and "\n  Why " in out


def test_ports_by_number(cluster):
    for words in ("6443", "2379/tcp", "port 10257"):
        assert cluster("explain", words).out.startswith("ports: word\n")


def test_unknown_words(cluster):
    assert "did you mean '--etcd-servers'?" in cluster("explain", "--ectd-servers", status=64).err
    assert "did you mean 'apiserver.crt'?" in cluster("explain", "apiserver.crd", status=64).err
    assert "see: hardway explain" in cluster("explain", "/etc/passwd", status=64).err
    assert cluster("explain", "x" * 100000, status=64).err


def test_a_command_has_steps(cluster):
    out = cluster("explain", "install").out
    assert "\n    1. plan\n" in out and "gate" in out and "--dry-run" not in out.split("Steps")[0]


def test_steps_of_reset(cluster):
    """In the order in which they come: refused before anybody is asked; and what can be done without goes."""
    out = " ".join(cluster("explain", "reset").out.split())
    names = re.findall(r" \d+\. (\w+) ", out)
    assert names == ["lock", "facts", "refuse", "ask", "drained", "removal"]
    assert "only what etcd's quorum can do without goes" in out and "nothing is done without --force" not in out


def verbs(hardway):
    return re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  ", hardway("--help").out, re.MULTILINE)


def addresses(text):
    return set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text))


def steps_of(cluster, *arguments):
    entry, = [one for one in json.loads(cluster("explain", "--json", *arguments).out)["entries"] if one["kind"] == "command of hardway"]
    return entry


def test_the_overview(hardway):
    """Every component and command with a word about it, and what else can be asked for, by examples that work."""
    out = hardway("explain").out
    for name in verbs(hardway) + ["etcd", "kube-apiserver", "keepalived"]:
        assert re.search(f"^  {name} +[A-Z]", out, re.MULTILINE), name
    examples = re.findall(r"^  hardway (explain .*)$", out, re.MULTILINE)
    assert len(examples) >= 4
    for example in examples:
        assert "\n  Why " in hardway(*example.split()).out
    assert hardway("explain", "renew").out.startswith("pki renew: command of hardway\n")
    assert hardway("explain", "restore").out.startswith("restore: command of hardway\n")


def test_a_binary_by_hand(cluster):
    """Where it comes from, and whether it is that."""
    def by_hand(name):
        return "\n".join(entry["by_hand"] for entry in json.loads(cluster("explain", "--json", name).out)["entries"])

    assert re.search(r"curl -LO https://dl.k8s.io/v[0-9.]+/bin/linux/[a-z0-9]+/kubectl\n.*sha256sum --check\n", by_hand("kubectl"))
    assert "SHA256SUMS" in by_hand("etcdutl") and "/etcdutl\n" in by_hand("etcdutl")


def test_every_command_by_hand(cluster):
    """Each has steps whose commands a shell takes, about this cluster's machines and no others."""
    ours = addresses(cluster.cluster.read_text()) | {"127.0.0.1"}
    names = verbs(cluster)
    assert {"install", "etcd restore", "pki rotate-sa", "explain"} <= set(names) and len(names) > 22, names
    for name in names:
        entry = steps_of(cluster, *name.split())
        steps = [part for part in entry["parts"] if re.match(r"\d+\. ", part["name"])]
        text = "\n".join([entry.get("by_hand", "")] + [step["by_hand"] for step in steps if "by_hand" in step])
        assert steps and text.strip(), name
        assert addresses(text) - {"10.96.0.1"} <= ours, (name, addresses(text) - ours)
        subprocess.run(["bash", "-n"], input=text.encode(), check=True, timeout=60)

# ssh has all words of a command pass a second shell: what needs its quotes there is torn. Nothing else is run.
TORN = r"""
ssh() {
        while [[ $1 == -* ]]; do if [[ $1 == -p ]]; then shift; fi; shift; done
        shift
        sent=("$@")
        (set -f; eval "got=($*)" && [[ "${got[*]@Q}" == "${sent[*]@Q}" ]]) 2>/dev/null || printf 'torn: %s\n' "$*" >&3
        printf 'sent\n' >&3
}
command_not_found_handle() { :; }
kill() { :; }
exec 3>&1 >/dev/null 2>&1
PATH=/nowhere
trap 'builtin kill $(jobs -p)' EXIT
"""


def what_ssh_sends(text, directory):
    """What became of the commands for nodes, in the order in which they are reached. What they write stays in a copy."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(directory, copy, dirs_exist_ok=True)
        run = subprocess.run(["bash"], input=(TORN + text).encode(), cwd=copy, capture_output=True, check=False, timeout=60)
    return run.stdout.decode().splitlines()


def entries_by_hand(cluster):
    """Of all that is done on nodes: commands, checks, drills, words, and what hardway keeps there."""
    overview = cluster("explain").out
    words = re.findall(r"^  (.+?)  ", overview.split("\nWords:\n")[1].split("\n\n")[0], re.MULTILINE)
    words += [f"{kind} {part['name']}" for kind in ("check", "drill")
              for part in json.loads(cluster("explain", "--json", kind + "s").out)["entries"][0]["parts"]]
    words += re.findall(r'\{ (?:LIB|RUN) "([^"]+)"', (SOURCE / "explain" / "node-files.c").read_text())
    for name in verbs(cluster):
        entry = steps_of(cluster, *name.split())
        yield name, "\n".join([entry.get("by_hand", "")] + [part.get("by_hand", "") for part in entry["parts"]])
    for word in words:
        found = json.loads(cluster("explain", "--json", word).out)["entries"]
        yield word, "\n".join(entry["by_hand"] for entry in found)


def test_by_hand_over_ssh(cluster):
    """A shell takes it, and so does the shell that ssh gives it to on the node: with the words as they were meant."""
    cluster("pki", "gen")
    (cluster.directory / "snapshots").mkdir()
    name, = re.findall(r"^cluster: (\S+)", cluster.cluster.read_text(), re.MULTILINE)
    (cluster.directory / "snapshots" / f"{name}.db").touch()
    n = 0
    for name, text in entries_by_hand(cluster):
        subprocess.run(["sh", "-n"], input=text.encode(), check=True, timeout=60)
        lines = what_ssh_sends(text, cluster.directory)
        assert not [line for line in lines if line.startswith("torn")], (name, lines)
        n += len(lines)
    assert n > 200, n
    torn = what_ssh_sends("ssh -p 22 pi@10.77.0.20 sudo grep -E ' (in)?active$' file\nssh 10.77.0.20 sudo grep 'a b' file\n", cluster.directory)
    assert len([line for line in torn if line.startswith("torn")]) == 2, torn


def keys_in(path):
    return re.findall(r'name: "?(\w+)"?\s+secret: "?([^"\s]+)"?', path.read_text())


def test_a_key_for_secrets_by_hand(cluster, tmp_path):
    """Twice: each step leaves the keys that hardway itself would render of the file, in their order; what was replaced is kept for a restore."""
    cluster("pki", "gen")
    parts = {part["name"].split(". ")[1]: part["by_hand"] for part in steps_of(cluster, "pki", "rotate-key")["parts"] if ". " in part["name"]}
    secret = cluster.directory / "secrets" / "encryption-key"
    for n, wanted in ((1, ["key1 key2", "key2 key1", "key2"]), (2, ["key2 key3", "key3 key2", "key3"])):
        for step, names in zip(["begin", "trust", "reissue", "finish"], ["", *wanted]):
            here = "\n".join(line for line in parts[step].splitlines() if "ssh " not in line and "hardway verify" not in line)
            subprocess.run(["sh", "-eu"], input=here.encode(), cwd=cluster.directory, check=True, timeout=60)
            if names:
                shown = tmp_path / f"{n}-{step}"
                cluster("plan", "--output", str(shown), "--secrets")
                keys = keys_in(cluster.directory / "encryption-config.yaml")
                assert " ".join(name for name, _ in keys) == names
                assert keys == keys_in(shown / "c0/etc/kubernetes/encryption-config.yaml")
                assert (cluster.directory / "encryption-config.yaml").stat().st_mode & 0o77 == secret.stat().st_mode & 0o77 == 0
        subprocess.run(["sh", "-eu"], input=parts["retire"].replace("%SZ", f"0{n}Z").encode(), cwd=cluster.directory, check=True, timeout=60)
    kept = sorted((cluster.directory / "pki" / "retired").iterdir())
    assert [path.name.startswith("encryption-key-2") for path in kept] == [True, True]
    # and the file by itself, of several lines
    secret.write_text("12 AAAA\nBBBB\n")
    text = json.loads(cluster("explain", "--json", "/etc/kubernetes/encryption-config.yaml").out)["entries"][0]["by_hand"]
    here = text[:text.index("EOF\n", text.index("\n")) + 4]
    subprocess.run(["sh", "-eu"], input=here.encode(), cwd=cluster.directory, check=True, timeout=60)
    assert keys_in(cluster.directory / "encryption-config.yaml") == [("key12", "AAAA"), ("key1", "BBBB")]


def test_the_token_by_hand(cluster, tmp_path):
    """The id beside it is the one that etcd makes of token and addresses, see etcd_id_of()."""
    text = next(part["by_hand"] for part in steps_of(cluster, "etcd", "restore")["parts"] if part["name"].endswith(". commit"))
    (tmp_path / "secrets").mkdir()
    token = "00112233445566778899aabbccddeeff"
    subprocess.run(["sh", "-eu"], input=f"TOKEN={token}\n{text}".encode(), cwd=tmp_path, check=True, timeout=60)
    ids = sorted(hashlib.sha1(f"https://10.77.0.{20 + i}:2380{token}".encode()).digest()[:8] for i in range(3))
    wanted = hashlib.sha1(b"".join(ids)).hexdigest()[:16]
    assert (tmp_path / "secrets" / "etcd-token").read_text() == f"{token}\n{wanted}\n"
    assert not (tmp_path / "ids").exists()


def test_a_restore_by_hand(cluster):
    """In the order in which they come, with the names and addresses of the members."""
    entry = steps_of(cluster, "etcd", "restore")
    names = [part["name"].split(". ")[1] for part in entry["parts"] if ". " in part["name"]]
    assert names == ["examine", "lock", "look", "ask", "take", "etcd's programs", "looked at", "control plane stopped", "snapshot",
                     "unpacked", "commit", "data swapped", "start", "serve", "started again", "clean"]
    text = cluster("explain", "etcd", "restore").out
    members = "c0=https://10.77.0.20:2380,c1=https://10.77.0.21:2380,c2=https://10.77.0.22:2380"
    line, = re.findall(r"^ +(.*snapshot restore .*--name=c1 .*)$", text, re.MULTILINE)
    assert re.match(r"(ssh .*10\.77\.0\.21|sudo)", line) and f" --initial-cluster={members} " in line
    assert " --initial-advertise-peer-urls=https://10.77.0.21:2380 " in line and "--bump-revision=1000000000 --mark-compacted" in line
    assert text.count("disable --now") == 3 and "lb0" not in text.split("unpacked")[1]


def test_the_node_that_is_meant(cluster):
    text = " ".join(part.get("by_hand", "") for part in steps_of(cluster, "--node", "c1", "etcd", "replace")["parts"])
    assert "member add c1 --learner --peer-urls=https://10.77.0.21:2380" in text
    assert "set server apiservers/c1 state drain" in text and "apiservers/c0" not in text


def test_a_broken_cluster_file_is_said(cluster):
    cluster.cluster.write_text("cluster: [\n")
    cluster("explain", "etcd", status=65)
    cluster("explain", "-c", "nowhere.yaml", "etcd", status=65)


def test_no_secret_is_shown(cluster):
    cluster("pki", "gen")
    key = (cluster.directory / "secrets" / "encryption-key").read_text().strip()
    for word in ("/etc/kubernetes/encryption-config.yaml", "sa.key", "secrets/encryption-key", "scheduler.conf", "ca.key"):
        for out in (cluster("explain", word).out, cluster("explain", "--json", word).out):
            assert key not in out and "PRIVATE" not in out


def run_by_hand(text, directory, path):
    """What stands at By hand, as copied from the terminal; what would be installed lands in the directory."""
    commands = "install() { while [ $# -gt 2 ]; do shift; done; cat \"$1\" >made; }\nsystemctl() { :; }\n" + text
    subprocess.run(["sh", "-eu"], input=commands.encode(), cwd=directory, check=True, timeout=60)
    return (directory / "made").read_text()


@pytest.mark.parametrize("path", [
    "etc/kubernetes/encryption-config.yaml", "etc/kubernetes/audit-policy.yaml", "etc/kubernetes/authentication-config.yaml",
    "etc/systemd/system/etcd.service", "var/lib/hardway/etcd-identity",
])
def test_files_by_hand(cluster, path):
    """Copied from the terminal, the commands make the file that the node is given, the key of secrets where it belongs."""
    cluster("pki", "gen")
    cluster("plan", "--output=tree", "--secrets")
    text = cluster("explain", "--node=c0", "/" + path).out.split("\n  By hand   ")[1].split("\n\n  Settings")[0]
    assert run_by_hand(text, cluster.directory, path) == (cluster.directory / "tree" / "c0" / path).read_text()


def test_a_copy_of_the_store_by_hand(cluster):
    cluster("pki", "gen")
    assert "# kube-ca.crt: of the cluster directory, pki/ca.crt\n" in cluster("explain", "/etc/haproxy/kube-ca.crt").out


def test_the_nodes_files_by_hand(cluster):
    """The step that matters, up to the node: what it is sent is what the script wants."""
    cluster("pki", "gen")
    text = next(part["by_hand"] for part in steps_of(cluster, "install")["parts"] if part["name"].endswith(". put"))
    for node in ("c0", "lb1"):
        assert f" --script --node {node} >tree/{node}.sh" in text
        assert re.search(rf"^tar -c -C tree {node} {node}.sh \| \S.* tar -x -C /root$", text, re.MULTILINE)
        assert re.search(rf"^\S.* sh /root/{node}.sh --secrets /root/{node}$", text, re.MULTILINE)
    cluster("plan", "--output", "tree", "--secrets")
    assert (cluster.directory / "tree/c0/etc/kubernetes/pki/apiserver.key").exists()


@pytest.mark.parametrize("name", ["apiserver.crt", "etcd/peer.crt", "admin.conf", "front-proxy-client.crt"])
def test_certificates_by_hand(cluster, tmp_path, name):
    """The command for a certificate makes one that its CA vouches for, with the names hardway gives it."""
    entry, = json.loads(cluster("explain", "--json", "--node=c0", name).out)["entries"]
    command = next(line for line in entry["by_hand"].splitlines() if line.startswith("openssl req"))
    words = command.split()
    ca = words[words.index("-CA") + 1]
    (tmp_path / ca).parent.mkdir(exist_ok=True)
    authority, = json.loads(cluster("explain", "--json", "/etc/kubernetes/pki/" + ca).out)["entries"]
    folder = (tmp_path / ca).parent
    subprocess.run(authority["by_hand"], shell=True, cwd=folder, check=True, capture_output=True, timeout=60)
    subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    made = words[words.index("-out") + 1]
    subprocess.run(["openssl", "verify", "-CAfile", ca, made], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    text = subprocess.run(["openssl", "x509", "-in", made, "-noout", "-ext", "basicConstraints"], cwd=tmp_path, check=True,
                          capture_output=True, text=True, timeout=60).stdout
    assert "CA:FALSE" in text and "CA:TRUE" not in text
    if name == "apiserver.crt":
        text = subprocess.run(["openssl", "x509", "-in", made, "-noout", "-ext", "subjectAltName"], cwd=tmp_path, check=True,
                              capture_output=True, text=True, timeout=60).stdout
        assert "DNS:kubernetes.default.svc.cluster.local" in text and "IP Address:10.77.0.10" in text


def test_a_store_begun_by_hand(cluster):
    """The step as it stands, from the terminal: hardway takes over what it makes, and makes the rest."""
    text = cluster("explain", "pki", "gen").out.split("\n    2. make\n")[1].split("\n    3. publish\n")[0]
    commands = text.split("\n" + " " * 10, 1)[1]
    assert commands.startswith("mkdir "), text
    subprocess.run(["bash", "-eu"], input=commands.encode(), cwd=cluster.directory, check=True, capture_output=True, timeout=60)
    by_hand = {path: path.read_bytes() for folder in ("pki", "secrets") for path in (cluster.directory / folder).rglob("*") if path.is_file()}
    assert len(by_hand) == 3 * 2 + 2 + 2 + 3 * 2, sorted(by_hand)
    cluster("pki", "gen")
    assert {path: path.read_bytes() for path in by_hand} == by_hand
    cluster("plan", "--output=tree")
    assert cluster("pki", "check", "--no-nodes").status == 0


def test_a_store_begun_without_all_authorities(cluster):
    """Nothing of it need be on a node: then there is another way than a backup."""
    cluster("pki", "gen")
    for name in ("front-proxy-ca.crt", "front-proxy-ca.key"):
        (cluster.directory / "pki" / name).unlink()
    refused = cluster("pki", "gen", status=65)
    assert "restore it from a backup" in refused.err and "If no node has any of it yet" in refused.err


def test_where_a_certificate_is_made(cluster):
    """Commands name files without a directory."""
    assert "# in pki/ of the cluster directory; what it makes goes there to: nodes/c0/pki/etcd/server.crt, nodes/c0/pki/etcd/server.key\n" in (
        cluster("explain", "etcd/server.crt").out)
    assert "# in pki/etcd of the cluster directory\n" in cluster("explain", "pki/etcd/ca.crt").out
    assert "# in pki/ of the cluster directory\n" in cluster("explain", "sa.pub").out
    assert "# in secrets/ of the cluster directory\n" in cluster("explain", "secrets/identity").out


def test_width_and_colour(cluster):
    out = cluster("explain", "--etcd-servers").out
    assert "\033" not in out
    assert all(len(line) <= 80 for line in out.splitlines() if "http" not in line and "systemctl" not in line)
    assert "\033[1m" in cluster("--color=always", "explain", "--etcd-servers").out
