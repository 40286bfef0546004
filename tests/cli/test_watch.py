# SPDX-License-Identifier: LGPL-2.1-or-later
"""The script that looks after a node: real certificates, and programs that answer as told. Under each shell that may be /bin/sh there."""
import os
import re
import subprocess
import time

import pytest

from node_shell import SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SCRIPT = os.path.join(TOP, "watch", "scripts", "watch.sh")
DAY = 86400


class Node:
    def __init__(self, directory, shell):
        self.directory, self.shell = directory, shell
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.program("systemctl", 'case "$*" in *Result*) echo success; exit ;; esac; for u; do :; done; case $u in bad.service) echo failed ;; *) echo active ;; esac')
        self.lines = []

    def program(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def look(self, now=None):
        """Returns what was printed, by priority."""
        config = self.directory / "watch.conf"
        config.write_text("# a comment\n" + "".join(line + "\n" for line in self.lines))
        if now:
            self.program("date", f'[ "$*" = +%s ] && echo {int(now)} || exec /bin/date "$@"')
        done = subprocess.run([*self.shell, SCRIPT, str(config), str(self.directory / "state")], capture_output=True, text=True,
                              env={"PATH": f"{self.bin}:{os.environ['PATH']}"}, timeout=60, check=False)
        assert done.returncode == 0 and done.stderr == "", done
        state = (self.directory / "state").read_text().splitlines()
        assert re.fullmatch(r"\d+", state[0]) and state[1:] == done.stdout.splitlines()
        assert (self.directory / "state").stat().st_mode & 0o777 == 0o644
        return [(int(line[1]), line[3:]) for line in done.stdout.splitlines()]


@pytest.fixture(name="node", params=SHELLS_HERE, ids=lambda shell: shell[0])
def node_fixture(request, tmp_path):
    return Node(tmp_path, request.param)


def expiry(path):
    text = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-enddate"], capture_output=True, text=True, check=True).stdout
    return int(subprocess.run(["date", "-u", "-d", text.split("=")[1].strip(), "+%s"], capture_output=True, text=True, check=True).stdout)


def test_all_is_well(node, cluster):
    cluster("pki", "gen")
    pki = cluster.directory / "pki"
    paths = [pki / "ca.crt", pki / "nodes/c0/pki/apiserver.crt", pki / "nodes/c0/scheduler.conf"]
    etcdctl = node.program("etcdctl", f'echo "$@" >>{node.directory}/asked; echo "is healthy"')
    kubectl = node.program("kubectl", f'echo "$@" >>{node.directory}/asked; echo ok')
    node.lines = [*(f"certificate {path}" for path in paths), "unit good.service", f"etcd {etcdctl} /pki/etcd",
                  "member c0 https://10.77.0.20:2379", "member c1 https://10.77.0.21:2379",
                  f"apiserver {kubectl} /etc/scheduler.conf https://10.77.0.20:6443", f"endpoint {kubectl} /etc/scheduler.conf https://10.77.0.10:6443"]
    found = node.look()
    assert [row[0] for row in found] == [6], found
    # 364 once a second has passed
    assert re.fullmatch(r"3 certificates, the first expires in 36[45] days; 1 unit; 2 of 2 etcd members healthy, the apiserver is "
                        r"ready, the endpoint answers; 0 problems", found[0][1])
    asked = (node.directory / "asked").read_text()
    assert "--endpoints=https://10.77.0.21:2379 --cacert=/pki/etcd/ca.crt --cert=/pki/etcd/healthcheck-client.crt" in asked
    for address in ("10.77.0.20", "10.77.0.10"):
        assert re.search(rf"--kubeconfig=/etc/scheduler.conf --server=https://{address}:6443 .*get --raw=/readyz", asked)


def test_certificates_that_expire(node, cluster):
    cluster("pki", "gen")
    pki = cluster.directory / "pki"
    certificate, kubeconfig = pki / "nodes/c0/pki/apiserver.crt", pki / "nodes/c0/scheduler.conf"
    node.lines = [f"certificate {certificate}", f"certificate {kubeconfig}", f"certificate {pki / 'ca.crt'}"]
    end = expiry(certificate)
    for days, priority, words in [(31.5, 6, None), (29.5, 4, "expires in 29 days"), (6.5, 3, "expires in 6 days"), (-1, 2, "has expired")]:
        found = node.look(end - days * DAY)
        if words is None:
            assert [row[0] for row in found] == [6], found
            continue
        # the kubeconfig was made in the same second, or in the next
        assert [row[0] for row in found] == [priority, priority, 6], found
        assert found[0][1].startswith(f"{certificate} {words}") and "hardway pki gen" in found[0][1]
        assert found[1][1].startswith(f"{kubeconfig} {words}")
        assert found[2][1].endswith("2 problems")
    # of certificates that are made for a month only, a third of the life, and not all of it, is a warning; a tenth an error
    short = node.directory / "short.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "25", "-subj", "/CN=x",
                    "-keyout", os.devnull, "-out", str(short)], capture_output=True, check=True)
    node.lines = [f"certificate {short}"]
    for days, priorities in [(24.5, [6]), (8.5, [6]), (8.1, [4, 6]), (2.6, [4, 6]), (1.5, [3, 6])]:
        found = node.look(expiry(short) - days * DAY)
        assert [row[0] for row in found] == priorities, (days, found)
    assert "expires in 1 day: " in found[0][1] and found[1][1].endswith("; 1 problem")
    # years beyond 2049 are written in another way
    far = node.directory / "far.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "20000", "-subj", "/CN=x",
                    "-keyout", os.devnull, "-out", str(far)], capture_output=True, check=True)
    node.lines = [f"certificate {far}"]
    assert [row[0] for row in node.look(expiry(far) - 29.5 * DAY)] == [4, 6]


def test_chains(node):
    """What an authority above has certified ends with it: an intermediate one's certificate stands behind the server's, or a root's."""
    def make(name, days):
        path = node.directory / name
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj",
                        f"/CN={name}", "-keyout", os.devnull, "-out", str(path)], capture_output=True, check=True)
        return path

    leaf, above, root = make("leaf", 365), make("above", 100), make("root", 3650)
    chain, own, odd = (node.directory / name for name in ("chain.crt", "own.crt", "odd.crt"))
    chain.write_text(leaf.read_text() + "a remark\n" + above.read_text() + root.read_text().rstrip("\n"))
    own.write_text(make("short", 90).read_text() + above.read_text())
    odd.write_text(leaf.read_text() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    node.lines = [f"certificate {chain}", f"textfile {node.directory}"]
    assert [row[0] for row in node.look(expiry(above) - 30.5 * DAY)] == [6]
    for left, priority, words in ((29.5, 4, "expires in 29 days"), (6.5, 3, "expires in 6 days"), (-1, 2, "has expired")):
        found = node.look(expiry(above) - left * DAY)
        assert [row[0] for row in found] == [priority, 6]
        assert found[0][1] == f"an authority's certificate behind the first one in {chain} {words}: hardway pki import-ca takes its successor"
    assert f'hardway_certificate_not_after_seconds{{path="{chain}"}} {expiry(above)}\n' in (node.directory / "hardway.prom").read_text()
    node.lines = [f"certificate {own}", f"certificate {odd}"]
    found = node.look(expiry(own) - 20.5 * DAY)
    assert found[0][1].startswith(f"{own} expires in 20 days") and "hardway pki gen" in found[0][1]
    assert found[1][1].startswith(f"{odd} has no certificate in it that can be read")
    # an authority's own is not renewed, but replaced
    own.rename(node.directory / "kube-ca.crt")
    node.lines = [f"certificate {node.directory}/kube-ca.crt"]
    assert "days: replace it on the machine that drives hardway: hardway pki rotate-ca" in node.look(expiry(node.directory / "kube-ca.crt") - 20.5 * DAY)[0][1]


def test_files_that_are_no_certificates(node):
    (node.directory / "empty.crt").write_text("")
    (node.directory / "odd.crt").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (node.directory / "odd.conf").write_text("users:\n- user:\n    client-certificate-data: !!!\n")
    node.lines = [f"certificate {node.directory}/{name}" for name in ("gone.crt", "empty.crt", "odd.crt", "odd.conf")]
    found = node.look()
    assert [row[0] for row in found] == [3, 3, 3, 3, 6], found
    assert "gone.crt is gone" in found[0][1] and all("no certificate" in row[1] for row in found[1:4])
    assert found[4][1].startswith("4 certificates, the first expires in no days")


def test_what_is_ill(node):
    etcdctl = node.program("etcdctl", 'case $1 in *10.77.0.21*) echo "{json}"; echo "https://10.77.0.21:2379 is unhealthy: failed to '
                           'commit proposal: context deadline exceeded" >&2; echo "Error: unhealthy cluster" >&2; exit 1 ;; esac; echo healthy')
    kubectl = node.program("kubectl", 'case $2 in *10.77.0.10*) exit 1 ;; esac; echo "[+]ping ok"; '
                           'echo "Error from server: [-]etcd failed" >&2; exit 1')
    node.lines = ["unit good.service", "unit bad.service", f"etcd {etcdctl} /pki/etcd", "member c0 https://10.77.0.20:2379",
                  "member c1 https://10.77.0.21:2379", f"apiserver {kubectl} /etc/scheduler.conf https://10.77.0.20:6443",
                  f"endpoint {kubectl} /etc/scheduler.conf https://10.77.0.10:6443"]
    found = node.look()
    assert [row[0] for row in found] == [3, 3, 3, 3, 6]
    assert found[0][1] == "bad.service is failed: journalctl -u bad.service says why"
    assert found[1][1] == ("etcd member c1 (https://10.77.0.21:2379) is not healthy: failed to commit proposal: context deadline exceeded")
    assert "the apiserver on this node is not ready: Error from server: [-]etcd failed" in found[2][1]
    assert found[3][1].startswith("https://10.77.0.10:6443 leads to no apiserver that is ready: no answer: ")
    assert "1 of 2 etcd members healthy, the apiserver is not, the endpoint does not answer; 4 problems" in found[4][1]


def test_load_balancer(node):
    state = node.directory / "keepalived.state"
    node.lines = [f"vrrp {state}"]
    metrics = node.directory / "metrics"
    metrics.mkdir()
    for text, problem, summary in (
            ("MASTER 1790000000\n12 34\n", None, "is in state MASTER; 0"), ("BACKUP 1790000000\n12 34\n", None, "is in state BACKUP; 0"),
            ("FAULT 1790000000\n12 34\n", "keepalived stands back (FAULT): ", "is in state FAULT; 1"),
            ("", "keepalived has not found its place", "is in state unknown; 1"), ("STOP 1\n", "keepalived has not found its place", "is in state STOP; 1"),
            # its user may write what it likes there
            ("MASTER\x1b[2J 17\n<2>all is lost\n", "keepalived has not found its place", "is in state unknown; 1")):
        state.write_text(text)
        found = node.look()
        assert [row[0] for row in found] == ([3, 6] if problem else [6]) and f"keepalived {summary} problem" in found[-1][1], found
        assert not problem or found[0][1].startswith(problem)
        assert "\x1b" not in str(found) and "lost" not in str(found)
    state.unlink()
    os.mkfifo(state)
    assert node.look()[0][0] == 3
    state.unlink()
    state.write_text("FAULT 1790000000\n12 34\n")
    node.lines.append(f"textfile {metrics}")
    node.look()
    lines = (metrics / "hardway.prom").read_text().splitlines()
    assert 'hardway_vrrp_state{state="FAULT"} 1' in lines and 'hardway_vrrp_state{state="MASTER"} 0' in lines


def test_snapshots(node):
    directory, timer, now = node.directory / "snapshots", node.directory / "x.timer", int(time.time())
    directory.mkdir()
    timer.write_text("")
    node.program("systemctl", f"cat {node.directory}/result")
    node.lines = [f"snapshots {directory} etcd-snapshot.service {timer} 46800"]
    last = '{"file":"2026-11-25T120000Z.db","time":%d,"size":2000,"status":{"hash":1,"revision":77,"totalKey":3,"totalSize":9,"version":"3.6.0"}}\n'
    hour = 3600
    for result, taken, since, expected in (
            ("success", None, now - 12 * hour, []),
            ("success", None, now - 14 * hour, [(4, "there was no snapshot of etcd for 14 hours")]),
            ("success", now - 12 * hour, now - 99 * hour, []),
            ("success", now - 15 * hour, now - 99 * hour, [(4, "there was no snapshot of etcd for 15 hours")]),
            ("exit-code", now - 2 * hour, now - 99 * hour, [(3, "the last snapshot of etcd failed (exit-code)")]),
            ("timeout", now - 15 * hour, now - 99 * hour, [(3, "the last snapshot of etcd failed (timeout)"), (4, "there was no snapshot")])):
        (node.directory / "result").write_text(result + "\n")
        (directory / "last").unlink(missing_ok=True)
        if taken:
            (directory / "last").write_text(last % taken)
        os.utime(timer, (since, since))
        found = node.look(now)
        assert [row[0] for row in found] == [*(priority for priority, _ in expected), 6], found
        for row, (_, words) in zip(found, expected):
            assert row[1].startswith(words) and "journalctl -u etcd-snapshot.service" in row[1]
        assert (f", the last snapshot of etcd is {(now - taken) // hour} hours old" in found[-1][1]) if taken else ("of etcd" not in found[-1][1])
    # what is in the file is not ours to believe
    (directory / "last").write_text('{"file":"x","time":99999999999999999999,"size":1}\n')
    assert "no snapshot of etcd" in node.look(now)[1][1]
    # nor does it have to be a file: nobody ever writes to this one, and root would read any file by a link
    (directory / "last").unlink()
    os.mkfifo(directory / "last")
    assert "no snapshot of etcd" in node.look(now)[1][1]
    (directory / "last").unlink()
    (node.directory / "elsewhere").write_text(last % now)
    (directory / "last").symlink_to(node.directory / "elsewhere")
    assert "no snapshot of etcd" in node.look(now)[1][1]


def test_metrics(node, cluster):
    cluster("pki", "gen")
    certificate = cluster.directory / "pki" / "ca.crt"
    metrics = node.directory / "metrics"
    node.lines = [f"certificate {certificate}", "unit good.service", "unit bad.service",
                  f"snapshots {node.directory} good.service {certificate} 46800", f"textfile {metrics}"]
    assert f"{metrics} is not there" in node.look()[1][1]
    metrics.mkdir()
    # the directory may be somebody else's, who would have root write into another file
    other = node.directory / "other"
    other.write_text("untouched")
    (metrics / "hardway.prom.new").symlink_to(other)
    before = int(time.time())
    node.look()
    assert other.read_text() == "untouched" and not (metrics / "hardway.prom").is_symlink()
    assert os.listdir(metrics) == ["hardway.prom"] and (metrics / "hardway.prom").stat().st_mode & 0o777 == 0o644
    lines = (metrics / "hardway.prom").read_text().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values[f'hardway_certificate_not_after_seconds{{path="{certificate}"}}'] == str(expiry(certificate))
    assert values['hardway_unit_active{unit="good.service"}'] == "1" and values['hardway_unit_active{unit="bad.service"}'] == "0"
    assert values["hardway_etcd_snapshot_failed"] == "0" and values["hardway_etcd_snapshot_last_success_seconds"] == "0"
    assert values["hardway_watch_problems"] == "1" and int(values["hardway_watch_last_run_seconds"]) >= before
    # each name once, its type in front of it
    types = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(types) == len(set(types)) == len({re.split(r"[{ ]", name)[0] for name in values})
