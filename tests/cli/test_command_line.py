# SPDX-License-Identifier: LGPL-2.1-or-later
"""Verbs, options, exit statuses and help."""
import fcntl
import json
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import NODES

VERBS_WITH_FILE = ["fetch", "plan", "kubeconfig", "pki gen"]


def verbs(hardway):
    commands = hardway("--help").out.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
    rows = [re.fullmatch(r"  ([a-z-]+(?: [a-z-]+)?) {2,}\S.*", line) for line in commands.splitlines()]
    assert all(rows), f"a command's summary is too long for one line:\n{commands}"
    return [row.group(1) for row in rows]


def test_version(hardway):
    assert re.fullmatch(r"hardway \d+\.\d+\.\d+\n", hardway("--version").out)


def test_help(hardway):
    result = hardway("--help")
    assert result.err == ""
    assert result.out.startswith("Usage: hardway [OPTION...] COMMAND [OPTION...]\n")
    assert {"init", "fetch", "plan", "kubeconfig", "pki gen"} <= set(verbs(hardway))


def test_help_of_each_verb(hardway):
    for verb in verbs(hardway):
        result = hardway(*verb.split(), "--help")
        assert result.err == ""
        assert result.out.startswith(f"Usage: hardway {verb} "), result
        assert "--cluster=FILE" in result.out
        assert not re.search(r"^.{81,}$", result.out, re.MULTILINE), result


@pytest.mark.parametrize("words, message", [
    ([], "hardway: which command? See: hardway --help\n"),
    (["plam"], "hardway: unknown command 'plam'; did you mean 'plan'?\n"),
    (["frobnicate"], "hardway: unknown command 'frobnicate', see: hardway --help\n"),
    (["renew"], "hardway: unknown command 'renew'; did you mean 'pki renew'?\n"),
    (["pki", "gem"], "hardway: unknown command 'pki gem'; did you mean 'pki gen'?\n"),
    (["plan", "extra"], "hardway: plan: unexpected argument 'extra', see: hardway plan --help\n"),
])
def test_usage_errors(hardway, words, message):
    result = hardway(*words, status=64)
    assert result.err == message
    assert result.out == ""


@pytest.mark.parametrize("words, message", [
    (["init", "--controler", "c0=10.0.0.1"], "init: unknown option '--controler'; did you mean '--controller'?"),
    (["plan", "--offlin=x", "--ofline"], "plan: unknown option '--ofline'; did you mean '--offline'?"),
    (["pki", "list", "--jsn"], "pki list: unknown option '--jsn'; did you mean '--json'?"),
    (["plan", "--hlep"], "plan: unknown option '--hlep'; did you mean '--help'?"),
    (["init", "--name", "--controler", "--controlller"], "init: unknown option '--controlller'; did you mean '--controller'?"),
])
def test_a_misspelt_option_is_known(hardway, words, message):
    """Beginnings, and what is the value of another option, are left to whoever reads the options."""
    result = hardway(*words, status=64)
    assert result.err == f"hardway: {message}\n" and result.out == ""


@pytest.mark.parametrize("words", [
    ["kubeconfig", "--output=~/.kube/config"], ["kubeconfig", "--out", "~/.kube/config"], ["plan", "--output=~/tree"],
    ["fetch", "--bundle=~/all.tar"], ["plan", "-c~/hardway.yaml"], ["plan", "--cluster=~/hardway.yaml"],
])
def test_a_home_directory_that_the_shell_has_left(cluster, words):
    result = cluster(*words, status=64)
    assert "the shell has left '~/" in result.err and "with a blank" in result.err and result.out == ""
    assert not (cluster.directory / "~").exists()
    assert cluster("plan", "--output=./~/tree").status == 0 and (cluster.directory / "~" / "tree").exists()


def test_help_of_a_group(hardway):
    for words in ["pki", "--help"], ["pki", "-h"], ["help", "pki"]:
        out = hardway(*words).out
        assert "hardway pki gen " in out and "hardway pki rotate-ca " in out and "install" not in out
    refused = hardway("pki", status=64)
    assert refused.err.startswith("hardway: pki needs one more word:\n") and "hardway pki gen " in refused.err and not refused.out


def test_help_by_other_names(hardway):
    assert hardway("help").out == hardway("-h").out == hardway("--help").out
    assert hardway("help", "pki", "gen").out == hardway("pki", "gen", "-h").out == hardway("pki", "gen", "--help").out
    assert "unknown command 'plam'" in hardway("help", "plam", status=64).err


@pytest.mark.parametrize("verb", ["verify", "status"])
def test_an_incomplete_directory_is_not_the_nodes_fault(cluster, verb):
    result = cluster(verb, status=65)
    assert "pki/ is not complete" in result.err and "hardway pki gen" in result.err and not result.out


def test_what_install_lacks_is_summed_up(cluster):
    result = cluster("install", status=65)
    assert "hardway pki gen" in result.err and "hardway fetch" in result.err and len(result.err.splitlines()) < 8, result


@pytest.mark.parametrize("words", [
    ["--frobnicate", "plan"], ["plan", "--frobnicate"], ["plan", "--node"], ["--color=sometimes", "plan"],
    ["fetch", "--parallel", "0"], ["fetch", "--parallel", "4x"], ["fetch", "--node", "c0"], ["plan", "--secrets"],
])
def test_option_errors(hardway, words):
    result = hardway(*words, status=64)
    assert re.fullmatch(r"hardway: .*, see: hardway (\w+ )?--help\n", result.err), result
    assert result.out == ""


@pytest.mark.parametrize("words, text", [
    (["plan", "--frobnicate", "--json"], "plan: unrecognized option '--frobnicate', see: hardway plan --help"),
    (["plan", "--js", "--frobnicate"], "plan: unrecognized option '--frobnicate', see: hardway plan --help"),
    (["plan", "--json", "--node"], "plan: option '--node' requires an argument, see: hardway plan --help"),
    (["plan", "--secrets", "--json"], "plan: --secrets is for --output, see: hardway plan --help"),
    (["--frobnicate", "plan", "--json"], "unrecognized option '--frobnicate', see: hardway --help"),
    (["--color=sometimes", "plan", "--json"], "--color takes auto, always or never, not 'sometimes', see: hardway --help"),
    (["plan", "extra", "--json"], "plan: unexpected argument 'extra', see: hardway plan --help"),
    (["plam", "--json"], "unknown command 'plam'; did you mean 'plan'?"),
    # what has no --json is told as JSON all the same to whoever wants that
    (["kubeconfig", "--json"], "kubeconfig: unrecognized option '--json', see: hardway kubeconfig --help"),
    (["--json"], "unrecognized option '--json', see: hardway --help"),
    (["pki", "check", "--warn", "soon", "--json"], "pki check: not a length of time: 'soon' (30d, 12h, 90m), see: hardway pki check --help"),
])
def test_usage_errors_as_json(hardway, words, text):
    result = hardway(*words, status=64)
    errors = json.loads(result.out)["errors"]
    assert errors == [{"text": text}] and result.err == people_read(errors[0])


@pytest.mark.parametrize("words", [["install", "--frobnicate"], ["pki", "renew", "--expiring", "soon"], ["fetch", "--parallel", "0"]])
def test_usage_errors_as_events(hardway, words):
    result = hardway(*words, "--json", status=64)
    event = json.loads(result.out)
    assert event["event"] == "error" and result.err == people_read(event), result


def test_no_json_where_none_is_wanted(hardway):
    assert hardway("plan", "--frobnicate", "--", "--json", status=64).out == ""
    assert hardway("plan", "--json", "--help").out == hardway("plan", "--help").out


@pytest.mark.parametrize("verb", VERBS_WITH_FILE)
def test_no_cluster_file(hardway, verb):
    result = hardway(*verb.split(), status=65)
    assert result.err == ("hardway: cannot open hardway.yaml: No such file or directory\n"
                          "  Name it with -c FILE, or write one with: hardway init\n")


def test_bad_cluster_file(hardway):
    hardway.cluster.write_text("cluster: pi\nendpoint:\n  adress: 10.0.0.1\n  port: 6443abc\nnodes: []\n")
    result = hardway("plan", status=65)
    assert result.err == (
        "hardway: hardway.yaml:3:3: endpoint: unknown key 'adress'; did you mean 'address'?\n"
        "hardway: hardway.yaml:4:9: endpoint.port: '6443abc' is not a port number (1 to 65535)\n"
        "hardway: hardway.yaml:5:8: nodes: none is a controller\n")
    assert result.out == ""


def test_cluster_file_is_a_directory(hardway):
    hardway.cluster.mkdir()
    assert hardway("plan", status=65).err.startswith("hardway: ")
    (hardway.directory / "pi").mkdir()
    assert "Name the file in it: -c pi/hardway.yaml" in hardway("-c", "pi", "plan", status=65).err


def test_cluster_file_by_option_on_both_sides(cluster, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    for words in (["-c", "../hardway.yaml", "plan", "--offline"], ["plan", "--offline", "--cluster=../hardway.yaml"]):
        assert cluster(*words, cwd=inner).out == cluster("plan", "--offline").out
    assert os.listdir(inner) == []


def test_unknown_node(cluster):
    assert cluster("plan", "--node", "c9", status=64).err == (
        "hardway: --node: hardway.yaml has no node 'c9'; did you mean 'c0'?\n")
    assert cluster("plan", "--node", "xyzzy", status=64).err == (
        "hardway: --node: hardway.yaml has no node 'xyzzy' (it has c0, c1, c2, lb0, lb1)\n")


def test_warnings_do_not_stop(cluster):
    text = cluster.cluster.read_text().replace("kubernetes: v1.36.3 ", "etcd: v3.6.11\nkubernetes: v1.36.3 ")
    cluster.cluster.write_text(text)
    result = cluster("--quiet", "plan", "--offline", "--node", "lb0")
    assert "hardway: warning: hardway.yaml:4:7: etcd: v3.6.11 has known security holes" in result.err


@pytest.mark.parametrize("words", [["install"], ["reset"], ["pki", "renew"], ["etcd", "restore", "x"],
                                   ["verify", "--failover"]])
def test_the_last_event_says_what_failed(cluster, words):
    """For scripts, also where it ends before anything has begun: one event a line, and on standard error what people read."""
    result = cluster(*words, "--json", status=64 if words in (["reset"], ["verify", "--failover"]) else 65)
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [event["event"] == "error" for event in events] == [False] * (len(events) - 1) + [True]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"]) for event in events)
    assert result.err.startswith(f"hardway: {events[-1]['text']}\n")


def people_read(error):
    """An error of --json as standard error has it."""
    return "".join([f"hardway: {error['text']}\n", *(f"  {line}\n" for line in error.get("details", "").splitlines())])


def test_the_last_event_says_what_to_do(cluster):
    cluster("pki", "gen")
    result = cluster("install", "--json", status=65)
    last = json.loads(result.out.splitlines()[-1])
    assert "run: hardway fetch" in last["details"] and result.err.endswith(people_read(last)), result
    result = cluster("fetch", "--json", "--offline", status=69)
    last = json.loads(result.out.splitlines()[-1])
    assert last["event"] == "error" and "hardway fetch --from FILE" in last["details"] and people_read(last) == result.err, result


def test_times_are_no_longer_than_milliseconds(cluster):
    cluster("pki", "gen")
    for _ in range(5):  # of one in ten more digits would not be seen
        last = json.loads(cluster("install", "--json", status=65).out.splitlines()[-1], parse_float=str)
        assert re.fullmatch(r"\d+\.\d{1,3}", last["seconds"]), last


@pytest.mark.parametrize("words", [["check"], ["plan"], ["status"], ["verify"], ["pki", "list"], ["pki", "gen"], ["fetch", "--list"]])
def test_a_document_says_what_failed(cluster, words):
    """For scripts, also where the cluster file is wrong: one document, and nothing is missing from it."""
    cluster.cluster.write_text(cluster.cluster.read_text() + "junk: 1\nmore: 2\n")
    result = cluster(*words, "--json", status=65)
    errors = json.loads(result.out)["errors"]
    assert len(errors) == 2 and "junk" in errors[0]["text"] and "more" in errors[1]["text"]
    assert "".join(people_read(error) for error in errors) == result.err


@pytest.mark.parametrize("words", [["install"], ["fetch"], ["reset", "--yes"]])
def test_the_last_event_says_all_that_failed(cluster, words):
    cluster.cluster.write_text(cluster.cluster.read_text() + "junk: 1\nmore: 2\n")
    result = cluster(*words, "--json", status=65)
    event = json.loads(result.out)
    assert event["event"] == "error" and event["text"] == event["errors"][0]["text"]
    assert "".join(people_read(error) for error in event["errors"]) == result.err


def test_colours_are_for_terminals(cluster):
    cluster.cluster.write_text("")
    plain = cluster("plan", status=65).err
    assert "\033" not in plain
    coloured = cluster("--color=always", "plan", status=65).err
    assert coloured == plain.replace("hardway:", "\033[31mhardway:\033[0m", 1)
    assert cluster("--color=never", "plan", status=65).err == plain


# Each prints in a way of its own: argp, texts, tables, documents, events. With the exit status: that of what fails anyway says more.
PRINTED = {"--help": 74, "--version": 74, "pki --help": 74, "plan --help": 74, "help install": 74, "explain": 74, "explain --etcd-servers": 74,
           "explain etcd --json": 74, "plan --offline": 74, "pki gen": 74, "pki list": 74, "pki list --json": 74, "kubeconfig": 74,
           "pki check --no-nodes": 74, "install --json": 65, "fetch --offline --json": 69}


@pytest.fixture(name="printing")
def printing_fixture(cluster):
    """Runs it with a standard output that fails, and tells how it ended and what it said of that."""
    def run(words, stdout, **options):
        done = subprocess.run([cluster.path, *words], cwd=cluster.directory, stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, text=True, env=cluster.environment, timeout=60, check=False, **options)
        assert "Sanitizer" not in done.stderr, done.stderr
        return done.returncode, re.findall(r"^hardway: standard output cannot be written: (.*)$", done.stderr, re.M), done.stderr

    if not (cluster.directory / "pki").exists():
        cluster("pki", "gen")
    run.cluster = cluster
    return run


@pytest.mark.parametrize("words", PRINTED)
def test_full_disk(printing, words):
    with open("/dev/full", "w", encoding="utf-8") as full:
        status, reasons, err = printing(words.split(), full)
    assert (status, reasons) == (PRINTED[words], ["No space left on device"]), err


def test_full_disk_under_standard_error(printing):
    """Warnings that did not arrive, there is nobody to be told of but by the status."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([printing.cluster.path, "plan", "--offline"], cwd=printing.cluster.directory, stdout=subprocess.PIPE, stderr=full,
                              text=True, env=printing.cluster.environment, check=False)
    assert done.returncode == 74 and done.stdout == printing.cluster("plan", "--offline").out


def test_disk_that_is_full_half_way(printing, tmp_path):
    """The write that fails is none of the last, and the reason is that of the first that did."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    for words in ["plan", "--offline"], ["pki", "list"], ["pki", "list", "--json"]:
        whole = printing.cluster(*words).out.encode()
        assert len(whole) > 8192
        with open(tmp_path / "out", "wb") as out:
            # of SIGXFSZ, which Python ignores, the child shall not die either
            status, reasons, err = printing(words, out, preexec_fn=limit, restore_signals=False)
        written = (tmp_path / "out").read_bytes()
        assert (status, reasons) == (74, ["File too large"]), err
        assert len(written) == 8192
        assert written == whole[:8192] or "--json" in words  # with seconds in it


@pytest.mark.parametrize("words", PRINTED)
def test_closed_pipe_is_quiet(printing, words):
    read, write = os.pipe()
    os.close(read)
    status, reasons, err = printing(words.split(), write)
    os.close(write)
    assert (status, reasons) == (PRINTED[words], []), err


def test_reader_that_has_seen_enough(printing):
    """`| head -1`: the pipe is closed when a part was read."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    plan = subprocess.Popen([printing.cluster.path, "plan", "--offline"], cwd=printing.cluster.directory, stdout=write, stderr=subprocess.PIPE,
                            text=True, env=printing.cluster.environment)
    os.close(write)
    assert os.read(read, 1) == b"#"
    os.close(read)
    _, err = plan.communicate(timeout=60)
    assert plan.returncode == 74 and "standard output" not in err, err


def test_reader_that_is_slow(printing):
    """A pipe that does not want to be waited for, as ssh leaves one, is waited for."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(write, False)
    whole = printing.cluster("plan", "--offline").out
    plan = subprocess.Popen([printing.cluster.path, "plan", "--offline"], cwd=printing.cluster.directory, stdout=write, stderr=subprocess.PIPE,
                            text=True, env=printing.cluster.environment)
    os.close(write)
    assert len(whole) > 8192
    with pytest.raises(subprocess.TimeoutExpired):
        plan.wait(timeout=0.5)
    with open(read, encoding="utf-8") as reader:
        assert reader.read() == whole
    assert plan.wait(timeout=60) == 0


def test_reader_that_has_stopped(printing):
    """Whoever wants it to end does not have to wait for him as well."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    for blocking in True, False:
        os.set_blocking(write, blocking)
        plan = subprocess.Popen([printing.cluster.path, "plan", "--offline"], cwd=printing.cluster.directory, stdout=write, stderr=subprocess.PIPE,
                                text=True, env=printing.cluster.environment)
        with pytest.raises(subprocess.TimeoutExpired):
            plan.wait(timeout=0.5)
        plan.terminate()
        _, err = plan.communicate(timeout=20)
        assert plan.returncode == 74 and "standard output cannot be written: interrupted" in err, err
    os.close(read)
    os.close(write)


def test_no_standard_output(printing):
    """Nothing that is opened gets its number: results do not go into keys."""
    for name in ("pki", "secrets"):
        shutil.rmtree(printing.cluster.directory / name)
    for path in printing.cluster.directory.glob("*.conf"):
        path.unlink()
    status, reasons, err = printing(["pki", "gen"], None, preexec_fn=lambda: os.close(1))
    assert (status, reasons) == (74, ["it is closed"]), err
    assert printing(["pki", "gen", "--quiet"], None, preexec_fn=lambda: os.close(1))[0] == 0
    printing.cluster("pki", "check", "--no-nodes")
    # whoever closes standard error wants to hear of nothing
    done = subprocess.run([printing.cluster.path, "plan", "--offline"], cwd=printing.cluster.directory, stdout=subprocess.PIPE, text=True,
                          env=printing.cluster.environment, preexec_fn=lambda: os.close(2), check=False)
    assert done.returncode == 0 and done.stdout == printing.cluster("plan", "--offline").out


def test_two_at_once(cluster):
    holder = subprocess.Popen(["flock", ".hardway-busy", "-c", "echo held; read line"], cwd=cluster.directory,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    result = cluster("pki", "gen", status=75)
    assert result.err == "hardway: .hardway-busy is locked by somebody else\n"
    assert not (cluster.directory / "pki").exists()

    waiting = subprocess.Popen([cluster.path, "pki", "gen", "--wait"], cwd=cluster.directory, stdout=subprocess.DEVNULL,
                               env=cluster.environment)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0.5)
    holder.communicate("go\n")
    assert waiting.wait(timeout=60) == 0


def test_who_holds_the_lock(cluster):
    """User, host, since when and which command, to a second one that fails and to one that waits."""
    first = subprocess.Popen([cluster.path, "pki", "gen", "--protect", "all", "--passphrase-file", "-"], cwd=cluster.directory,
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**cluster.environment, "SUDO_USER": "daemon"})
    busy = cluster.directory / ".hardway-busy"
    while not busy.exists() or not busy.read_text():
        assert first.poll() is None
    # behind sudo it is who gave the command
    user = "daemon" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    who = rf"{user}@{re.escape(socket.gethostname())} since {time.strftime('%Y-%m-')}\d\dT\d\d:\d\d:\d\dZ: hardway pki gen \(process {first.pid}\)"
    result = cluster("pki", "gen", status=75)
    assert re.fullmatch(rf"hardway: \.hardway-busy is locked by {who}\n", result.err), result

    second = subprocess.Popen([cluster.path, "pki", "gen", "--wait"], cwd=cluster.directory, stdout=subprocess.PIPE,
                              text=True, env=cluster.environment)
    assert re.fullmatch(rf"Waiting: \.hardway-busy is locked by {who}\n", second.stdout.readline())
    first.communicate("secret\n", timeout=60)
    second.communicate(timeout=60)
    assert first.returncode == second.returncode == 0


@pytest.mark.parametrize("words", [["verify"], ["status"], ["check"], ["plan"]])
def test_looking_can_be_interrupted(cluster, tmp_path, words):
    """By commands that change nothing, at once, although no node answers."""
    cluster("pki", "gen")
    (cluster.directory / "hardway.lock").write_text('{"format": 1, "artifacts": []}\n')
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f"#!/bin/sh\necho $$ >>{tmp_path}/asked\nexec sleep 600\n")
    ssh.chmod(0o755)
    looking = subprocess.Popen([cluster.path, *words], cwd=cluster.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**cluster.environment, "PATH": f"{ssh.parent}:{os.environ['PATH']}"})
    while not (tmp_path / "asked").exists():
        assert looking.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        looking.wait(timeout=0.5)
    looking.send_signal(signal.SIGINT)
    out, err = looking.communicate(timeout=8)  # a connection alone takes ten seconds
    assert looking.returncode == 75, (out, err)
    assert "stopped as asked; nothing was changed" in err
    assert "failed" not in out
    assert [pid for pid in (tmp_path / "asked").read_text().split() if os.path.exists(f"/proc/{pid}")] == []


@pytest.mark.parametrize("words", [["pki", "gen"], ["verify", "--failover", "--yes"]])
def test_waiting_can_be_interrupted(cluster, words):
    holder = subprocess.Popen(["flock", ".hardway-busy", "-c", "echo held; read line"], cwd=cluster.directory,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    waiting = subprocess.Popen([cluster.path, *words, "--wait"], cwd=cluster.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=cluster.environment)
    assert any(line == "Waiting: .hardway-busy is locked by somebody else\n" for line in waiting.stdout)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0.5)
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 75
    assert err == "hardway: stopped while waiting, and nothing was changed: .hardway-busy is locked by somebody else\n"
    holder.communicate("go\n")


def test_a_crash_leaves_nothing(cluster):
    """Keys and passphrases would be in it, and the directory is made to be committed."""
    def allow_all():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

    holder = subprocess.Popen(["flock", ".hardway-busy", "-c", "echo held; read line"], cwd=cluster.directory,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    waiting = subprocess.Popen([cluster.path, "pki", "gen", "--wait"], cwd=cluster.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=cluster.environment, preexec_fn=allow_all)
    assert any(line == "Waiting: .hardway-busy is locked by somebody else\n" for line in waiting.stdout)
    with open(f"/proc/{waiting.pid}/limits", encoding="utf-8") as file:
        soft = re.search(r"^Max core file size +(\S+)", file.read(), re.M).group(1)
    waiting.send_signal(signal.SIGABRT)
    waiting.communicate(timeout=60)
    holder.communicate("go\n")
    assert soft in ("0", "1")  # a byte, of which not even a handler gets one (core(5))
    assert waiting.returncode != 0 and not list(cluster.directory.glob("*core*"))


def test_commands_of_a_group_are_told(hardway):
    for words in (["pki", "foo"], ["etcd", "list"]):
        refused = hardway(*words, status=64)
        assert refused.err.startswith(f"hardway: unknown command '{' '.join(words)}'; those of {words[0]} are:\n")
        assert f"\n  hardway {words[0]} " in refused.err
    assert "did you mean 'pki gen'" in hardway("pki", "gne", status=64).err


def test_help_speaks_of_what_it_names(hardway):
    """Options are sorted: each text has to stand alone."""
    text = hardway("init", "--help").out
    for dangling in ("Instead of both", "Its port", "name of it"):
        assert dangling not in text
    install = hardway("install", "--help").out
    assert "Do not ask" not in install and re.search(r"--yes +Take healthy etcd members", install)
    assert "Do not ask" in hardway("reset", "--help").out


def test_hints_are_about_the_cluster_file_in_use(hardway, tmp_path):
    assert hardway("-c", "pi/home.yaml", "init", *NODES).out.endswith("then: hardway check -c pi/home.yaml\n")
    assert "(hardway pki gen -c pi/home.yaml makes it)" in hardway("-c", "pi/home.yaml", "kubeconfig", status=65).err
    assert "Next: hardway fetch -c pi/home.yaml\n" in hardway("-c", "pi/home.yaml", "pki", "gen").out
    hardway("-c", "two words/hardway.yaml", "init", *NODES)
    assert "hardway pki gen -c 'two words/hardway.yaml' makes" in hardway("-c", "two words/hardway.yaml", "kubeconfig", status=65).err
    # The default needs no word.
    hardway.init()
    assert "(hardway pki gen makes it)" in hardway("kubeconfig", status=65).err
    assert "see: hardway pki gen --help" in hardway("-c", "pi/home.yaml", "pki", "gen", "foo", status=64).err
    # Where a backup went is where the next command is to look.
    (tmp_path / "word").write_text("correct horse\n")
    hardway("-c", "pi/home.yaml", "backup", "--passphrase-file", "word", "p.backup")
    told = hardway("restore", "--passphrase-file", "word", "--directory", "back", "p.backup").out
    assert "Next: hardway status -c back/home.yaml\n" in told
    # The list of commands stays a list.
    assert "home.yaml" not in hardway("-c", "pi/home.yaml", "pki", "foo", status=64).err
