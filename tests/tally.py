#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts test results from JUnit files, and runs folders of check scripts into one.

tally.py sum DIR [--no-skips]       the closing line of tests/run, and its exit status
tally.py record DIR STAGE skipped REASON
tally.py ensure DIR STAGE           a stage failed: make sure that some file of it says so
tally.py run DIR STAGE FOLDER       every executable of FOLDER is one test
"""
import glob
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree


def write(directory, stage, cases):
    suite = ElementTree.Element("testsuite", name=stage, tests=str(len(cases)))
    for name, seconds, kind, text in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=stage, name=name, time=f"{seconds:.3f}")
        if kind:
            ElementTree.SubElement(case, kind, message=text.splitlines()[0] if text else kind).text = text
    ElementTree.ElementTree(suite).write(os.path.join(directory, stage + ".xml"))


def outcomes(directory):
    for path in sorted(glob.glob(os.path.join(directory, "*.xml"))):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = f"{os.path.basename(path)[:-4]}: {case.get('classname', '')} {case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                yield name, "failed", ""
            elif case.find("skipped") is not None:
                yield name, "skipped", case.find("skipped").get("message") or ""
            else:
                yield name, "passed", ""


def total(directory, no_skips):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, outcome, why in outcomes(directory):
        if outcome == "skipped" and no_skips:
            outcome, why = "failed", f"skipped where nothing may be skipped: {why}"
        if outcome != "passed":
            print(f"{outcome}: {name}" + (f" ({why})" if why else ""))
        counts[outcome] += 1
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        line += f", {counts['skipped']} skipped"
    print(line)
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


def ensure(directory, stage):
    prefix = stage + ":"
    other = stage + "-"
    for name, outcome, _ in outcomes(directory):
        if outcome == "failed" and name.startswith((prefix, other)):
            return 0
    path = os.path.join(directory, stage + ".xml")
    write(directory, stage if not os.path.exists(path) else stage + "-stage", [("the stage itself", 0, "failure", "failed")])
    return 0


def run(directory, stage, folder):
    cases = []
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        if not os.path.isfile(path) or not os.access(path, os.X_OK):
            continue
        start = time.monotonic()
        done = subprocess.run([path], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
        text = done.stdout + done.stderr
        kind = {0: None, 77: "skipped"}.get(done.returncode, "failure")
        if kind:
            print(f"{os.path.basename(path)}: {kind}\n{text}")
        cases.append((os.path.basename(path), time.monotonic() - start, kind, text))
    write(directory, stage, cases)
    return 1 if any(kind == "failure" for _, _, kind, _ in cases) or not cases else 0


def main(arguments):
    verb, directory = arguments[0], arguments[1]
    if verb == "sum":
        return total(directory, "--no-skips" in arguments)
    if verb == "record":
        write(directory, arguments[2], [("the whole stage", 0, arguments[3], arguments[4])])
        return 0
    if verb == "ensure":
        return ensure(directory, arguments[2])
    if verb == "run":
        return run(directory, arguments[2], arguments[3])
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
