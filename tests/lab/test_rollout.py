# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changing a cluster that serves: one node at a time, and nobody who asks the VIP notices."""
import os
import signal
import subprocess
import time

from lab import BALANCERS, CONTROLLERS, TOP, await_true, edit

# No request may fail. One that is under way on an apiserver in the instant in which it closes its door still can (seen once in 700 requests and
# five restarts): the long tier holds to none, the normal one to "no more than that".
IN_FLIGHT = 0 if os.environ.get("HARDWAY_TEST_TIER") == "long" else 2

UNITS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]


def add_flags(lab, **flags):
    path = os.path.join(lab.directory, "hardway.yaml")
    with open(path, "a", encoding="utf-8") as file:
        file.write("\nextra-args:\n")
        for component, line in flags.items():
            file.write(f"  {component.replace('_', '-')}: {{ {line} }}\n")


def test_changed_flags_roll_without_a_failed_request(cluster):
    before = {host: cluster.pids(host, UNITS) for host in CONTROLLERS}
    add_flags(cluster, kube_apiserver="audit-log-maxage: 31", etcd="snapshot-count: 9000")
    with cluster.client() as seen:
        cluster.hardway("install")
    assert len(seen["failures"]) <= IN_FLIGHT and seen["answers"] > 100 and seen["gap"] < 1, seen
    for host in CONTROLLERS:
        after = cluster.pids(host, UNITS)
        assert all(a != b for a, b in zip(before[host][:2], after[:2])), "etcd and the apiserver run the new flags"
        # a leader that loses its lease, since its own apiserver was away, ends by itself; systemd was not asked to restart it
        for unit, old, new in zip(UNITS[2:], before[host][2:], after[2:]):
            restarts = cluster.sh(host, f"systemctl show -p NRestarts --value {unit}").out.strip()
            assert old == new or restarts != "0", "what did not change was not restarted"
        assert "--audit-log-maxage=31" in cluster.sh(host, f"tr '\\0' '\\n' </proc/{after[1]}/cmdline").out
    cluster.hardway("verify")
    assert "nothing to change" in cluster.hardway("install").out


def test_load_balancers_change_without_a_failed_request(cluster):
    edit(cluster, r"network: wired", "network: wifi")
    with cluster.client() as seen:
        cluster.hardway("install")
    assert len(seen["failures"]) <= IN_FLIGHT and seen["gap"] < 1, seen
    assert len(cluster.holder()) == 1
    cluster.hardway("verify")


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
    cluster.hardway("verify")


def test_second_installer_is_told_who_is_at_work(cluster):
    add = subprocess.Popen([os.path.join(TOP, "lab", "enter"), "--name", cluster.name, "controller-0", "--", "sh", "-c",
                            "exec 9>>/run/hardway/run.lock; flock 9; echo 'somebody@elsewhere: hardway install' >/run/hardway/run.lock;"
                            " echo held; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert add.stdout.readline() == "held\n"
        cluster.sh("controller-0", "chmod 0600 /etc/kubernetes/pki/sa.pub")
        result = cluster.hardway("install", check=75)
        assert "somebody@elsewhere" in result.err and "controller-0" in result.err
    finally:
        add.communicate("")
    cluster.hardway("install")


def test_killed_at_any_moment_the_next_run_finishes(cluster):
    """A seeded dozen of kills while flags change: the cluster keeps serving, and the last run ends as an undisturbed one."""
    with cluster.client() as seen:
        for k in range(6):
            edit(cluster, r"snapshot-count: \d+", f"snapshot-count: {9001 + k}")
            process = subprocess.Popen([os.path.join(TOP, "lab", "enter"), "--name", cluster.name, "--", cluster.program, "install"],
                                       cwd=cluster.directory, env=cluster.env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.4 + 1.3 * k)  # the fault's moment, not a wait for anything
            process.send_signal(signal.SIGKILL)
            process.wait()
        cluster.hardway("install", "--wait")
    assert len(seen["failures"]) <= IN_FLIGHT and seen["gap"] < 1, seen
    assert "nothing to change" in cluster.hardway("install").out
    for host in CONTROLLERS:
        pid = cluster.pids(host, ["etcd"])[0]
        assert "--snapshot-count=9006" in cluster.sh(host, f"tr '\\0' '\\n' </proc/{pid}/cmdline").out
        assert cluster.sh(host, "find / -xdev -name '*.hw-new'").out == ""
    cluster.hardway("verify")


def test_whole_cluster_loses_power_and_comes_back(cluster):
    hosts = [*CONTROLLERS, *BALANCERS]
    cluster.tool("power", "cut", *hosts)
    cluster.tool("power", "on", *hosts)
    await_true("the VIP answers again", cluster.version, 90)
    await_true("verify is green again", lambda: cluster.hardway("verify", check=False).status == 0, 60)
    assert "nothing to change" in cluster.hardway("install").out


def test_changed_minor_version_is_refused(cluster):
    edit(cluster, r"kubernetes: v1\.36\.3", "kubernetes: v1.35.4")
    result = cluster.hardway("install", check=False)
    edit(cluster, r"kubernetes: v1\.35\.4", "kubernetes: v1.36.3")
    assert result.status == 65, result
