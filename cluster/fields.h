/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * The texts of a cluster file: each parser takes the text and the field, and returns NULL or, allocated,
 * what is wrong. They look at one text alone; what depends on other values is looked at in check*.c.
 */
char* field_label(const char *text, void *field);     /* char*: RFC 1123 label */
char* field_dns_name(const char *text, void *field);  /* char* */
char* field_dns_names(const char *text, void *field); /* Strv, adds */
char* field_sans(const char *text, void *field);     /* Strv, adds: a DNS name, also *.NAME, or an address */
char* field_address(const char *text, void *field);  /* InetAddress */
char* field_networks(const char *text, void *field); /* NetworkList, adds */
char* field_port(const char *text, void *field);     /* unsigned */
char* field_prefix(const char *text, void *field);   /* unsigned */
char* field_vrrp_id(const char *text, void *field);  /* unsigned */
char* field_hours(const char *text, void *field);    /* unsigned; "6h", "2d", "never" */
char* field_keep(const char *text, void *field);     /* unsigned */
char* field_days(const char *text, void *field);     /* unsigned */
char* field_boolean(const char *text, void *field);  /* bool */
char* field_version(const char *text, void *field);  /* Version */
char* field_architecture(const char *text, void *field);    /* Architecture */
char* field_network_profile(const char *text, void *field); /* NetworkProfile */
char* field_disk_profile(const char *text, void *field);    /* DiskProfile */
char* field_key_type(const char *text, void *field);        /* KeyType */
char* field_roles(const char *text, void *field);           /* unsigned, a mask of NodeRole, adds */
char* field_user(const char *text, void *field);            /* char* */
char* field_host_key(const char *text, void *field);        /* char* */
char* field_interface(const char *text, void *field);       /* char* */
char* field_directory(const char *text, void *field);
char* field_own_directory(const char *text, void *field); /* char*: an absolute path for a plan */
char* field_mirrors(const char *text, void *field);       /* Strv, adds */

bool is_dns_name(const char *s);
