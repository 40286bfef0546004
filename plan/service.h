/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * Services: what the units of hardway's own programs have in common
 *
 * A program that hardway brings along runs as a system user of its own, gets its keys by LoadCredential= (a
 * copy made at its start, so that the files themselves stay with root), and is fenced in by service_sandbox.
 * A component describes the rest in tables (its own flags and settings among them); service_add() turns them
 * into items: user, binaries, the files that are handed over, and the unit.
 */

/* User and restart policy apart: what keeps a program that is broken into from harming the node. */
extern const UnitSetting service_sandbox[];
extern const size_t service_n_sandbox;

/* What every unit has beside that and its component's own settings; the values are the service's. */
extern const UnitSetting service_frame[];
extern const size_t service_n_frame;

/*
 * A file that a service gets as a credential; its flags name it as "%d/ID". It lies on the node below
 * /etc/kubernetes, as kubeadm has it, and in the store under "pki"-less NAME ("ca.crt") or, where node is
 * true, under nodes/NODE/. Where added is true the component adds the file itself.
 */
typedef struct ServiceCredential {
        const char *id;   /* "apiserver.key" */
        const char *path; /* "/etc/kubernetes/pki/apiserver.key" */
        bool node;
        bool added;
        const char *store_path;               /* where the name in the store is another one; or NULL */
        bool (*wanted)(const PlanContext *c); /* or NULL: always */
        const char *why;
        const char *without; /* where no component declares it as a credential of its own */
} ServiceCredential;

typedef struct Service {
        const Component *component; /* its name is that of the unit, the user and the binary */
        const char *documentation;
        const ServiceCredential *credentials;
        size_t n_credentials;
        const char *why; /* of the unit */
} Service;

int service_add(const PlanContext *c, Plan *plan, const Service *service, PlanItem **ret_unit,
                Error **reterr);

/* Adds a table of settings, each with its reason as a comment. Also for drop-ins. */
int service_add_settings(UnitFile *u, const PlanContext *c, const UnitSetting *settings, size_t n_settings,
                         Error **reterr);
