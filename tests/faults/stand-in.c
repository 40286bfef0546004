/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Stands in for all programs that are installed: kubectl says "ok" to whatever it is asked, etcdutl knows what is in
 * a snapshot.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char versions[] = "v1.36.3\0v1.36.2\0constants3.6.16run together"; /* as they are stamped */

int main(int argc, char **argv) {
        bool snapshot = argc > 1 && strcmp(argv[1], "snapshot") == 0;

        return puts(snapshot ? "{\"revision\":3,\"totalKey\":1,\"totalSize\":4096,\"hash\":5}" : "ok") < 0 ||
               !versions[0];
}
