# SPDX-License-Identifier: LGPL-2.1-or-later
"""What those who use a cluster notice of what is done to it, and what its load balancers know of it."""
import os
import re
import time

from lab import BALANCERS

# What etcd does by itself in the instant in which its leadership moves: a write that meets it is refused, or answered too late. An
# apiserver passes that on.
LEADER_MOVES = re.compile("raft proposal dropped|leader changed|request timed out|TimeoutError")


def aside(cluster):
    """What haproxy is told to spare, by load balancer."""
    return {lb: cluster.sh(lb, "cat /run/hardway/haproxy.aside 2>/dev/null || :").out.split() for lb in BALANCERS}


def servers(cluster, balancer):
    """haproxy's own table: the status of each server."""
    out = cluster.sh(balancer, "exec 3<>/dev/tcp/127.0.0.1/8405; printf 'GET /stats;csv HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3", shell="bash").out
    return {row.split(",")[1]: row.split(",")[17] for row in out.splitlines() if row.startswith("apiservers,controller-")}


def starved(cluster, since, but=None, balancers=tuple(BALANCERS)):
    """Did haproxy take a server for dead that nobody was working on? Then this machine was too busy for its hosts to answer in time. but: one that
    was worked on so that its checks end like that."""
    found = [cluster.sh(lb, f"journalctl --sync; journalctl -u haproxy --no-pager -q --since @{since} | grep -E 'is DOWN, reason: Layer[0-9] timeout' || :").out
             for lb in balancers]
    return "".join(line + "\n" for line in "".join(found).splitlines() if not but or f"/{but} is DOWN" not in line)


def noticed(seen):
    return bool(seen["failures"] or seen["watch_cut"] or seen["gap"] >= 2)


def busy(cluster, seen, but=None):
    """Had this machine too much to do for its hosts, or for the client itself?"""
    return bool(starved(cluster, seen["since"], but) or seen["late"] > 1)


def moments(failures):
    """At how many instants requests were cut off that were all on their way then."""
    n, last = 0, -1
    for failure in sorted(failures, key=lambda failure: failure["at"] + failure["after"]):
        if failure["at"] > last:
            n, last = n + 1, failure["at"] + failure["after"]
    return n


def await_quiet(load=8, seconds=90):
    """Before something is done once more: what was too busy a moment ago still is."""
    end = time.monotonic() + seconds
    while os.getloadavg()[0] > load and time.monotonic() < end:
        time.sleep(1)


def assert_unnoticed(cluster, seen, writes_refused=0, least=100):
    """Nobody who uses the cluster has noticed anything; but for a write or so that met a move of etcd's leadership. least: so many answers the client
    had, as otherwise it could not have noticed."""
    told = f"{seen}\nservers that were taken for dead:\n{starved(cluster, seen['since'])}"
    refused = [failure for failure in seen["failures"] if failure["who"] == "writer" and LEADER_MOVES.search(failure["error"])]
    assert len(refused) <= writes_refused and len(seen["failures"]) == len(refused), told
    assert not seen["lost"] and not seen["watch_cut"], told
    assert seen["gap"] < 2 and min(seen["answers"], seen["kept"], 2 * seen["written"], 2 * seen["watch_events"]) > least, told


def assert_undisturbed(cluster, seen, writes_refused=1, but=None):
    """The same of what cannot be done once more. Where this machine was too busy for haproxy's checks, what they cut off is nobody's doing here; a
    write is never lost."""
    print({key: seen[key] for key in ("answers", "kept", "written", "failures", "lost", "watch_cut", "gap")})
    assert not seen["lost"] and seen["gap"] < 5, seen
    if not (noticed(seen) and busy(cluster, seen, but)):
        assert_unnoticed(cluster, seen, writes_refused)


def do_unnoticed(cluster, deed, prepare=lambda turn: None, writes_refused=1, least=100):
    """deed() is done under the client's eyes. Where the machine was too busy for haproxy's checks it is done once more, and prepare(turn) before each:
    what those cut off is not its doing."""
    for turn in range(3):
        if turn:
            await_quiet()
        prepare(turn)
        with cluster.client() as seen:
            deed()
        if not (noticed(seen) and busy(cluster, seen)):
            break
    assert_unnoticed(cluster, seen, writes_refused, least)
