/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/elf.h"

#include <elf.h>
#include <string.h>

#include "common/alloc.h"

typedef struct MachineRow {
        uint16_t machine;
        const char *architecture;
} MachineRow;

/* Those that upstream builds for, so that the message can say what it is instead. */
static const MachineRow machine_table[] = {
        { EM_AARCH64, "arm64" }, { EM_X86_64, "amd64" }, { EM_386, "386" },       { EM_ARM, "arm" },
        { EM_PPC64, "ppc64le" }, { EM_S390, "s390x" },   { EM_RISCV, "riscv64" },
};

static const char* machine_name(uint16_t machine) {
        for (size_t i = 0; i < ARRAY_SIZE(machine_table); i++)
                if (machine_table[i].machine == machine)
                        return machine_table[i].architecture;
        return "another machine";
}

/**
 * elf_check() - whether a file is a program for a machine
 * @fd:         the file
 * @architecture: "arm64" or "amd64"
 * @what:       its name for the message
 * @reterr:     says what it is instead
 *
 * Only the header is read: what the digest does not say is whether the right file was put under the name.
 *
 * Return: 0, -ENOEXEC if it is something else, or another negative errno.
 */
int elf_check(int fd, const char *architecture, const char *what, Error **reterr) {
        unsigned char head[20] = {};
        uint16_t type, machine;
        bool big;
        ssize_t n;

        n = pread(fd, head, sizeof(head), 0);
        if (n < 0)
                return error_set_errno(reterr, errno, "%s", what);
        if ((size_t) n < sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
                return error_set(reterr, ERROR_VERIFY, ENOEXEC,
                                 "%s is not a program for Linux (no ELF header)", what);

        big = head[EI_DATA] == ELFDATA2MSB;
        type = (uint16_t) (big ? head[16] << 8 | head[17] : head[17] << 8 | head[16]);
        machine = (uint16_t) (big ? head[18] << 8 | head[19] : head[19] << 8 | head[18]);
        if (type != ET_EXEC && type != ET_DYN)
                return error_set(reterr, ERROR_VERIFY, ENOEXEC, "%s is not a program that can be run", what);
        if (head[EI_CLASS] != ELFCLASS64 || big || !streq(machine_name(machine), architecture))
                return error_set(reterr, ERROR_VERIFY, ENOEXEC, "%s is a program for %s, not for %s", what,
                                 machine_name(machine), architecture);
        return 0;
}
