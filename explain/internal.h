/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "explain/explain.h"

/* What the files of explain/ share; nobody else includes this. */

/* One node that is looked at: of the cluster at hand, or of the example. */
typedef struct View {
        PlanContext context;
        Facts facts;
        Plan *plan;
        bool example;
} View;

struct Catalogue {
        Explanation **entries;
        size_t n_entries;
        const ExplainRequest *request; /* while it is made */
};

/* catalogue.c */
/* The entry of that name and reason, made if there is none. */
Explanation* catalogue_enter(Catalogue *c, const char *name, const char *kind, const char *why);
void explanation_alias(Explanation *e, const char *format, ...) _printf_(2, 3);
void explanation_hint(Explanation *e, const char *word);
/* Text is what it is at where (NULL: everywhere); views of the example have no values. */
void explanation_value(Explanation *e, const View *v, const char *where, const char *text);
/* A part with the value it has on the first node that is looked at. */
void explanation_part(Explanation *e, const View *v, const char *name, const char *text);
void explanation_set(char **field, const char *text); /* the first one stays */

/* Each adds what it knows. */
void explain_components(Catalogue *c);
bool explain_has_flags_only(const Component *component);
void explain_credentials(Catalogue *c, const View *v); /* those that lie on no node, too */
void explain_cluster_file(Catalogue *c);
void explain_directory(Catalogue *c);
int explain_node_files(Catalogue *c, Error **reterr);
int explain_words(Catalogue *c, Error **reterr);
int explain_ports(Catalogue *c, Error **reterr);
void explain_flags(Catalogue *c, const View *v);
void explain_items(Catalogue *c, const View *v);
void explain_items_by_hand(Catalogue *c, const View *v); /* after the credentials */
void explain_settings(Catalogue *c, const View *v);
void explain_config(Catalogue *c, const View *v);

/* words.c */
char* explain_names(const Cluster *c, unsigned roles); /* of the nodes with one of them; the caller frees */

/* items.c */
const char* explain_item_kind(const PlanItem *item);

/* by-hand.c: the caller frees */
char* by_hand_item(const PlanItem *item);
char* by_hand_credential(const Credential *credential, const StoreRequest *request);
char* by_hand_request(const Credential *credential, const StoreRequest *request); /* to a CA elsewhere */
