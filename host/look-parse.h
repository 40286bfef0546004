/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/observation.h"

/*
 * What look.sh prints, understood
 *
 * The text comes from another machine and is read strictly: a line that is not of the form that the program
 * behind it documents is an Error that shows it. Nothing is taken from a text that ends early.
 */
typedef struct LookRequest {
        const char *nonce;
        const InetAddress *address; /* the node's, whose interface is looked for */
        Strv units;                 /* in the order in which they were asked for */
        Strv sysctls;               /* keys; their files are sysctl_path() */
} LookRequest;

typedef struct Look {
        Observation *observation;
        char *record; /* applied.json, or NULL */
} Look;

#define LOOK_NULL ((Look) {})

/* facts: holds the defaults and is changed where the node says otherwise, also on failure */
int look_parse(const LookRequest *request, const char *data, size_t size, Facts *facts, Look *ret,
               Error **reterr);
void look_done(Look *look);
/* The answer of hash.sh: fills in sha256 of the paths it names. */
int look_parse_digests(const char *nonce, const char *data, size_t size, Observation *o, Error **reterr);
char* sysctl_path(const char *key); /* "proc/sys/net/ipv4/ip_forward" */
