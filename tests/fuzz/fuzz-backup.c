/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "operate/backup-internal.h"

/*
 * The two parsers of a backup: that of the header, which reads what anybody may have written, and that of the archive,
 * behind the passphrase. What is taken could have been packed by us.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL, again = BACKUP_SET_NULL;
        _cleanup_buffer_secret_ Buffer archive = BUFFER_NULL;
        BackupHeader header;

        (void) backup_header_parse("backup", data, size, &header, NULL);
        if (backup_unpack("backup", data, size, &set, NULL) < 0)
                return 0;
        if (backup_pack(&set, &archive, NULL) < 0 ||
            backup_unpack("backup", archive.data, archive.size, &again, NULL) < 0 ||
            again.n_files != set.n_files || again.size != set.size)
                abort();
        for (size_t i = 0; i < set.n_files; i++)
                if (!backup_name_is_sane(set.files[i].name))
                        abort();
        return 0;
}
