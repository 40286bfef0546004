/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "install/stage.h"

static const struct {
        const char *name, *verb;
} stages[_STAGE_MAX] = {
        [STAGE_FACTS] = { "facts", "install" },
        [STAGE_QUESTIONS] = { "questions", "install" },
        [STAGE_PUT] = { "put", "install" }, /* "3 binaries, 12 files (245 MB)" */
        [STAGE_UNITS] = { "units", "install" },
        [STAGE_READY] = { "ready", "install" }, /* "kube-apiserver" */
        [STAGE_TURN] = { "waits for its turn", "install" },
        [STAGE_GATE] = { "gate", "install" },
        [STAGE_HAND_OVER] = { "leadership handed over", "install" },
        [STAGE_PROOF] = { "proof", "pki renew" },
        [STAGE_TAKEN_BACK] = { "taken back", "pki renew" },
        [STAGE_RESET_FACTS] = { "facts", "reset" },
        [STAGE_RESET_DRAIN] = { "drained", "reset" },
        [STAGE_RESET_REMOVAL] = { "removal", "reset" },
        [STAGE_REPLACE_LOOK] = { "looked at", "etcd replace" },
        [STAGE_REPLACE_ASIDE] = { "load balancers", "etcd replace" },
        [STAGE_REPLACE_STOP] = { "old member stopped", "etcd replace" },
        [STAGE_REPLACE_OUT] = { "old member out", "etcd replace" },
        [STAGE_RESTORE_LOOK] = { "looked at", "etcd restore" },
        [STAGE_RESTORE_EQUIP] = { "etcd's programs", "etcd restore" },
        [STAGE_RESTORE_STOP] = { "control plane stopped", "etcd restore" },
        [STAGE_RESTORE_SEND] = { "snapshot", "etcd restore" },
        [STAGE_RESTORE_UNPACK] = { "unpacked", "etcd restore" },
        [STAGE_RESTORE_SWAP] = { "data swapped", "etcd restore" },
        [STAGE_RESTORE_UNDO] = { "started again", "etcd restore" },
        [STAGE_DEFRAGMENT] = { "defragmented", "etcd defrag" },
        [STAGE_SNAPSHOT] = { "snapshot", "etcd snapshot" },
        [STAGE_DOWNLOAD] = { "download", "fetch" },
        [STAGE_DRILL_HEALTHY] = { "is the cluster healthy?", "verify" },
        [STAGE_DRILL_GUARD] = { "waiting for the command of --power of an interrupted drill", "verify" },
        [STAGE_DRILL_WELL] = { "waiting until all is well", "verify" },
        [STAGE_DRILL] = { "drill", "verify" }, /* "an apiserver is killed (controller-1)" */
        [STAGE_DRILL_BREAK] = { "broken, watching what clients notice", "verify" },
        [STAGE_DRILL_BACK] = { "put back, waiting until all is healthy", "verify" },
};

const char* stage_name(Stage stage) {
        return stages[stage].name;
}

const char* stage_verb(Stage stage) {
        return stages[stage].verb;
}
