/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events, to whoever shows them
 */

#include <pthread.h>

#include "install/install.h"

/**
 * install_event() - tell of an event of a run, or of what is done around one
 * @request:    the run, whose event() may be NULL
 * @event:      lent for the time of the call
 *
 * By any thread; event() is called by one at a time.
 */
void install_event(const InstallRequest *request, const InstallEvent *event) {
        static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

        if (!request->event)
                return;
        (void) pthread_mutex_lock(&mutex);
        request->event(request->userdata, event);
        (void) pthread_mutex_unlock(&mutex);
}

void install_tell(const InstallRequest *request, InstallEventType type, const Node *node, const char *text) {
        install_event(request, &(InstallEvent) { .type = type, .node = node, .text = text });
}

void install_stage(const InstallRequest *request, const Node *node, Stage stage) {
        install_event(request, &(InstallEvent) { .type = INSTALL_STAGE, .node = node, .stage = stage });
}
