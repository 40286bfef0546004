# SPDX-License-Identifier: LGPL-2.1-or-later
"""The script that looks at a node, run here below a root of its own with stand-ins for systemctl and ss: what it starts costs each run,
on each node, so that what nobody will read is not asked."""
import os
import subprocess

import pytest

SCRIPTS = os.path.join(os.path.dirname(__file__), "..", "..", "host", "scripts")
SYSTEMCTL = """#!/bin/sh
echo "$*" >"$H_ROOT/asked"
for unit; do
        case $unit in
        *.service)
                pid=36
                case " $STOPPED " in *" $unit "*) pid=0 ;; esac
                printf 'MainPID=%s\\nId=%s\\n\\n' "$pid" "$unit"
                ;;
        *.timer) printf 'Id=%s\\n\\n' "$unit" ;;
        esac
done
"""


@pytest.fixture(name="root")
def _root(tmp_path):
    (tmp_path / "bin").mkdir()
    for name, text in ("systemctl", SYSTEMCTL), ("ss", "#!/bin/sh\necho asked\n"):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "var/lib/hardway").mkdir(parents=True)
    return tmp_path


def look(root, units, servers, stopped=""):
    text = "".join(open(os.path.join(SCRIPTS, name), encoding="utf-8").read() for name in ("prelude.sh", "look.sh"))
    lists = "".join(f"{name}=''\n" for name in ("H_PATHS", "H_USERS", "H_PACKAGES", "H_SYSCTLS"))
    prelude, script = text.split('cd "$H_ROOT/"\n', 1)
    script = f'{prelude}cd "$H_ROOT/"\n{lists}H_UNITS="{units}"\nH_SERVERS={servers}\n{script}'
    result = subprocess.run(["sh"], input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                            env={"H_ROOT": str(root), "H_NONCE": "NONCE", "STOPPED": stopped})
    assert result.returncode == 0, result.stderr
    sections = {}
    for part in result.stdout.decode(errors="replace").split("\n@NONCE ")[1:]:
        name, _, body = part.partition("\n")
        sections[name] = body
    return sections


@pytest.mark.parametrize("units, servers, stopped, asked", [
    ("etcd.service kube-apiserver.service watch.service watch.timer", 2, "", False),
    ("etcd.service kube-apiserver.service watch.service watch.timer", 2, "watch.service", False),
    ("etcd.service kube-apiserver.service watch.service watch.timer", 2, "etcd.service", True),
    ("etcd.service kube-apiserver.service watch.service watch.timer", 2, "kube-apiserver.service watch.service", True),
    ("watch.service", 0, "", True),
    ("", 0, "", True),
])
def test_who_listens_is_asked_where_a_server_does_not_run(root, units, servers, stopped, asked):
    assert look(root, units, servers, stopped)["listening"] == ("asked\n" if asked else "")


def test_of_units_is_asked_which_files_they_are_made_of(root):
    look(root, "haproxy.service watch.timer", 1)
    words = (root / "asked").read_text().split()
    assert {"FragmentPath", "DropInPaths", "NeedDaemonReload"} <= {name for word in words for name in word.split(",")}
    assert words[-3:] == ["--", "haproxy.service", "watch.timer"]


def test_a_put_at_work_is_waited_for(root):
    """The lock is taken, and given back: what follows in the same shell must not keep it."""
    lock = root / "var/lib/hardway/put.lock"
    lock.touch()
    (root / "bin" / "ss").write_text(f"#!/bin/sh\nflock -n {lock} echo free\n")
    assert look(root, "", 0)["listening"] == "free\n"
    flock = root / "bin" / "flock"
    flock.write_text("#!/bin/sh\nexit 75\n")
    flock.chmod(0o755)
    with pytest.raises(AssertionError, match="another hardway is writing here"):
        look(root, "", 0)


def test_the_machine_is_told(root):
    machine = look(root, "", 0)["machine"].split()
    assert machine[0] == os.uname().machine
    assert machine[1:5] == ["7f", "45", "4c", "46"]


def test_whose_data_lies_there_is_among_the_files(root):
    (root / "var/lib/hardway/etcd-identity").write_text("id-0\n")
    assert "var/lib/hardway/etcd-identity:id-0\n" in look(root, "", 0)["files"]


def test_directories_of_earlier_runs_are_looked_at(root):
    """Also data that a reset kept, of a role that the node has no more: what goes with the next one has to be said."""
    (root / "var/lib/etcd").mkdir(parents=True)
    (root / "srv").mkdir()
    (root / "var/lib/hardway/directories").write_text(
        "\ndirectory /var/lib/etcd etcd:etcd nothing\nchosen /srv etcd:etcd 755 root:root\ndirectory /var/gone x:x nothing\ncut")
    assert [line.split()[-1] for line in look(root, "", 0)["paths"].splitlines()] == ["var/lib/etcd", "srv"]


def test_users_of_earlier_runs_are_asked_for(root):
    (root / "var/lib/hardway/users").write_text("\n-h\ndaemon\nnobody-has-this-name\n")
    assert [line.split(":")[0] for line in look(root, "", 0)["users"].splitlines()] == ["daemon"]
