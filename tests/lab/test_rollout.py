# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing a cluster that serves: one node at a time, and nobody who asks the VIP notices."""
import os
import re
import shutil
import signal
import subprocess
import time

from lab import BALANCERS, CONTROLLERS, await_true, edit
from serving import aside, assert_undisturbed, do_unnoticed, servers

UNITS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]


def add_flags(lab, **flags):
    path = os.path.join(lab.directory, "hardway.yaml")
    with open(path, "a", encoding="utf-8") as file:
        file.write("\nextra-args:\n")
        for component, line in flags.items():
            file.write(f"  {component.replace('_', '-')}: {{ {line} }}\n")


def roll_unnoticed(cluster, change):
    """change(turn) edits the cluster file."""
    do_unnoticed(cluster, lambda: cluster.hardway("install"), change)


def test_changed_flags_roll_without_a_failed_request(cluster):
    before = {host: cluster.pids(host, UNITS) for host in CONTROLLERS}
    add_flags(cluster, etcd="snapshot-count: 9000, log-outputs: 'stderr,/srv/logs/etcd/etcd.log'",
              kube_apiserver="audit-log-maxage: 31, audit-log-path: /srv/audit/kubernetes.log, "
                             "service-account-issuer: [https://kubernetes.default.svc.cluster.local, https://old.example.com]")
    roll_unnoticed(cluster, lambda turn: turn and edit(cluster, r"snapshot-count: \d+", f"snapshot-count: {9000 - turn}"))
    for host in CONTROLLERS:
        after = cluster.pids(host, UNITS)
        assert all(a != b for a, b in zip(before[host][:2], after[:2])), "etcd and the apiserver run the new flags"
        # a leader that loses its lease, since its own apiserver was away, ends by itself; systemd was not asked to restart it
        for unit, old, new in zip(UNITS[2:], before[host][2:], after[2:]):
            restarts = cluster.sh(host, f"systemctl show -p NRestarts --value {unit}").out.strip()
            assert old == new or restarts != "0", "what did not change was not restarted"
        flags = cluster.sh(host, f"tr '\\0' '\\n' </proc/{after[1]}/cmdline").out
        assert "--audit-log-maxage=31\n" in flags and flags.count("--service-account-issuer=https://") == 2
        # the sandbox is open where flags have the services write, and for them alone
        assert cluster.sh(host, "stat -c '%U %a' /srv/audit /srv/logs/etcd").out.split() == ["kube-apiserver", "700", "etcd", "700"]
        cluster.sh(host, "test -s /srv/audit/kubernetes.log && test -s /srv/logs/etcd/etcd.log")
    cluster.verify()
    assert "nothing to change" in cluster.hardway("install").out


def test_load_balancers_change_without_a_failed_request(cluster):
    roll_unnoticed(cluster, lambda turn: edit(cluster, *(("network: wifi", "network: wired") if turn % 2 else ("network: wired", "network: wifi"))))
    assert len(cluster.holder()) == 1
    cluster.verify()
    if "network: wired" in cluster.read("hardway.yaml"):  # it was done twice; the tests that follow are checked as patiently as ever
        edit(cluster, "network: wired", "network: wifi")
        cluster.hardway("install")


def test_another_patch_version_rolls_after_a_snapshot_and_back(cluster, mirror_of_two):
    versions = ["v1.36.2", "v1.36.3"]
    snapshots = os.path.join(cluster.directory, "snapshots")

    def other_version(turn):
        edit(cluster, r"kubernetes: v1\.36\.\d+", f"kubernetes: {versions[turn % 2]}")
        cluster.hardway("fetch", env={"HARDWAY_MIRROR": mirror_of_two} if mirror_of_two else None)

    assert not os.path.exists(snapshots)
    roll_unnoticed(cluster, other_version)
    version = re.search(r"kubernetes: (v[\d.]+)", cluster.read("hardway.yaml"))[1]
    snapshot = os.path.join(snapshots, sorted(os.listdir(snapshots))[-1])
    status = cluster.enter(cluster.binary("etcdutl"), "snapshot", "status", snapshot, "-w", "json").json
    assert status["totalKey"] > 100 and status["revision"] > 1
    for host, address in CONTROLLERS.items():
        assert cluster.version(address, timeout=5)["gitVersion"] == version
        pid = cluster.pids(host, ["kube-apiserver"])[0]
        assert os.path.getmtime(snapshot) < int(cluster.sh(host, f"stat -c %Y /proc/{pid}").out) + 1, "taken before"
        for known in versions:
            assert cluster.sh(host, f"/opt/hardway/kubernetes-{known}/kube-apiserver --version").out.strip() == f"Kubernetes {known}"
    cluster.verify()
    if version != "v1.36.3":
        other_version(1)
        cluster.hardway("install")
    assert {cluster.version(address, timeout=5)["gitVersion"] for address in CONTROLLERS.values()} == {"v1.36.3"}
    cluster.verify()


def test_drift_is_mended(cluster):
    cluster.sh("controller-1", "echo '# edited' >>/etc/systemd/system/kube-scheduler.service; chmod 0644 /etc/kubernetes/pki/sa.key;"
               " systemctl disable -q etcd; systemctl stop kube-controller-manager")
    report = cluster.hardway("verify", check=76)
    assert "controller-1" in report.out
    shown = cluster.hardway("install", "--dry-run")
    for word in ("kube-scheduler.service", "# edited", "sa.key", "etcd.service", "kube-controller-manager"):
        assert word in shown.out, word
    cluster.hardway("install")
    assert cluster.sh("controller-1", "stat -c %a /etc/kubernetes/pki/sa.key; systemctl is-enabled etcd; systemctl is-active "
                      "kube-controller-manager; grep -c edited /etc/systemd/system/kube-scheduler.service || :").out.split() == \
        ["600", "enabled", "active", "0"]
    cluster.verify()


def count_snapshots_anew(cluster):
    """A change that restarts etcd and an apiserver on each controller."""
    found = re.search(r"snapshot-count: (\d+)", cluster.read("hardway.yaml"))
    if found:
        edit(cluster, re.escape(found[0]), f"snapshot-count: {int(found[1]) + 1}")
    else:
        add_flags(cluster, etcd="snapshot-count: 9000")


def test_second_installer_is_told_who_is_at_work(cluster, tmp_path):
    """By the node, to one with a copy of the directory; by the directory, to one in the same. User, host, since when, which command."""
    count_snapshots_anew(cluster)
    copy = tmp_path / "copy"
    shutil.copytree(cluster.directory, copy)
    first = cluster.start("install")
    try:
        held = await_true("controller-0 is locked", lambda: cluster.sh("controller-0", "cat /run/hardway/run.lock 2>/dev/null || :").out)
        first.send_signal(signal.SIGSTOP)  # for less than what the node waits for a sign of life
        assert re.fullmatch(r"\w+@\S+ since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: hardway install \(process \d+\)\n", held)
        result = cluster.hardway("install", cwd=copy, check=75)
        assert f"controller-0: in use by {held}" in result.err, result
        assert cluster.hardway("install", check=75).err == f"hardway: .hardway-busy is locked by {held}"
    finally:
        first.send_signal(signal.SIGCONT)
    assert first.wait(timeout=300) == 0
    cluster.verify()


def test_what_serves_and_cannot_be_asked_is_left_alone(cluster, tmp_path):
    """A directory whose CAs are not those of the cluster, although it is this cluster's: no member answers it, and yet it is no new one."""
    before = {host: cluster.pids(host, ["etcd"]) for host in CONTROLLERS}
    other = tmp_path / "other"
    shutil.copytree(cluster.directory, other, ignore=shutil.ignore_patterns("pki", "secrets", "snapshots", "*.conf"))
    cluster.hardway("pki", "gen", cwd=str(other))
    for name in ("identity", "encryption-key"):  # another key for secrets would be refused before anybody is asked
        shutil.copy(os.path.join(cluster.directory, "secrets", name), other / "secrets" / name)
    assert "two copies of the cluster directory that both went on" in cluster.hardway("check", check=65, cwd=str(other)).out
    assert "cannot ask it" in cluster.hardway("check", "--ignore", "newest-copy", check=69, cwd=str(other)).out
    result = cluster.hardway("install", check=69, cwd=str(other))
    assert "etcd serves on controller-" in result.err and "older copy" in result.err
    assert "cannot do without" in cluster.hardway("reset", "--node", "controller-0", "--yes", check=65, cwd=str(other)).err
    assert before == {host: cluster.pids(host, ["etcd"]) for host in CONTROLLERS}
    assert "nothing to change" in cluster.hardway("install").out


def free(cluster, host):
    return cluster.sh(host, "flock -n /run/hardway/run.lock true", check=False).status == 0


def test_interrupted_it_says_where_it_stopped(cluster):
    """Ctrl-C in the middle of a rollout: the next node is not begun with, the locks are free, the next run goes on, and nobody notices."""
    count_snapshots_anew(cluster)
    with cluster.client() as seen:
        first = cluster.start("install", output=subprocess.PIPE)
        await_true("one is set aside", lambda: any(aside(cluster).values()), 120)
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=120)
        assert first.returncode == 75, (out, err)
        assert re.search("^hardway: controller-[0-2]: .*stopped as asked; hardway install goes on from here$", err, re.MULTILINE), err
        assert re.search("^  The rollout stopped here; not touched: .*controller-", err, re.MULTILINE), err
        await_true("the locks are free", lambda: all(free(cluster, host) for host in [*CONTROLLERS, *BALANCERS]), 30)
        assert aside(cluster) == {lb: [] for lb in BALANCERS}
        assert "nothing to change" not in cluster.hardway("install").out
    assert_undisturbed(cluster, seen, writes_refused=2)
    cluster.verify()


def kill_six_and_install(cluster):
    """Each one has a change of its own, and is killed later than the one before; the last run has all of them to finish."""
    for k in range(6):
        count_snapshots_anew(cluster)
        process = cluster.start("install")
        time.sleep(0.4 + 1.3 * k)  # the fault's moment, not a wait for anything
        process.send_signal(signal.SIGKILL)
        process.wait()
    cluster.hardway("install", "--wait")


def test_killed_at_any_moment_the_next_run_finishes(cluster):
    """Kills while flags change: the cluster keeps serving, and the last run ends as an undisturbed one."""
    do_unnoticed(cluster, lambda: kill_six_and_install(cluster), writes_refused=4)
    assert set(sum(aside(cluster).values(), [])) == set()
    assert "nothing to change" in cluster.hardway("install").out
    wanted = re.search(r"snapshot-count: (\d+)", cluster.read("hardway.yaml"))[1]
    for host in CONTROLLERS:
        pid = cluster.pids(host, ["etcd"])[0]
        assert f"--snapshot-count={wanted}" in cluster.sh(host, f"tr '\\0' '\\n' </proc/{pid}/cmdline").out
        assert cluster.sh(host, "find / -xdev -name '*.hw-new'").out == ""
    cluster.verify()


def test_what_a_killed_run_has_set_aside_is_found_and_put_back(cluster):
    """Killed while controller-1 restarts: haproxy sends it nothing, verify says so, the next run mends it, also one about other nodes."""
    for command in (["install"], ["install", "--node", "controller-0"]):
        count_snapshots_anew(cluster)
        process = cluster.start("install", "--node", "controller-1")
        await_true("controller-1 is set aside", lambda: all(names == ["controller-1"] for names in aside(cluster).values()), 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        await_true("its apiserver is back", lambda: cluster.ready(CONTROLLERS["controller-1"]), 60)
        await_true("haproxy sees it, and sends it nothing", lambda: {servers(cluster, lb)["controller-1"] for lb in BALANCERS} == {"DRAIN"}, 30)
        report = cluster.hardway("verify", check=76).out
        assert "controller-1 is set aside for planned work" in report and "hardway install puts it back" in report
        cluster.hardway(*command)
        assert aside(cluster) == {lb: [] for lb in BALANCERS}
        for lb in BALANCERS:
            await_true("all are up", lambda: set(servers(cluster, lb).values()) == {"UP"}, 30)
    cluster.hardway("install")
    cluster.verify()


def admin(cluster, balancer, command):
    """What haproxy answers on its admin socket."""
    return cluster.sh(balancer, "perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(shift); print $s shift, \"\\n\"; print while <$s>'"
                      f" /run/haproxy/admin.sock '{command}'").out


def checked(cluster, balancer):
    """What haproxy's checks have found, by server: is it up, and are its checks on?"""
    rows = [line.split() for line in admin(cluster, balancer, "show servers state checks").splitlines()]
    return {row[3]: (row[5] != "0", int(row[13]) & 4 != 0) for row in rows if len(row) > 13 and row[0].isdigit()}


def said_during(cluster, balancer, command, server):
    """What haproxy's unit has said from the command on, until the process that it starts has checked the server."""
    worker = re.search("^Pid: .*", admin(cluster, balancer, "show info"), re.MULTILINE)[0]
    cursor = cluster.sh(balancer, f"journalctl --sync; journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p'; {command}").out.strip()
    await_true("a new process", lambda: worker not in admin(cluster, balancer, "show info"), 10)

    def has_checked():
        names, *rows = (line.split(",") for line in admin(cluster, balancer, "show stat checks 4 -1").splitlines() if line)
        return next(dict(zip(names, row)) for row in rows if row[1] == server)["check_duration"]

    await_true("it checks", has_checked, 10)
    return cluster.sh(balancer, f"journalctl --sync; journalctl -u haproxy -q -o cat --after-cursor='{cursor}'").out


def test_a_reload_goes_on_from_what_haproxy_knows(cluster):
    """An apiserver that hangs stays out, and what was set aside is forgotten. A start begins anew."""
    lb = list(BALANCERS)[0]
    hangs, spared = list(CONTROLLERS)[:2]
    pid = cluster.pids(hangs, ["kube-apiserver"])[0]
    known, found = (f"Server checks/{hangs} is DOWN, {reason}" for reason in ("changed from server-state after a reload", "reason: Layer"))
    cluster.sh(hangs, f"kill -STOP {pid}")
    try:
        await_true("it is down", lambda: not checked(cluster, lb)[hangs][0], 10)
        admin(cluster, lb, f"set server apiservers/{spared} state drain; disable health checks/{spared}")
        assert not checked(cluster, lb)[spared][1] and servers(cluster, lb)[spared] == "DRAIN"
        said = said_during(cluster, lb, "systemctl reload haproxy", hangs)
        assert known in said and found not in said
        assert not checked(cluster, lb)[hangs][0] and checked(cluster, lb)[spared][1] and servers(cluster, lb)[spared] != "DRAIN"
        said = said_during(cluster, lb, "systemctl restart haproxy", hangs)
        assert known not in said and found in said
    finally:
        cluster.sh(hangs, f"kill -CONT {pid}")
    await_true("all are up", lambda: set(servers(cluster, lb).values()) == {"UP"}, 30)


def test_only_root_may_set_aside(cluster):
    """haproxy's admin socket is closed to everybody else on a load balancer, and its page has no levers."""
    for lb in BALANCERS:
        assert cluster.sh(lb, "stat -c '%a %U' /run/haproxy/admin.sock").out.split() == ["660", "root"]
        result = cluster.sh(lb, "runuser -u pi -- perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(shift) or die \"$!\\n\"'"
                            " /run/haproxy/admin.sock", check=False)
        assert result.status != 0 and "Permission denied" in result.err
        answer = cluster.sh(lb, "exec 3<>/dev/tcp/127.0.0.1/8405; printf 'POST /stats HTTP/1.0\\r\\nContent-Length: 43\\r\\n\\r\\n"
                            "s=controller-0&action=drain&b=%%23apiservers' >&3; cat <&3", shell="bash", check=False).out
        assert "DONE" not in answer
        assert servers(cluster, lb)["controller-0"] not in ("DRAIN", "MAINT")


def test_whole_cluster_loses_power_and_comes_back(cluster):
    hosts = [*CONTROLLERS, *BALANCERS]
    cluster.hardway("install", "--wait")  # whatever another test has left
    cluster.tool("power", "cut", *hosts)
    cluster.tool("power", "on", *hosts)
    await_true("the VIP answers again", cluster.version, 90)
    cluster.await_green(180)
    assert "nothing to change" in cluster.hardway("install").out


def test_changed_minor_version_is_refused(cluster):
    edit(cluster, r"kubernetes: v1\.36\.3", "kubernetes: v1.35.4")
    result = cluster.hardway("install", check=False)
    edit(cluster, r"kubernetes: v1\.35\.4", "kubernetes: v1.36.3")
    assert result.status == 65, result
