/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cluster/flag-rules.h"
#include "cluster/input.h"
#include "common/alloc.h"

/*
 * Values in extra-args with which all works, and less is guarded than before: a list replaces hardway's, and what that
 * had in it is gone without anybody having said so
 */

static const struct {
        FlagComponent component;
        const char *name, *word;
        bool wanted; /* the word; else it is what should not be there */
        const char *what;
} weak[] = {
        { FLAG_APISERVER, "enable-admission-plugins", "NodeRestriction", true,
          "a kubelet may label and change other nodes than its own: add it to the list" },
        { FLAG_APISERVER, "disable-admission-plugins", "NodeRestriction", false,
          "a kubelet may label and change other nodes than its own" },
        { FLAG_APISERVER, "authorization-mode", "AlwaysAllow", false,
          "whoever is known to the apiserver may do everything, every pod too" },
        { FLAG_APISERVER, "authorization-mode", "RBAC", true,
          "roles mean nothing, those that give admin.conf its power among them" },
        { FLAG_APISERVER, "authorization-mode", "Node", true,
          "kubelets get no access to the secrets of their own pods" },
};

/* Where it is given first; lists may be one value with commas, or the flag several times. */
static bool find_word(const ExtraFlags *e, const char *name, const char *word, Mark *ret) {
        bool found = false;

        *ret = (Mark) {};
        for (size_t i = 0; i < e->n_flags; i++) {
                const ExtraFlag *f = &e->flags[i];
                _cleanup_strv_ Strv words = NULL;

                if (!streq(f->name, name))
                        continue;
                if (ret->line == 0)
                        *ret = (Mark) { f->line, f->column };
                words = strv_split(f->value ?: "", ",");
                found = found || strv_contains(words, word);
        }
        return found;
}

void check_weak_flags(Input *in, const ExtraFlags *e) {
        for (size_t i = 0; i < ARRAY_SIZE(weak); i++) {
                Mark mark;
                bool found;

                if (weak[i].component != flag_component(e->component))
                        continue;
                found = find_word(e, weak[i].name, weak[i].word, &mark);
                if (mark.line != 0 && found != weak[i].wanted)
                        problem_warn(&in->problems, mark, "extra-args.%s.%s: %s %s: %s", e->component,
                                     weak[i].name, weak[i].wanted ? "without" : "with", weak[i].word,
                                     weak[i].what);
        }
}
