# SPDX-License-Identifier: LGPL-2.1-or-later
"""What somebody did to a node by hand: hardway plan names it, hardway install mends exactly that, and nothing else."""
import pathlib
import re

from lab import await_true, edit

OVERRIDE = "/etc/systemd/system/kube-scheduler.service.d/override.conf"

# what is done to controller-0, and what plan has to say of it
DEEDS = [
    ("rm /etc/kubernetes/pki/ca.crt", "create /etc/kubernetes/pki/ca.crt (missing)"),
    ("echo '# edited' >>/etc/kubernetes/authentication-config.yaml",
     "update /etc/kubernetes/authentication-config.yaml (content differs)"),
    ("chmod 0644 /etc/kubernetes/pki/sa.key", "attributes /etc/kubernetes/pki/sa.key (mode 0644, should be 0600)"),
    ("chown daemon:daemon /etc/kubernetes/pki/sa.pub",
     "attributes /etc/kubernetes/pki/sa.pub (owner daemon:daemon, should be root:root)"),
    ("echo x >>/etc/kubernetes/scheduler.conf", "update /etc/kubernetes/scheduler.conf (content differs)"),
    ("p=$(readlink /usr/local/bin/etcdutl); cp $p /tmp/etcdutl; echo >>/tmp/etcdutl; mv /tmp/etcdutl $p",
     "/etcdutl (content differs)"),
    ("ln -sf encryption-config.yaml /etc/kubernetes/audit-policy.yaml", "update /etc/kubernetes/audit-policy.yaml (is a symbolic link)"),
    ("cat /etc/kubernetes/pki/apiserver.key >>/etc/kubernetes/pki/apiserver.crt",
     "/etc/kubernetes/pki/apiserver.crt: content differs (it holds a secret, not shown)"),
    ("printf '# \\033[2J \\374\\n' >>/etc/systemd/system/kube-scheduler.service", "\n-# ?[2J ?\n"),
    ("systemctl disable kube-scheduler.service", "enable kube-scheduler.service (disabled)"),
    ("systemctl stop kube-controller-manager.service", "start kube-controller-manager.service (inactive)"),
]


def plan(lab, *more, status=2):
    return lab.hardway("plan", "--detailed-exitcode", *more, check=status)


def settle(lab):
    lab.hardway("install")
    lab.verify()
    assert "nothing differs" in plan(lab, "--deep", status=0).out


def test_nothing_differs_after_an_installation(cluster):
    result = plan(cluster, status=0)
    assert "5 nodes" in result.out and "nothing differs" in result.out
    tree = plan(cluster, "--json", status=0).json
    assert not tree["differs"] and all(node["changes"] == [] for node in tree["nodes"])
    assert "\033" not in result.out


def test_every_deed_is_named_and_mended(cluster):
    for deed, _ in DEEDS:
        cluster.sh("controller-0", deed)
    result = plan(cluster)
    for deed, wanted in DEEDS:
        assert wanted in result.out, (deed, result)
    assert "\n-# edited\n" in result.out
    # a secret is never shown, nor what somebody put into it
    assert "/etc/kubernetes/scheduler.conf: content differs (a secret, not shown)" in result.out
    tree = plan(cluster, "--json")
    for secret in ("client-key-data", "PRIVATE KEY", "secretbox"):
        assert secret not in result.out and secret not in tree.out
    nodes = {node["name"]: node for node in tree.json["nodes"]}
    assert [name for name, node in nodes.items() if node["differs"]] == ["controller-0"]
    assert "\n-# edited\n" in nodes["controller-0"]["diff"]

    told = cluster.hardway("install", "--json")
    changed = told.json
    assert {"stage", "finished"} <= {event["event"] for event in told.events} and changed["event"] == "done"
    entry, = cluster.hardway("explain", "--json", "install").json["entries"]
    explained = {part["name"].split(". ", 1)[-1] for part in entry["parts"]}
    assert {"facts", "put", "units"} <= {event["step"] for event in told.events if event["event"] == "stage"} <= explained, told.events
    assert {node["name"]: node["outcome"] for node in changed["nodes"]}["controller-1"] == "unchanged"
    assert "nothing differs" in plan(cluster, "--deep", status=0).out
    assert cluster.sh("controller-0", "tail -n 1 /etc/kubernetes/authentication-config.yaml").out != "# edited\n"


def test_masked_and_stopped(cluster):
    cluster.sh("lb-0", "systemctl stop keepalived && systemctl mask keepalived")
    out = plan(cluster, "--node", "lb-0").out
    assert "enable keepalived.service (masked" in out and "start keepalived.service (inactive)" in out
    settle(cluster)


def test_a_process_that_runs_with_something_older(cluster):
    """As after a run that was killed before it came to the restart: the file is right, the process is not."""
    unit = "/etc/systemd/system/kube-scheduler.service"
    cluster.sh("controller-1", f"cp -p {unit} /tmp/unit && sed -i 's/HARDWAY_INPUTS=.*/HARDWAY_INPUTS=older/' {unit} &&"
               " systemctl daemon-reload && systemctl restart kube-scheduler &&"
               f" cp -p /tmp/unit {unit} && systemctl daemon-reload")
    out = plan(cluster).out
    assert "restart kube-scheduler.service (was started with other inputs)" in out
    settle(cluster)


def test_somebody_elses_drop_in_is_told_and_left(cluster):
    cluster.sh("controller-2", f"mkdir -p $(dirname {OVERRIDE}) && printf '[Service]\\nNice=5\\n' >{OVERRIDE} &&"
               " systemctl daemon-reload")
    result = plan(cluster)
    assert f"leave {OVERRIDE} (overrides kube-scheduler.service, and is not ours)" in result.out
    assert "by what hardway install leaves alone" in result.out
    installed = cluster.hardway("install")
    assert "is left as it is" in installed.out and "nothing to change" in installed.out
    assert cluster.sh("controller-2", f"cat {OVERRIDE}").out == "[Service]\nNice=5\n"
    cluster.sh("controller-2", f"rm -r $(dirname {OVERRIDE}) && systemctl daemon-reload")
    plan(cluster, status=0)


def test_etc_default_is_of_no_effect(cluster):
    """The distributions' units read it, and what it says would go before what our drop-ins say."""
    cluster.sh("lb-1", "for name in haproxy keepalived; do cp -p /etc/default/$name /tmp/default-$name; done &&"
               " echo CONFIG=/nowhere >>/etc/default/haproxy && echo 'DAEMON_ARGS=\"-f /nowhere\"' >>/etc/default/keepalived &&"
               " systemctl restart haproxy keepalived")
    await_true("all is well", lambda: cluster.hardway("verify", check=False).status == 0, 60, 1)
    told = cluster.sh("lb-1", "for name in haproxy keepalived; do"
                      " xargs -0 </proc/$(systemctl show -p MainPID --value $name)/cmdline; mv /tmp/default-$name /etc/default/$name; done").out
    assert "/nowhere" not in told and " -f /etc/haproxy/haproxy.cfg " in told, told
    plan(cluster, status=0)


def test_what_a_container_sets_for_all_services_is_told_and_no_difference(cluster):
    path = "/run/systemd/system/service.d/zzz-lxc-service.conf"
    cluster.sh("lb-1", f"mkdir -p $(dirname {path}) && printf '[Service]\\nIgnoreSIGPIPE=yes\\n' >{path} && systemctl daemon-reload")
    out = plan(cluster, status=0).out
    assert out.count(f"leave {path} (of the machine itself, applies to ") == 1, out
    cluster.sh("lb-1", f"rm -r $(dirname {path}) && systemctl daemon-reload")


def test_somebody_elses_unit_file_is_told_and_left(cluster):
    """As systemctl edit --full leaves it: the distribution's, with a line more. Our drop-in applies to it all the same."""
    full = "/etc/systemd/system/haproxy.service"
    cluster.sh("lb-1", f"cp /usr/lib/systemd/system/haproxy.service {full} && echo '# mine' >>{full} && systemctl daemon-reload")
    assert f"leave {full} (overrides haproxy.service as a whole, and is not ours; " in plan(cluster).out
    assert f"{full} overrides haproxy.service as a whole" in cluster.hardway("verify", "--json").out
    cluster.sh("lb-1", f"rm {full} && systemctl daemon-reload")
    plan(cluster, status=0)


def test_an_edited_file_of_an_older_plan_is_told_and_left(cluster):
    old = "/etc/kubernetes/old.yaml"
    record = "/var/lib/hardway/applied.json"
    digest = "0" * 64
    cluster.sh("lb-1", f"echo mine >{old} || {{ mkdir -p /etc/kubernetes && echo mine >{old}; }};"
               f" sed -i 's|\"files\": \\[|&{{\"path\": \"{old}\", \"sha256\": \"{digest}\", \"stamp\": \"\"}},|' {record};"
               f" grep -q old.yaml {record} && echo {old[1:]} >>/var/lib/hardway/applied.paths")
    result = plan(cluster, status=0)
    assert f"leave {old} (of an earlier plan, and was changed since)" in result.out
    assert "it is left as it is" in cluster.hardway("install").out
    assert cluster.sh("lb-1", f"cat {old}").out == "mine\n"


def test_plan_changes_nothing_and_needs_no_lock(cluster):
    edit(cluster, r"disk: ssd", "disk: sdcard")
    before = cluster.sh("controller-0", "cat /var/lib/hardway/generation; stat -c %Y /etc/systemd/system/etcd.service").out
    result = plan(cluster)
    assert "--heartbeat-interval=500" in result.out
    assert cluster.sh("controller-0", "cat /var/lib/hardway/generation; stat -c %Y /etc/systemd/system/etcd.service").out == before
    edit(cluster, r"disk: sdcard", "disk: ssd")
    plan(cluster, status=0)


def secrets_of(lab):
    """Lines of the keys, and the key for secrets, as they stand in files and as they travel."""
    found = []
    for folder in ("pki", "secrets"):
        for path in pathlib.Path(lab.directory, folder).rglob("*key"):
            found += [line for line in path.read_text(encoding="utf-8").split() if len(line) > 30]
    assert len(found) > 20
    return found


def test_verbose_shows_the_commands(cluster):
    result = cluster.hardway("plan", "--verbose")
    assert re.search(r"^controller-0: look \(.*\)\n  \$ ssh -T -oBatchMode=yes ", result.err, re.MULTILINE)
    assert "\n  | H_UNITS='etcd.service " in result.err
    assert result.err.count("\n  | cat var/lib/hardway/applied.json 2>/dev/null || :\n") == 1, "of a script for five nodes"
    assert "look (" not in result.out and "nothing differs" in result.out


def test_verbose_shows_the_requests(cluster):
    """Method and URL, the status, and the time; of those that are not answered, why."""
    result = cluster.hardway("verify", "--verbose")
    for line in r"GET https://10\.77\.0\.20:6443/readyz\S*", r"POST https://10\.77\.0\.22:2379/v3/\S+", r"GET https://10\.77\.0\.10:6443/version":
        assert re.search(f"^{line}: 200 in [0-9]+\\.[0-9]{{3}} s$", result.err, re.M), result.err
    assert "https://" not in cluster.hardway("verify").err and "https://10" not in cluster.hardway("verify", "--verbose", "--quiet").err
    cluster.sh("controller-1", "systemctl stop etcd")  # which takes its apiserver with it; alone that is started again at once
    try:
        result = cluster.hardway("status", "--verbose", check=False)
        assert re.search(r"^GET https://10\.77\.0\.21:6443/\S*: failed after [0-9.]+ s: connection refused", result.err, re.M), result.err
    finally:
        cluster.sh("controller-1", "systemctl start etcd")
    await_true("all is well again", lambda: cluster.hardway("verify", check=False).status == 0, 120, 1)
    settle(cluster)


def test_verbose_shows_no_secret(cluster):
    cluster.sh("controller-0", "rm /etc/kubernetes/pki/sa.key /etc/kubernetes/pki/apiserver.key /etc/kubernetes/encryption-config.yaml;"
               " systemctl stop kube-controller-manager.service")
    result = cluster.hardway("install", "--verbose")
    assert "600 root:root" in result.err and " /etc/kubernetes/pki/sa.key\n" in result.err
    assert re.search(r"^controller-0: systemd: (Start|Restart)Unit kube-controller-manager.service$", result.err, re.MULTILINE)
    assert re.search(r"^controller-0: look \(.*\) \(again\)$", result.err, re.MULTILINE), "once the lock is held"
    shown = result.out + result.err
    assert "PRIVATE KEY" not in shown
    for secret in secrets_of(cluster):
        assert secret not in shown
    settle(cluster)
