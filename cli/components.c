/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/components.h"

#include "controlplane/controlplane.h"
#include "etcd/etcd.h"
#include "lbsetup/lbsetup.h"
#include "watch/watch.h"

const Component *const components[] = {
        &component_etcd,
        &component_kube_apiserver,
        &component_kube_controller_manager,
        &component_kube_scheduler,
        &component_haproxy,
        &component_keepalived,
        &component_watch, /* the last: it looks at what the others have put into the plan */
        NULL,
};
