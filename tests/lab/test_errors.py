# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that goes wrong before or during an installation: one clear message that names the node, the file or the
address and what to do, the right exit status, and nothing half-done."""
import contextlib
import glob
import os
import pty
import re
import select
import shutil
import threading
import time

import pytest

from lab import CONTROLLERS, TOP, VIP, await_true

HOSTS = {**CONTROLLERS, "lb-0": "10.77.0.11"}


@pytest.fixture(scope="module", name="lab")
def lab_fixture(make_shared_lab):
    """Hosts on which nothing is installed; every test leaves them so."""
    lab = make_shared_lab("errors", HOSTS, image="bookworm")
    lab.init(balancers={"lb-0": HOSTS["lb-0"]})
    lab.hardway("pki", "gen")
    lab.hardway("fetch")
    return lab


def untouched(lab):
    for host in HOSTS:
        out = lab.sh(host, "ls -d /etc/kubernetes /opt/hardway /var/lib/etcd /etc/haproxy 2>/dev/null; find / -xdev -name '*.hw-new'",
                     check=False).out
        assert out == "", (host, out)


def refused(result, status, *words):
    """One message for people: the status, these words, and no trace of the inside."""
    assert result.status == status, result
    for word in words:
        assert word in result.err, (word, result)
    assert result.err.startswith("hardway: "), result
    return result


def edit(lab, old, new):
    path = os.path.join(lab.directory, "hardway.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert old in text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def copy_of(lab, tmp_path):
    """A copy of the cluster directory that may be spoilt."""
    directory = tmp_path / "copy"
    shutil.copytree(lab.directory, directory)
    return str(directory)


def test_no_cluster_file(lab, tmp_path):
    refused(lab.hardway("install", check=False, cwd=str(tmp_path)), 65, "hardway.yaml", "hardway init")


def test_bad_cluster_file(lab, tmp_path):
    directory = copy_of(lab, tmp_path)
    path = os.path.join(directory, "hardway.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("disk: ssd", "disk: floppy") + "colour: blue\n")
    result = refused(lab.hardway("install", check=False, cwd=directory), 65, "colour", "floppy")
    assert len(re.findall(r"hardway\.yaml:\d+:\d+: ", result.err)) >= 2


def test_no_keys_yet(lab, tmp_path):
    directory = copy_of(lab, tmp_path)
    shutil.rmtree(os.path.join(directory, "pki"))
    refused(lab.hardway("install", check=False, cwd=directory), 65, "hardway pki gen")


def test_ssh_refused(lab):
    lab.sh("lb-0", "systemctl stop ssh.socket ssh.service 2>/dev/null; systemctl stop ssh")
    try:
        refused(lab.hardway("install", check=False), 69, "lb-0", HOSTS["lb-0"], "refused")
        untouched(lab)
    finally:
        lab.sh("lb-0", "systemctl start ssh")


def test_host_is_off(lab):
    lab.tool("link", "down", "lb-0")
    try:
        refused(lab.hardway("install", check=False), 69, "lb-0", HOSTS["lb-0"])
        untouched(lab)
    finally:
        lab.tool("link", "up", "lb-0")
        await_true("lb-0 accepts ssh again", lambda: lab.enter("ssh", "lb-0", "true", check=False).status == 0, 30)


def test_unknown_host_key(lab):
    script = (f"cp ~/.ssh/known_hosts /tmp/known.$$; : >~/.ssh/known_hosts; {lab.program} install; rc=$?;"
              " cat /tmp/known.$$ >~/.ssh/known_hosts; rm /tmp/known.$$; exit $rc")
    refused(lab.enter("sh", "-c", script, check=False), 77, "host key", "controller-0")
    untouched(lab)


def test_no_sudo_rights(lab):
    lab.sh("lb-0", "for f in $(grep -rl NOPASSWD /etc/sudoers /etc/sudoers.d); do sed -i.saved 's/NOPASSWD://' $f; done")
    try:
        refused(lab.hardway("install", check=False), 77, "lb-0", "sudo")
        untouched(lab)
    finally:
        lab.sh("lb-0", "for f in /etc/sudoers.saved /etc/sudoers.d/*.saved; do [ ! -e $f ] || mv $f ${f%.saved}; done")


@contextlib.contextmanager
def sudo_with_password(lab, password):
    """sudo wants it on all hosts."""
    for host in HOSTS:
        lab.sh(host, "cp -a /etc/shadow /etc/shadow.saved; for f in $(grep -rl NOPASSWD /etc/sudoers /etc/sudoers.d); do sed -i.saved 's/NOPASSWD://' $f; done")
        lab.enter("chpasswd", host=host, text_input=f"pi:{password}\n")
    try:
        yield
    finally:
        for host in HOSTS:
            lab.sh(host, "mv /etc/shadow.saved /etc/shadow; for f in /etc/sudoers.saved /etc/sudoers.d/*.saved; do [ ! -e $f ] || mv $f ${f%.saved}; done")


def converse(lab, answer, *arguments):
    """Runs hardway on a terminal, and answers each question that ends with a colon. How often it asked, what it showed, and its status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(lab.directory)
        os.execve(os.path.join(TOP, "lab", "enter"), ["enter", "--name", lab.name, "--", lab.program, *arguments], lab.env)
    shown, asked, deadline = "", 0, time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            shown += os.read(fd, 4096).decode()
        except OSError:
            break
        if shown.endswith("Password for sudo on the nodes: "):
            asked += 1
            os.write(fd, f"{answer}\n".encode())
    os.close(fd)
    return asked, shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextlib.contextmanager
def processes():
    """The arguments and environments of all processes here and on the hosts, as far as they live long enough to be seen."""
    seen, over = set(), threading.Event()

    def look():
        while not over.is_set():
            for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
                with contextlib.suppress(OSError), open(path, "rb") as file:
                    seen.add(file.read())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def test_sudo_with_a_password(lab):
    password = "correct-horse-battery"
    with sudo_with_password(lab, password):
        refused(lab.hardway("install", check=False), 77, *HOSTS, "wants a password of pi", "--ask-sudo-password")
        with processes() as seen:
            asked, shown, status = converse(lab, password, "plan", "--verbose", "--ask-sudo-password")
        assert asked == 1 and status == 0 and all(host in shown for host in HOSTS) and password not in shown, shown
        assert "< the password for sudo" in shown, shown
        assert any(b"sudo\0-k\0-S\0" in words for words in seen) and not any(password.encode() in words for words in seen)
        asked, shown, status = converse(lab, "wrong", "install", "--ask-sudo-password")
        assert asked == 1 and status == 77, shown
        assert all(f"sudo on {address} does not take this password of pi" in shown for address in HOSTS.values()), shown
        for host in HOSTS:
            logged = lab.sh(host, "journalctl --no-pager -q").out
            assert "COMMAND=" in logged and password not in logged
    untouched(lab)


def test_changed_host_key(lab):
    key = "/etc/ssh/ssh_host_ed25519_key"
    lab.sh("lb-0", f"for f in {key} {key}.pub; do cp -a $f $f.saved; done; rm {key}; ssh-keygen -q -t ed25519 -N '' -f {key}; systemctl restart ssh")
    try:
        refused(lab.hardway("install", check=False), 77, "lb-0", "shows another host key than the one that is known", f"ssh-keygen -R {HOSTS['lb-0']}")
    finally:
        lab.sh("lb-0", f"for f in {key} {key}.pub; do mv $f.saved $f; done; systemctl restart ssh")
    await_true("lb-0 is known again", lambda: lab.enter("ssh", "lb-0", "true", check=False).status == 0, 30)
    untouched(lab)


def test_jump_host(lab):
    """As in the user's own configuration; and one that is off is not taken for the node."""
    config = f"Host {HOSTS['controller-0']}\n\tProxyJump lb-0\n\n"
    script = ("cp ~/.ssh/config /tmp/config.$$; printf \"$CONFIG\" | cat - /tmp/config.$$ >~/.ssh/config; \"$@\"; rc=$?;"
              " cat /tmp/config.$$ >~/.ssh/config; rm /tmp/config.$$; exit $rc")
    jump = ("sh", "-c", script, "sh", lab.program, "plan", "--node", "controller-0")
    lab.enter(*jump, env={**lab.env, "CONFIG": config})
    await_true("the node has seen who came", lambda: f"Accepted publickey for pi from {HOSTS['lb-0']} " in lab.sh(
        "controller-0", "journalctl --sync; journalctl --no-pager -q -t sshd -t sshd-session").out)
    lab.sh("lb-0", "systemctl stop ssh.socket ssh.service 2>/dev/null; systemctl stop ssh")
    try:
        seen = refused(lab.enter(*jump, check=False, env={**lab.env, "CONFIG": config}), 69, "controller-0",
                       "the jump host lb-0 refuses the connection")
        assert "was lost" not in seen.err
    finally:
        lab.sh("lb-0", "systemctl start ssh")
    key = "/etc/ssh/ssh_host_ed25519_key"
    lab.sh("lb-0", f"mkdir /root/key; cp {key} {key}.pub /root/key; rm {key}*; ssh-keygen -q -t ed25519 -N '' -f {key}; systemctl restart ssh")
    try:
        seen = refused(lab.enter(*jump, check=False, env={**lab.env, "CONFIG": config}), 77, "controller-0",
                       "the jump host lb-0 shows another host key than the one that is known")
        assert f"-R {HOSTS['controller-0']}" not in seen.err
    finally:
        lab.sh("lb-0", f"cp /root/key/* /etc/ssh/; rm -r /root/key; chmod 600 {key}; systemctl restart ssh")


def test_wrong_architecture(lab, tmp_path):
    directory = copy_of(lab, tmp_path)
    path = os.path.join(directory, "hardway.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^(arch:\s*)amd64", r"\1arm64", text))
    # without arm64 binaries pinned the refusal is about those; either names the cure
    result = lab.hardway("install", check=False, cwd=directory)
    assert result.status == 65 and ("arm64" in result.err), result
    untouched(lab)


def test_port_taken_by_another_process(lab):
    lab.sh("controller-1", "systemd-run --unit=squatter --collect python3 -m http.server 6443 2>/dev/null ||"
           " systemd-run --unit=squatter --collect bash -c 'exec perl -MIO::Socket::INET -e "
           "\"my \\$s = IO::Socket::INET->new(LocalPort => 6443, Listen => 1) or die; sleep 600\"'")
    try:
        await_true("somebody listens", lambda: "6443" in lab.sh("controller-1", "ss -Hltn").out)
        refused(lab.hardway("install", check=False), 65, "controller-1", "6443")
        untouched(lab)
    finally:
        lab.sh("controller-1", "systemctl stop squatter", check=False)


def test_vip_is_answered_by_another_machine(lab):
    lab.sh("controller-2", f"ip addr add {VIP}/32 dev host0")
    try:
        refused(lab.hardway("install", check=False), 65, VIP)
        untouched(lab)
    finally:
        lab.sh("controller-2", f"ip addr del {VIP}/32 dev host0")


def test_disk_full_on_a_node(lab):
    lab.sh("controller-0", "mkdir -p /opt && mount -t tmpfs -o size=20M tmpfs /opt")
    try:
        refused(lab.hardway("install", check=False), 74, "controller-0")
        untouched(lab)
    finally:
        lab.sh("controller-0", "umount /opt")


def test_data_of_another_cluster(lab):
    lab.sh("controller-2", "mkdir -p /var/lib/etcd/member && echo x >/var/lib/etcd/member/x")
    try:
        refused(lab.hardway("install", check=False), 65, "controller-2", "etcd")
        assert lab.sh("controller-2", "cat /var/lib/etcd/member/x").out == "x\n"
    finally:
        lab.sh("controller-2", "rm -rf /var/lib/etcd")
    untouched(lab)


def test_digest_mismatch(lab, tmp_path):
    if not lab.env.get("HARDWAY_MIRROR", "").startswith("file://"):
        pytest.skip("needs a mirror that can be copied")
    mirror = tmp_path / "mirror"
    shutil.copytree(lab.env["HARDWAY_MIRROR"].removeprefix("file://"), mirror, copy_function=os.symlink)
    victim = mirror / "release/v1.36.3/bin/linux/amd64/kube-scheduler"
    data = bytearray(victim.read_bytes())
    victim.unlink()
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    cache = str(tmp_path / "cache")
    env = {"HARDWAY_MIRROR": f"file://{mirror}", "XDG_CACHE_HOME": cache}
    result = refused(lab.hardway("fetch", check=False, env=env), 76, "kube-scheduler")
    assert "lock" in result.err or "published" in result.err
    assert not any("kube-scheduler" in name for _, _, names in os.walk(cache) for name in names)


def test_unit_that_fails_shows_its_last_words(lab, tmp_path):
    """An apiserver that cannot start: its own words, the node, and status 69."""
    directory = copy_of(lab, tmp_path)
    with open(os.path.join(directory, "hardway.yaml"), "a", encoding="utf-8") as file:
        file.write("extra-args:\n  kube-apiserver:\n    feature-gates: NoSuchGate=true\n")
    result = refused(lab.hardway("install", check=False, cwd=directory), 69, "kube-apiserver", "controller-")
    assert "NoSuchGate" in result.err
    refused(lab.hardway("reset", "--yes", check=False), 65, "--force")
    lab.hardway("reset", "--yes", "--force")
    untouched(lab)
