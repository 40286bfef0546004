# SPDX-License-Identifier: LGPL-2.1-or-later
"""The timer on the nodes: what it says in the journal of a node whose driving machine is away, and what status shows of it."""
import json
import re

from lab import BALANCERS, CONTROLLERS, await_true, edit
from mishaps import shift

CERTIFICATE = "/etc/kubernetes/pki/front-proxy-client.crt"


def look(lab, host):
    """One look now; returns what it said in the journal, with priorities.

    It is found by its process: journald takes a line's invocation id from a link that systemd removes when the unit has ended, so on a busy
    machine the lines of one that is short-lived come without. The last line, a summary, says that all have arrived."""
    lab.sh(host, "systemctl start hardway-watch.service")
    pid = lab.sh(host, "systemctl show -p ExecMainPID --value hardway-watch.service").out.strip()
    begin = lab.sh(host, "systemctl show -p ExecMainStartTimestamp --value --timestamp=unix hardway-watch.service").out.strip()

    def said():
        out = lab.sh(host, f"journalctl --sync; journalctl -b -t hardway-watch _PID={pid} --since {begin} -o json --no-pager").out
        found = [(int(entry["PRIORITY"]), entry["MESSAGE"]) for entry in map(json.loads, out.splitlines())]
        return found if found and re.search(r"; \d+ problems?$", found[-1][1]) else None

    found = await_true("its summary is in the journal", said, 30)
    assert lab.sh(host, "systemctl show -p Result --value hardway-watch.service").out == "success\n"
    return found


def watch_of(lab, host):
    checks = {check["id"]: check for check in lab.hardway("status", "--json").json["checks"]}
    return checks[f"watch/{host}"], checks


def test_all_is_well(cluster):
    for host in CONTROLLERS:
        assert cluster.sh(host, "systemctl is-active hardway-watch.timer; systemctl is-enabled hardway-watch.timer").out == "active\nenabled\n"
        found = look(cluster, host)
        assert [row[0] for row in found] == [6], found
        assert re.search(r"\d+ certificates, the first expires in 36[45] days; 5 units; 3 of 3 etcd members healthy"
                         r"(, the last snapshot of etcd is \d+ hours old)?, the apiserver is ready, the endpoint answers; 0 problems", found[0][1]), found
    for host in BALANCERS:
        found = look(cluster, host)
        assert [row[0] for row in found] == [6] and re.search(r"1 certificate, the first expires in 36\d\d days; 2 units, keepalived is in state (MASTER|BACKUP); 0 problems", found[0][1]), found
    check, checks = watch_of(cluster, "controller-0")
    assert check["state"] == "ok" and "3 of 3 etcd members healthy" in check["text"]
    # etcd's own measure of its disk is there, too
    assert "syncs of its log" in checks["etcd.fsync/controller-0"]["text"]
    # asked for again and again they do not count as failed
    cluster.sh("controller-0", "for n in 1 2 3 4 5 6 7; do systemctl start hardway-watch etcd-snapshot || exit 1; done")
    # it looks every hour, each node at its own minute, and catches up with what it missed
    minutes = set()
    for host in CONTROLLERS:
        out = cluster.sh(host, "systemctl show hardway-watch.timer -p TimersCalendar -p RandomizedDelayUSec -p Persistent").out
        minutes.add(re.search(r"OnCalendar=\*-\*-\* \*:(\d\d):00", out).group(1))
        assert "RandomizedDelayUSec=0" in out and "Persistent=yes" in out
    assert len(minutes) == len(CONTROLLERS)


def next_of(lab, host, timer):
    out = lab.sh(host, f"systemctl show {timer} -p NextElapseUSecRealtime -p NextElapseUSecMonotonic").out
    return dict(line.split("=", 1) for line in out.splitlines())


def fire(lab, host, timer, sign):
    """The timer itself, hurried on, starts its service: what sign prints is new then."""
    drop_in = f"/run/systemd/system/{timer}.d"
    before = lab.sh(host, sign, check=False).out
    lab.sh(host, f"mkdir -p {drop_in}; printf '[Timer]\\nOnActiveSec=2s\\nRandomizedDelaySec=0\\nAccuracySec=1s\\n' >{drop_in}/soon.conf;"
           f" systemctl daemon-reload; systemctl restart {timer}")
    try:
        await_true(f"{timer} has had it done", lambda: lab.sh(host, sign, check=False).out not in ("", before), 60)
    finally:
        lab.sh(host, f"rm -r {drop_in}; systemctl daemon-reload; systemctl restart {timer}")


def test_the_timers_fire(cluster):
    # as they are installed, both have a next time; one that has none never fires, and is active all the same
    for timer in ("hardway-watch.timer", "etcd-snapshot.timer"):
        found = next_of(cluster, "controller-0", timer)
        assert set(found.values()) - {"", "0", "infinity"}, (timer, found)
    assert next_of(cluster, "controller-0", "hardway-watch.timer")["NextElapseUSecRealtime"]
    fire(cluster, "controller-0", "hardway-watch.timer", "stat -c %.Y /run/hardway/watch")
    fire(cluster, "controller-0", "etcd-snapshot.timer", "stat -c %.Y /var/lib/etcd-snapshots/last")


def test_expiring_certificate(cluster):
    # in the last third of its life, however long that was
    short = shift(cluster, "pki/nodes/controller-1/pki/front-proxy-client", "front-proxy-ca", (-24 * 345, 24 * 20))
    cluster.sh("controller-1", f"cp -a {CERTIFICATE} /root/saved.crt")
    cluster.enter("tee", CERTIFICATE, host="controller-1", text_input=short)
    try:
        found = look(cluster, "controller-1")
        assert [row[0] for row in found] == [4, 6], found
        assert re.match(CERTIFICATE + r" expires in (19|20) days: renew it", found[0][1]), found
        check, _ = watch_of(cluster, "controller-1")
        assert check["state"] == "warning" and CERTIFICATE in check["text"] and "journalctl" in check["advice"]
    finally:
        cluster.sh("controller-1", f"mv /root/saved.crt {CERTIFICATE}")
    assert [row[0] for row in look(cluster, "controller-1")] == [6]


def test_dead_member(cluster):
    cluster.sh("controller-2", "systemctl stop etcd")
    try:
        found = look(cluster, "controller-0")
        assert [row[0] for row in found] == [3, 6], found
        assert found[0][1].startswith("etcd member controller-2 (https://10.77.0.22:2379) is not healthy: ")
        assert "2 of 3 etcd members healthy" in found[1][1]
        check, _ = watch_of(cluster, "controller-0")
        assert check["state"] == "warning" and "etcd member controller-2" in check["text"]
        # where it died, more is to be told
        words = " ".join(row[1] for row in look(cluster, "controller-2"))
        assert "etcd.service is inactive" in words and "the apiserver on this node is not ready" in words
    finally:
        cluster.sh("controller-2", "systemctl start etcd kube-apiserver kube-controller-manager kube-scheduler")
    await_true("all is well again", lambda: [row[0] for row in look(cluster, "controller-2")] == [6], 120, 2)


def test_metrics_for_prometheus(cluster):
    path = "/var/lib/prometheus/node-exporter"
    edit(cluster, r"\Z", f"watch: {{ textfile: {path} }}\n")
    cluster.sh("controller-0", f"mkdir -p {path}")
    cluster.hardway("install")
    assert [row[0] for row in look(cluster, "controller-0")] == [6]
    text = cluster.sh("controller-0", f"cat {path}/hardway.prom; stat -c %a {path}/hardway.prom").out
    assert 'hardway_etcd_member_healthy{member="controller-2"} 1' in text and text.endswith("\n644\n")
    assert 'hardway_certificate_not_after_seconds{path="/etc/kubernetes/pki/apiserver.crt"} ' in text
    # nobody has made the directory there
    found = look(cluster, "controller-1")
    assert found[0][0] == 4 and f"{path} is not there" in found[0][1]


def test_reset_takes_it_away(cluster):
    cluster.hardway("reset", "--yes", "--force")
    for host in CONTROLLERS:
        assert cluster.sh(host, "find / -xdev -path /proc -prune -o -path /var/log -prune -o -name '*hardway*' -print; "
                          "systemctl list-units --all --no-legend 'hardway*'").out == ""
