# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may come next on a command line: asked of the program, and as bash completes it with completions/hardway.bash."""
import os
import re
import shlex
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(TOP, "completions", "hardway.bash")
OPTION = re.compile(r"^ {2,6}(?:-., )?(?: {4})?--([a-z][a-z0-9-]*)", re.MULTILINE)


def verbs(hardway):
    return re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  ", hardway("--help").out.split("Commands:\n")[1], re.MULTILINE)


def next_words(program, *words):
    return program("__complete", *words).out.splitlines()


def bash(program, line):
    """What bash completes the line to, its words cut as bash cuts them."""
    commands = f"""
        source {shlex.quote(SCRIPT)}
        compopt() {{ :; }}
        COMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _hardway {shlex.quote(program.path)}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-eu", "-c", commands], cwd=program.directory, env=program.environment, capture_output=True,
                          text=True, check=True, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_every_command_and_option(hardway):
    names = verbs(hardway)
    assert len(names) > 22
    for name in names:
        words = name.split()
        assert words[-1] in next_words(hardway, *words[:-1], words[-1][:-1]), name
        helped = set(OPTION.findall(hardway(*words, "--help").out))
        assert len(helped) > 4
        assert set(next_words(hardway, *words, "--")) >= {f"--{option}" for option in helped}, name
    assert {"init", "pki", "etcd"} <= set(next_words(hardway, "")) and next_words(hardway, "").count("pki") == 1
    assert next_words(hardway, "pki", "rotate-") == ["rotate-ca", "rotate-sa", "rotate-key"]
    assert next_words(hardway, "init", "--cont") == ["--controller"]


def test_values_that_are_words_are_those_of_the_help(hardway):
    """The only thing that is written down twice."""
    with open(os.path.join(TOP, "cli", "complete.c"), encoding="utf-8") as f:
        table = f.read().split("} choices[] = {")[1].split("};")[0]
    choices = re.findall(r'\{ "([a-z-]+)", "([^"]+)" \}', table)
    assert len(choices) == 6
    for option, words in choices:
        found = False
        for verb in verbs(hardway):
            text = " ".join(hardway(*verb.split(), "--help").out.split())
            told = re.search(rf"--{option}=\S+ (.*?)(?: -|$)", text)
            if told:
                found = True
                assert set(re.split(r"[ ,():]+", told.group(1))) >= set(re.split(r"[ :]+", words)), (verb, option)
                assert next_words(hardway, *verb.split(), f"--{option}", "") == words.split()
        assert found, option


def test_nodes_checks_drills_and_words(cluster):
    nodes = ["c0", "c1", "c2", "lb0", "lb1"]
    assert next_words(cluster, "install", "--node", "") == nodes
    assert next_words(cluster, "install", "--node=c") == ["c0", "c1", "c2"]
    assert next_words(cluster, "etcd", "replace", "l") == ["lb0", "lb1"]
    assert "disk-sync" in next_words(cluster, "check", "--ignore", "disk")
    assert "haproxy" in next_words(cluster, "verify", "--drill", "h")
    assert next_words(cluster, "pki", "rotate-ca", "") == ["cluster", "etcd", "front-proxy"]
    assert "--etcd-servers" in next_words(cluster, "explain", "--etcd-s") and "quorum" in next_words(cluster, "explain", "quo")
    assert next_words(cluster, "backup", "") == next_words(cluster, "kubeconfig", "--output", "") == [":files"]
    assert next_words(cluster, "plan", "--output", "") == [":directories"]
    assert next_words(cluster, "-c", "nowhere.yaml", "install", "--node", "") == []
    (cluster.directory / "two.yaml").write_text(cluster.cluster.read_text().replace("name: c0,", "name: west,"))
    for words in (["-c", "two.yaml", "install"], ["install", "--cluster=two.yaml"], ["--cluster", "=", "two.yaml", "install"]):
        assert next_words(cluster, *words, "--node", "w") == ["west"], words


def test_nothing_more_where_nothing_comes(hardway):
    assert next_words(hardway, "plan", "") == [] and next_words(hardway, "init", "--name", "") == []
    assert next_words(hardway, "nonsense", "") == [] and next_words(hardway, "pki", "gen", "x") == []


@pytest.mark.parametrize("line, found", [
    ("hardway etcd re", ["restore", "replace"]),
    ("hardway install --node c", ["c0", "c1", "c2"]),
    ("hardway install --node = lb", ["lb0", "lb1"]),
    ("hardway install --node =", ["c0", "c1", "c2", "lb0", "lb1"]),
    ("hardway -c hardway.yaml etcd replace c2", ["c2"]),
    ("hardway backup hardway.y", ["hardway.yaml"]),
    ("hardway plan --output t", ["tree"]),
])
def test_bash(cluster, line, found):
    (cluster.directory / "tree").mkdir()
    assert bash(cluster, line) == found
