/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/data.h"
#include "etcd/survey.h"
#include "host/pool.h"
#include "operate/replace.h"

/* What the files of a replacement share. */

/* Where the node was before, if its member runs there still. */
typedef struct ReplaceFormer {
        Node node;       /* lent in part */
        Cluster cluster; /* of that node alone; lent in part */
        HostPool *hosts; /* NULL: there is nobody, or nobody that can be asked */
        EtcdPeer peer;   /* url NULL: there is none */
} ReplaceFormer;

typedef struct Replace {
        const ReplaceRequest *request;
        const Node *node;
        HostPool *hosts; /* keeps the locks of all members' nodes, also through the installation */
        ProbeContext probes;
        EtcdSurvey survey;
        const EtcdSight *own, *one; /* the node's, and a healthy voter besides it */
        bool moved;                 /* the list has it at another address */
        bool had_moved;             /* its address was another one, and no run has come to its end since */
        bool data;                  /* lies on the node */
        bool unfinished;            /* an earlier run was ended when the new member voted already */
        bool aside;                 /* the load balancers spare the node, by this run */
        bool stopped;               /* what runs on the node, or was to be, by this run */
        bool out;                   /* the list has no old member any more */
        bool left_out;              /* by a restore: then the others are to be told of it again */
        ReplaceFormer former;
} Replace;

/* replace-look.c */
int replace_survey(Replace *s, Error **reterr);
int replace_look(Replace *s, Error **reterr);
int replace_check_node(Replace *s, bool *ret_apiserver, Error **reterr);
bool replace_is_told(const Replace *s); /* to the other nodes, too */
int replace_forget_former(const Replace *s, Error **reterr);
bool replace_data_is_ours(const Replace *s, const EtcdData *data);
int replace_find_apiserver(const ProbeContext *c, const Node *node, bool *ret, Error **reterr);

/* replace-former.c */
bool replace_former_address(const Replace *s, bool listed, InetAddress *ret);
void replace_find_former(Replace *s, bool *ret_apiserver);
int replace_stop_former(Replace *s, Error **reterr);
void replace_former_done(ReplaceFormer *f);
