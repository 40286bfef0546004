# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times a command in the lab's network, from within, so that entering the lab is not counted.

    python3 clock.py OUTPUT COMMAND...                   seconds to its end
    python3 clock.py OUTPUT --until CA URL COMMAND...    and to the first 200 from URL, which is asked every 50 ms; null: it ended without

What it prints goes to the file OUTPUT. The answer is JSON: status, seconds, answered, and the peak memory in KiB of the largest of its
processes."""
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request

LIMIT_SEC = 180


def answers(url, context):
    try:
        with urllib.request.urlopen(url, timeout=1, context=context) as response:
            return response.status == 200
    except OSError:
        return False


def await_answer(ca, url, start):
    context = ssl.create_default_context(cafile=ca)
    while not answers(url, context):
        if time.monotonic() - start > LIMIT_SEC:
            return None
        time.sleep(0.05)
    return time.monotonic() - start


def main():
    output, command, until = sys.argv[1], sys.argv[2:], None
    if command[0] == "--until":
        until, command = command[1:3], command[3:]
    with open(output, "wb") as out:
        start = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as process:
            answered = await_answer(*until, start) if until else None
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"status": process.returncode, "seconds": seconds, "answered": answered, "peak": usage.ru_maxrss}))


main()
