#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turn files into a C source and a header, to be compiled into the program.

usage: embed.py OUTPUT.c OUTPUT.h INPUT...

host/setup-node.sh becomes EMBED_SETUP_NODE_SH, a NUL-terminated array of char, and EMBED_SETUP_NODE_SH_SIZE,
its size without that NUL. In FOLDER/meson.build:

        hardway_sources += custom_target('host-scripts',
                input : files('setup-node.sh', 'stop-node.sh'),
                output : ['host-scripts.c', 'host-scripts.h'],
                command : embed_command)

and in C: #include "host/host-scripts.h".
"""

import os
import re
import sys

SPDX = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n"
SPDX += "/* Made by meson/embed.py from %s: do not edit. */\n"


def c_name(path):
    return "EMBED_" + re.sub(r"[^A-Za-z0-9]", "_", os.path.basename(path)).upper()


def c_bytes(data):
    rows = [data[i:i + 16] for i in range(0, len(data), 16)]
    return "".join("        " + " ".join("0x%02x," % byte for byte in row) + "\n" for row in rows)


def main(source, header, inputs):
    names = {}
    for path in inputs:
        if c_name(path) in names:
            sys.exit("embed.py: %s and %s have the same name in C" % (names[c_name(path)], path))
        names[c_name(path)] = path

    made_from = ", ".join(os.path.basename(path) for path in inputs)
    h = SPDX % made_from + "#pragma once\n\n"
    c = SPDX % made_from + '#include "%s"\n' % os.path.basename(header)

    for name, path in names.items():
        with open(path, "rb") as f:
            data = f.read()
        h += "#define %s_SIZE %d\nextern const char %s[%s_SIZE + 1];\n" % (name, len(data), name, name)
        c += "\nconst char %s[%s_SIZE + 1] = {\n%s        0x00,\n};\n" % (name, name, c_bytes(data))

    for path, text in ((source, c), (header, h)):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
