/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * Stages: what the line of a node says that something is being done to
 *
 * Whoever shows progress takes one of these, and `hardway explain VERB` has a step of its name, which a test looks for. So
 * nothing is done for long that is not explained, and how it is done by hand. Stages of operations on a living cluster
 * are here, too, as they are shown in the same rows.
 */
typedef enum Stage {
        /* a rollout, whoever wants it */
        STAGE_FACTS,
        STAGE_QUESTIONS,
        STAGE_PUT,
        STAGE_UNITS,
        STAGE_READY,
        STAGE_TURN,
        STAGE_GATE,
        STAGE_HAND_OVER,
        STAGE_PROOF,
        STAGE_TAKEN_BACK,

        STAGE_RESET_FACTS,
        STAGE_RESET_DRAIN,
        STAGE_RESET_REMOVAL,

        STAGE_REPLACE_LOOK,
        STAGE_REPLACE_ASIDE,
        STAGE_REPLACE_STOP,
        STAGE_REPLACE_OUT,

        STAGE_RESTORE_LOOK,
        STAGE_RESTORE_EQUIP,
        STAGE_RESTORE_STOP,
        STAGE_RESTORE_SEND,
        STAGE_RESTORE_UNPACK,
        STAGE_RESTORE_SWAP,
        STAGE_RESTORE_UNDO,

        STAGE_DEFRAGMENT,
        STAGE_SNAPSHOT,
        STAGE_DOWNLOAD,

        STAGE_DRILL_HEALTHY,
        STAGE_DRILL_GUARD,
        STAGE_DRILL_WELL,
        STAGE_DRILL,
        STAGE_DRILL_BREAK,
        STAGE_DRILL_BACK,
        _STAGE_MAX,
} Stage;

/* As the row says it, unless there is more to say than that, and as the step is called. */
const char* stage_name(Stage stage);
/* The verb whose steps have it ("install"); others that do the same refer to it. */
const char* stage_verb(Stage stage);
