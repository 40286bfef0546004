# SPDX-License-Identifier: LGPL-2.1-or-later
"""hardway plan --script as a text; that it does what install does is for tests/lab/test_script.py."""
import fcntl
import functools
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading

import pytest

from node_shell import SHELLS, SHELLS_HERE

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


@pytest.fixture(name="ready")
def ready_fixture(hardway):
    """A cluster with keys and a lock file, as if its binaries had been fetched."""
    for name in ("hardway.yaml", "hardway.lock"):
        shutil.copy(os.path.join(TOP, "tests", "golden", "default", name), hardway.directory)
    hardway("pki", "gen")
    return hardway


def script(ready, node):
    return ready("plan", "--script", "--offline", "--node", node).out


@pytest.mark.parametrize("node", ["controller-0", "lb-0"])
def test_clean_in_every_shell(ready, node):
    path = ready.directory / "script.sh"
    path.write_text(script(ready, node))
    checked = subprocess.run(["shellcheck", path], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout
    for shell in SHELLS:
        done = subprocess.run([*shell, "-n", path], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, (shell, done.stderr)
        done = subprocess.run([*shell, path, "--help"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and "--binaries DIR" in done.stdout
        assert subprocess.run([*shell, path, "--nonsense"], capture_output=True, check=False, timeout=60).returncode == 64


@pytest.mark.parametrize("node", ["controller-0", "lb-0"])
def test_every_item_is_in_it_with_its_reason(ready, node):
    text = script(ready, node)
    ready("plan", "--output", "out")
    for line in (ready.directory / "out" / f"{node}.items").read_text().splitlines():
        words = line.split()
        if words[0] in ("file", "unit", "binary", "directory"):
            assert re.search(rf"\n#[^\n]*\n\S+( -d .*)? .*{re.escape(words[3])}\b", text), line
        elif words[0] in ("user", "package"):
            assert f"\n{words[0]} {words[1]} " in text, line
        elif words[0] == "object":
            assert words[1].rsplit("/", 1)[1] in text, line


def test_contents_are_those_of_the_plan(ready):
    """What stands between the lines is byte for byte what the plan has, and the digests are right."""
    ready("plan", "--output", "out", "--secrets")
    found = 0
    for node in ("controller-0", "lb-0"):
        for path, digest, content in re.findall(r"\nfile \d+ \S+ (\S+) \\\n +([0-9a-f]{64}) <<'END_OF_FILE'\n(.*?)END_OF_FILE\n",
                                                script(ready, node), re.DOTALL):
            with open(f"{ready.directory}/out/{node}{path}", encoding="utf-8") as file:
                assert file.read() == content, path
            summed = subprocess.run(["sha256sum", f"{ready.directory}/out/{node}{path}"], capture_output=True, text=True, check=True)
            assert summed.stdout.split()[0] == digest
            found += 1
        for path, digest in re.findall(r"\nsecret 0600 root:root (\S+) \\\n +([0-9a-f]{64})\n", script(ready, node)):
            summed = subprocess.run(["sha256sum", f"{ready.directory}/out/{node}{path}"], capture_output=True, text=True, check=True)
            assert summed.stdout.split()[0] == digest
            found += 1
    assert found > 40


def test_no_secret_is_in_it(ready):
    text = script(ready, "controller-0")
    assert "PRIVATE KEY" not in text and "client-key-data" not in text
    assert (ready.directory / "secrets" / "encryption-key").read_text().strip() not in text


def test_binaries_come_from_where_fetch_gets_them(ready):
    text = script(ready, "controller-0")
    locked = {entry["name"]: entry for entry in json.loads((ready.directory / "hardway.lock").read_text())["artifacts"]}
    assert "\nKUBERNETES_URL='https://dl.k8s.io'\n" in text
    assert f"{locked['etcd']['sha256']} \\\n        \"$ETCD_URL/v3.6.16/etcd-v3.6.16-linux-arm64.tar.gz\"" in text
    assert f"{locked['kubectl']['sha256']} \\\n        \"$KUBERNETES_URL/release/v1.36.3/bin/linux/arm64/kubectl\"" in text
    with open(ready.cluster, "a", encoding="utf-8") as file:
        file.write("mirrors: [ https://mirror.example/k8s ]\n")
    text = script(ready, "controller-0")
    assert "\nKUBERNETES_URL='https://mirror.example/k8s'\nETCD_URL='https://mirror.example/k8s/etcd'\n" in text


PART = os.path.join(TOP, "plan", "scripts", "script-binary.sh")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


@pytest.fixture(name="site")
def site_fixture(tmp_path):
    """Serves tmp_path on the loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def part(tmp_path, programs, commands):
    """Commands behind that part of the script, where of all that downloads there are only these programs."""
    path = tmp_path / "bin"
    path.mkdir(exist_ok=True)
    for name in ["sh", "mktemp", "rm", "tar", "gzip", "sha256sum", "cut", *programs]:
        (path / name).symlink_to(shutil.which(name))
    head = f"""die() {{ echo "$*" >&2; exit 1; }}
        sha256() {{ sha256sum <"$1" | cut -d ' ' -f 1; }}
        . {PART}
        """
    return subprocess.run(["/bin/sh", "-euc", head + commands], env={"PATH": str(path), "BINARIES": ""}, cwd=tmp_path,
                          capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(name="machine")
def machine_fixture(tmp_path):
    """A part of the script below a directory of its own, with a systemctl that notes what it is told and knows what runs and what is masked."""
    run = tmp_path / "run"
    (run / "hardway").mkdir(parents=True)
    (run / "systemd" / "system").mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()

    def program(name, body):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)

    program("systemctl", f"""echo "$*" >>{tmp_path}/told
        case "$*" in
        "mask --runtime "*) shift 2; for unit; do ln -s /dev/null "{run}/systemd/system/$unit"; done ;;
        "unmask --quiet --runtime "*) shift 3; for unit; do rm "{run}/systemd/system/$unit"; done ;;
        "enable "*) shift 2; ! [ -h "{run}/systemd/system/$1" ] || {{ echo "Unit file $1 is masked" >&2; exit 1; }} ;;
        "is-enabled "*) exit 1 ;;
        esac""")

    def play(name, commands, **stand_ins):
        text = ""
        for part_of in ("record", name):
            with open(os.path.join(TOP, "plan", "scripts", f"script-{part_of}.sh"), encoding="utf-8") as file:
                text += file.read().replace("/run/", f"{run}/").replace("/var/lib/", f"{tmp_path}/lib/")
        for stand_in, body in stand_ins.items():
            program(stand_in.replace("_", "-"), body)
        (tmp_path / "told").write_text("")
        done = subprocess.run(["/bin/sh", "-euc", f'die() {{ echo "$*" >&2; exit 1; }}\n{text}\n{commands}'], capture_output=True, text=True,
                              env={"PATH": f"{programs}:{os.environ['PATH']}"}, check=False, timeout=60)
        return done, (tmp_path / "told").read_text().splitlines()

    play.run = run
    return play


def test_what_a_run_that_was_killed_did_not_reload_is_reloaded(machine, tmp_path):
    conf = tmp_path / "haproxy.cfg"
    conf.write_text("new")
    record = machine.run / "hardway" / "haproxy.service.loaded"
    digest = hashlib.sha256(b"old").hexdigest()
    commands = f"runs() {{ :; }}\nunit haproxy.service abc {conf}"
    record.write_text(f"{digest}  {conf}\n")
    done, told = machine("unit", commands)
    assert done.returncode == 0 and "reloaded haproxy.service" in done.stdout and "reload haproxy.service" in told, done
    record.write_text(f"{hashlib.sha256(b'new').hexdigest()}  {conf}\n")
    done, told = machine("unit", commands)
    assert done.returncode == 0 and done.stdout == "" and "reload haproxy.service" not in told, done
    record.unlink()
    assert "reload haproxy.service" in machine("unit", commands)[1]


def test_what_a_run_that_was_killed_has_masked_can_be_enabled(machine):
    mask = machine.run / "systemd" / "system" / "haproxy.service"
    mask.symlink_to("/dev/null")
    commands = "package haproxy haproxy.service\nsystemctl enable --quiet haproxy.service"
    done, _ = machine("package", commands, dpkg_query="echo installed")
    assert done.returncode == 0 and not mask.is_symlink(), done

    # what a power cut has left half done is ended first, and what somebody else's apt-get holds is asked for again
    (machine.run.parent / "lib" / "hardway").mkdir()
    state, lib = machine.run.parent / "state", machine.run.parent / "lib" / "hardway"
    state.write_text("half-configured")
    once = machine.run.parent / "once"
    once.touch()
    done, _ = machine("package", commands, dpkg_query=f"cat {state}", apt_cache="exit 0", sleep="exit 0",
                      dpkg=f"""case "$*" in *" --configure -a") echo unpacked >{state} ;; esac""",
                      apt_get=f"""case "$*" in
        *" update") [ -e {once} ] || exit 0; rm {once}; echo "E: Could not get lock" >&2; exit 100 ;;
        "-s "*) exit 0 ;;
        *"DPkg::Lock::Timeout="*" install haproxy")
                if [ -e {once} ] || [ "$(cat {state})" != unpacked ]; then exit 100; fi; echo installed >{state} ;;
        *) exit 100 ;;
        esac""")
    assert done.returncode == 0 and done.stdout.endswith("installed haproxy\n") and state.read_text() == "installed\n", done
    assert (lib / "packages").read_text() == "haproxy\n" and not once.exists()

    # one that fails, or is told to end, leaves none; and while the package comes it is masked
    apt = f'case "$*" in *" -o "*) [ ! -h {mask} ] || echo masked >&2; exit 1;; esac'
    done, told = machine("package", commands, dpkg_query="echo config-files", apt_get=apt, apt_cache="exit 0", dpkg="exit 0")
    assert done.returncode == 1 and "cannot install haproxy" in done.stderr and "masked" in done.stderr, done
    assert "mask --runtime haproxy.service" in told and not mask.is_symlink()


MARK = "abc\\ndef\\n"


def test_data_that_is_not_this_clusters_is_refused(machine, tmp_path):
    """The mark is about to say that what lies there is this cluster's; so it is asked before anything is made."""
    data, mark = tmp_path / "data", tmp_path / "lib" / "hardway" / "etcd-identity"
    commands = f"printf '{MARK}' | data {data} {mark}; echo goes on"

    def refused():
        done, _ = machine("data", commands)
        assert done.returncode in (0, 1) and (done.stdout == "goes on\n") == (done.returncode == 0), done
        return done.stderr

    assert refused() == ""
    (data / "lost+found").mkdir(parents=True)
    assert refused() == ""
    (data / "member").mkdir()
    assert f"{data} is not empty, and {mark} does not say" in refused() and "nothing was changed" in refused()
    mark.parent.mkdir()
    for text, ok in (("another\n", False), ("abc\n", False), ("abc\ndef\n", True)):
        mark.write_text(text)
        assert (refused() == "") == ok, text
    (data / "member").rmdir()
    mark.unlink()
    (data / ".default").symlink_to("/nowhere")
    assert "(.default is there)" in refused()


def test_data_is_asked_for_before_anything_is_made(ready):
    text = script(ready, "controller-0")
    identity = (ready.directory / "secrets" / "identity").read_text().strip()
    asked = text.index("\ndata /var/lib/etcd /var/lib/hardway/etcd-identity <<'END_OF_FILE'\n" + identity)
    assert asked < text.index("\nuser etcd ")
    assert "\ndata " not in script(ready, "lb-0")


def test_which_directories_it_has_made_is_written_down(machine, tmp_path):
    owner = f"{tmp_path.owner()}:{tmp_path.group()}"
    theirs, ours, fits = tmp_path / "theirs", tmp_path / "ours", tmp_path / "fits"
    theirs.mkdir(mode=0o751)
    fits.mkdir(mode=0o700)
    functions = 'attributes() { chmod "$1" "$3"; chown "$2" "$3"; }\n'
    commands = functions + "".join(f"directory 0700 {owner} {path}\n" for path in (f"{theirs} chosen", ours, fits, f"{tmp_path}/lib/hardway"))
    lines = f"complete\nchosen {theirs} {owner} 751 {owner}\ndirectory {ours} {owner} nothing\n"
    for _ in range(2):
        done, _ = machine("directory", commands)
        assert done.returncode == 0, done
        assert (tmp_path / "lib" / "hardway" / "directories").read_text() == lines
        assert theirs.stat().st_mode & 0o777 == ours.stat().st_mode & 0o777 == 0o700
        theirs.chmod(0o755)
        shutil.rmtree(ours)
    # of what the script of an earlier version made, nobody knows
    (tmp_path / "lib" / "hardway" / "directories").unlink()
    (tmp_path / "lib" / "hardway" / "taken").write_text("/etc/a nothing\n")
    assert machine("directory", commands)[0].returncode == 0
    assert (tmp_path / "lib" / "hardway" / "directories").read_text().splitlines()[0].startswith("chosen ")


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_downloads_with_what_is_there(tmp_path, site, program):
    (tmp_path / "etcd").write_text("a program")
    subprocess.run(["tar", "-czf", "a.tar.gz", "etcd"], cwd=tmp_path, check=True)
    digest = hashlib.sha256((tmp_path / "a.tar.gz").read_bytes()).hexdigest()
    done = part(tmp_path, [program], f"download {site}/etcd one; unpack two {site}/a.tar.gz {digest} etcd")
    assert done.returncode == 0, done
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text() == "a program"
    done = part(tmp_path / "bin", [program], f"download {site}/not-there three")
    assert done.returncode == 1 and f"cannot download {site}/not-there" in done.stderr, done


def test_nothing_to_download_with(tmp_path):
    done = part(tmp_path, [], "echo goes on")
    assert done.returncode == 1 and done.stdout == "" and "curl or wget" in done.stderr


@pytest.mark.parametrize("shell", SHELLS_HERE, ids=" ".join)
def test_lock(tmp_path, shell):
    """As host/scripts/lock.sh has it: one at a time, and the other one is named; it goes with the script, also if that is killed while it does something."""
    lock = tmp_path / "run" / "hardway" / "run.lock"
    text = 'die() { echo "$*" >&2; exit 1; }\numask 077\n'
    for name in ("lock", "binary"):
        with open(os.path.join(TOP, "plan", "scripts", f"script-{name}.sh"), encoding="utf-8") as file:
            text += file.read().replace("/run/", f"{tmp_path}/run/")
    (tmp_path / "bin").mkdir()
    for name, body in (("sleep", "exit 0"), ("curl", "echo $$; exec sh -c 'read x'")):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def play(commands, **more):
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "BINARIES": "", "SUDO_USER": "pi"}
        return subprocess.Popen([*shell, "-euc", f"{text}\n{commands}"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    lock.parent.mkdir(parents=True)
    with open(lock, "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("pi@laptop since 2026-11-21T10:22:34Z: hardway install (process 4711)\n")
        held.flush()
        script_of_one = play("echo goes on")
        out, err = script_of_one.communicate(timeout=60)
        assert script_of_one.returncode == 1 and out == "", (out, err)
        assert err == "in use by pi@laptop since 2026-11-21T10:22:34Z: hardway install (process 4711); nothing was changed\n"
    shutil.rmtree(lock.parent)

    script_of_one = play("download http://a.example/a a")
    assert script_of_one.stdout.readline() == "downloading http://a.example/a\n"
    child = int(script_of_one.stdout.readline())
    assert lock.parent.stat().st_mode & 0o777 == 0o755 and lock.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(rf"pi@{os.uname().nodename} since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ: the script of hardway plan "
                        rf"\(process {script_of_one.pid}\)\n", lock.read_text())
    with open(lock, encoding="utf-8") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        script_of_one.send_signal(signal.SIGKILL)
        script_of_one.wait(timeout=60)
        os.kill(child, 0)  # it is still there
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    script_of_one.communicate(timeout=60)


def locked_at(ready, base, proof):
    """As if the binaries had come from there, on the word of that."""
    path = ready.directory / "hardway.lock"
    lock = json.loads(path.read_text())
    for entry in lock["artifacts"]:
        entry["url"] = entry["url"].replace("https://example.org", base)
        entry["proof"] = proof
    path.write_text(json.dumps(lock))


def sources(ready):
    return re.findall(r"\n(?:KUBERNETES|ETCD)_URL='(.*)'", script(ready, "controller-0"))


OFFICIAL = ["https://dl.k8s.io", "https://github.com/etcd-io/etcd/releases/download"]
MIRROR = ["https://b.example/k8s", "https://b.example/k8s/etcd"]


@pytest.mark.parametrize("proof, wanted", [("known", OFFICIAL), ("signature", OFFICIAL), ("mirror", MIRROR), ("accepted", MIRROR)])
def test_builds_of_a_mirror_come_from_it(ready, proof, wanted):
    """The lock has their digests, and the official address has other bytes; what is official is the same everywhere."""
    locked_at(ready, "https://b.example/k8s", proof)
    assert sources(ready) == wanted


def test_of_several_mirrors_the_one_that_had_it(ready):
    with open(ready.cluster, "a", encoding="utf-8") as file:
        file.write("mirrors: [ https://a.example, https://b.example/k8s ]\n")
    assert sources(ready) == ["https://a.example", "https://a.example/etcd"]
    locked_at(ready, "https://b.example/k8s", "known")
    assert sources(ready) == MIRROR


def test_what_cannot_be_made_is_refused(ready):
    assert "for one node" in ready("plan", "--script", "--offline", status=64).err
    ready("plan", "--script", "--output", "x", "--node", "lb-0", status=64)
    (ready.directory / "hardway.lock").unlink()
    result = ready("plan", "--script", "--offline", "--node", "controller-0", status=65)
    assert "not complete" in result.err and result.out == ""


def test_the_same_text_every_time(ready):
    assert script(ready, "lb-0") == script(ready, "lb-0")
