/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sections of look.sh's answer about the node's addresses and who listens there. */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"
#include "host/look-internal.h"

/* What the kernel calls dynamic has an end: "scope global dynamic noprefixroute eth0\  valid_lft 85000sec". */
static bool is_dynamic(char *rest) {
        const char *word;

        while ((word = look_word(&rest)) && *word != '\\')
                if (streq(word, "dynamic"))
                        return true;
        return false;
}

/* "2: eth0    inet 10.77.0.20/24 brd 10.77.0.255 scope global eth0\ ..." */
static int address_line(LookParser *p, char *line) {
        char *index = look_word(&line), *interface = look_word(&line), *family = look_word(&line),
             *text = look_word(&line), *slash;
        unsigned prefix_length;
        InetAddress address;

        if (!text)
                return look_bad(p, "ip", index ? index : "");
        if (!streq(family, "inet") && !streq(family, "inet6"))
                return 0;
        slash = strchr(text, '/');
        if (slash)
                *slash++ = 0;
        if (inet_address_parse(text, &address) < 0)
                return look_bad(p, "ip", text);
        /* an address with a peer and no prefix is alone on its link */
        if (!slash)
                prefix_length = (unsigned) inet_address_size(&address) * 8;
        else if (parse_unsigned(slash, 0, 128, &prefix_length) < 0)
                return look_bad(p, "ip", slash);
        interface[strcspn(interface, "@")] = 0;
        strv_add(&p->facts->addresses, text);
        strv_addf(&p->facts->networks, "%s %s/%u", interface, text, prefix_length);
        if (inet_address_equal(&address, p->request->address)) {
                free(p->facts->interface);
                p->facts->interface = xstrdup(interface);
                p->facts->prefix_length = prefix_length;
                p->facts->address_dynamic = is_dynamic(line);
        }
        return 0;
}

int look_addresses(LookParser *p, char *text, size_t size) {
        p->facts->addresses = strv_free(p->facts->addresses);
        p->facts->networks = strv_free(p->facts->networks);
        return look_each_line(p, text, address_line);
}

/* "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=36,fd=3))" */
static int listener_line(LookParser *p, char *line) {
        char *state = look_word(&line), *received = look_word(&line), *sent = look_word(&line),
             *local = look_word(&line), *peer = look_word(&line), *port, *process;
        const char *bracket;

        if (!received || !sent || !local || !peer)
                return look_bad(p, "ss", state ? state : "");
        port = strrchr(local, ':');
        if (!port)
                return look_bad(p, "ss", local);
        *port++ = 0;
        /* "127.0.0.53%lo", and "[fe80::1%eth0]" or "[fe80::1]%eth0" */
        local[strcspn(local, "%")] = 0;
        bracket = *local == '[' && !strchr(local, ']') ? "]" : "";
        process = strstr(line, "((\"");
        if (process) {
                process += strlen("((\"");
                process[strcspn(process, "\"")] = 0;
        }
        strv_addf(&p->facts->listening, "%s%s:%s%s%s", streq(local, "*") ? "[::]" : local, bracket, port,
                  process ? " " : "", process ? process : "");
        return 0;
}

int look_listening(LookParser *p, char *text, size_t size) {
        p->facts->listening = strv_free(p->facts->listening);
        return look_each_line(p, text, listener_line);
}
