/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "common/alloc.h"
#include "operate/backup-internal.h"
#include "pki/key.h"

/*
 * A backup on disk, format 1; numbers are big-endian
 *
 *       0  16  "hardway-backup\n" and the format, 0x01
 *      16   4  scrypt (RFC 7914): log2 of N, r, p, and 0
 *      20   4  size of the archive
 *      24  16  salt
 *      40  12  nonce
 *      52  12  zeros
 *      64  16  key check: first half of HMAC-SHA256 of bytes 0 to 63
 *      80  16  checksum: first half of SHA-256 of bytes 0 to 79
 *      96   n  archive (pax, POSIX.1-2001), encrypted by AES-256-GCM; bytes 0 to 95 are authenticated with
 *      it
 *    96+n  16  tag
 *
 * The passphrase and the salt give 64 bytes: the key of AES, then that of HMAC. The checksum tells a damaged
 * header from a wrong passphrase, which is what the key check finds; a damaged archive then fails by its
 * tag.
 */

#define MAGIC "hardway-backup\n\001"
#define MAGIC_SIZE 16
#define FORMAT_OFFSET 15
#define CHECK_OFFSET 64
#define CHECKSUM_OFFSET 80
#define HALF_SIZE 16
#define KEY_SIZE 32

/*
 * N = 2^15, r = 8, p = 3: 32 MiB, and what OWASP's cheat sheet on password storage asks of scrypt at that
 * size.
 */
#define LOG_N 15
#define R 8
#define P 3

/*
 * What is taken back, in case later versions ask for more. It keeps a made-up file from asking for all
 * memory.
 */
#define LOG_N_MIN 10
#define LOG_N_MAX 20
#define R_MAX 16
#define P_MAX 16
#define MEMORY_MAX (UINT64_C(256) * 1024 * 1024)

typedef struct Keys {
        unsigned char cipher[KEY_SIZE];
        unsigned char check[KEY_SIZE];
} Keys;

static void keys_wipe(Keys *k) {
        OPENSSL_cleanse(k, sizeof(*k));
}

DEFINE_CLEANUP_VOID(EVP_KDF*, EVP_KDF_free)
DEFINE_CLEANUP_VOID(EVP_KDF_CTX*, EVP_KDF_CTX_free)
DEFINE_CLEANUP_VOID(EVP_CIPHER_CTX*, EVP_CIPHER_CTX_free)

static uint64_t scrypt_memory(const BackupHeader *h) {
        return (UINT64_C(128) * h->r) << h->log_n;
}

static void header_write(const BackupHeader *h, unsigned char ret[static BACKUP_HEADER_SIZE]) {
        memset(ret, 0, BACKUP_HEADER_SIZE);
        memcpy(ret, MAGIC, MAGIC_SIZE);
        ret[16] = (unsigned char) h->log_n;
        ret[17] = (unsigned char) h->r;
        ret[18] = (unsigned char) h->p;
        for (unsigned i = 0; i < 4; i++)
                ret[20 + i] = (unsigned char) (h->size >> (24 - 8 * i));
        memcpy(ret + 24, h->salt, sizeof(h->salt));
        memcpy(ret + 40, h->nonce, sizeof(h->nonce));
}

static int header_check(const unsigned char *header, const Keys *keys, unsigned char ret[static HALF_SIZE],
                        Error **reterr) {
        unsigned char digest[EVP_MAX_MD_SIZE];

        if (!HMAC(EVP_sha256(), keys->check, KEY_SIZE, header, CHECK_OFFSET, digest, NULL))
                return pki_error(reterr, ERROR_INTERNAL, "cannot compute an HMAC");
        memcpy(ret, digest, HALF_SIZE);
        return 0;
}

static int header_checksum(const unsigned char *header, unsigned char ret[static HALF_SIZE],
                           Error **reterr) {
        unsigned char digest[EVP_MAX_MD_SIZE];

        if (EVP_Digest(header, CHECKSUM_OFFSET, digest, NULL, EVP_sha256(), NULL) != 1)
                return pki_error(reterr, ERROR_INTERNAL, "cannot compute a digest");
        memcpy(ret, digest, HALF_SIZE);
        return 0;
}

static int derive_keys(const BackupHeader *h, const char *passphrase, Keys *ret, Error **reterr) {
        _cleanup_(EVP_KDF_freep) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
        _cleanup_(EVP_KDF_CTX_freep) EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
        uint64_t n = UINT64_C(1) << h->log_n, memory = 2 * MEMORY_MAX;
        uint32_t r = h->r, p = h->p;
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (char*) passphrase,
                                                  strlen(passphrase)),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (unsigned char *) h->salt,
                                                  sizeof(h->salt)),
                OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
                OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
                OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
                OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
                OSSL_PARAM_construct_end(),
        };

        if (!context || EVP_KDF_derive(context, (unsigned char *) ret, sizeof(*ret), params) != 1)
                return pki_error(reterr, ERROR_INTERNAL, "cannot derive a key from the passphrase");
        return 0;
}

/* Whether this is a backup at all, before anything in it is believed. */
static int header_recognize(const char *what, const unsigned char *data, size_t size, Error **reterr) {
        unsigned char checksum[HALF_SIZE];
        int r;

        if (size < MAGIC_SIZE || memcmp(data, MAGIC, FORMAT_OFFSET) != 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is not a backup made by hardway", what);
        if (data[FORMAT_OFFSET] != (unsigned char) MAGIC[FORMAT_OFFSET])
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: has the format %u, which this hardway does not know", what,
                                 data[FORMAT_OFFSET]);
        if (size < BACKUP_HEADER_SIZE + BACKUP_TAG_SIZE)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is cut off after %zu bytes", what,
                                 size);

        r = header_checksum(data, checksum, reterr);
        if (r < 0)
                return r;
        if (memcmp(checksum, data + CHECKSUM_OFFSET, HALF_SIZE) != 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is damaged at its beginning", what);
        return 0;
}

/* The header of a file: what it says, if that is within limits and fits the size of the file. */
int backup_header_parse(const char *what, const void *data, size_t size, BackupHeader *ret, Error **reterr) {
        const unsigned char *p = data;
        BackupHeader h = {};
        uint64_t wanted;
        int r;

        r = header_recognize(what, p, size, reterr);
        if (r < 0)
                return r;

        h.log_n = p[16];
        h.r = p[17];
        h.p = p[18];
        h.size = (size_t) p[20] << 24 | (size_t) p[21] << 16 | (size_t) p[22] << 8 | p[23];
        memcpy(h.salt, p + 24, sizeof(h.salt));
        memcpy(h.nonce, p + 40, sizeof(h.nonce));

        if (h.log_n < LOG_N_MIN || h.log_n > LOG_N_MAX || h.r < 1 || h.r > R_MAX || h.p < 1 || h.p > P_MAX ||
            scrypt_memory(&h) > MEMORY_MAX || h.size > 2 * BACKUP_SIZE_MAX)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: asks for more than this hardway allows",
                                 what);
        wanted = (uint64_t) BACKUP_HEADER_SIZE + h.size + BACKUP_TAG_SIZE;
        if (size < wanted)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is cut off: %zu of %" PRIu64 " bytes",
                                 what, size, wanted);
        if (size > wanted)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: has %" PRIu64 " bytes too many", what,
                                 size - wanted);

        *ret = h;
        return 0;
}

/* data: header, archive (replaced by what it is encrypted to), and room for the tag */
static bool encrypt(const BackupHeader *h, const Keys *keys, unsigned char *data) {
        _cleanup_(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        unsigned char *body = data + BACKUP_HEADER_SIZE;
        int n = 0;

        return c && EVP_EncryptInit_ex2(c, EVP_aes_256_gcm(), keys->cipher, h->nonce, NULL) == 1 &&
               EVP_EncryptUpdate(c, NULL, &n, data, BACKUP_HEADER_SIZE) == 1 &&
               EVP_EncryptUpdate(c, body, &n, body, (int) h->size) == 1 && (size_t) n == h->size &&
               EVP_EncryptFinal_ex(c, body + n, &n) == 1 &&
               EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, BACKUP_TAG_SIZE, body + h->size) == 1;
}

static bool decrypt(const BackupHeader *h, const Keys *keys, const unsigned char *data, unsigned char *ret) {
        _cleanup_(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        const unsigned char *body = data + BACKUP_HEADER_SIZE;
        int n = 0;

        return c && EVP_DecryptInit_ex2(c, EVP_aes_256_gcm(), keys->cipher, h->nonce, NULL) == 1 &&
               EVP_DecryptUpdate(c, NULL, &n, data, BACKUP_HEADER_SIZE) == 1 &&
               EVP_DecryptUpdate(c, ret, &n, body, (int) h->size) == 1 && (size_t) n == h->size &&
               EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, BACKUP_TAG_SIZE,
                                   (unsigned char *) body + h->size) == 1 &&
               EVP_DecryptFinal_ex(c, ret + n, &n) == 1;
}

/* A file that only the passphrase opens. */
int backup_seal(const char *passphrase, const Buffer *archive, Buffer *ret, Error **reterr) {
        static const unsigned char room[BACKUP_TAG_SIZE];
        _cleanup_buffer_secret_ Buffer out = BUFFER_NULL;
        _cleanup_(keys_wipe) Keys keys = {};
        BackupHeader h = { .log_n = LOG_N, .r = R, .p = P, .size = archive->size };
        unsigned char header[BACKUP_HEADER_SIZE];
        int r;

        if (RAND_bytes(h.salt, sizeof(h.salt)) != 1 || RAND_bytes(h.nonce, sizeof(h.nonce)) != 1)
                return pki_error(reterr, ERROR_INTERNAL, "cannot draw random bytes");
        r = derive_keys(&h, passphrase, &keys, reterr);
        if (r < 0)
                return r;

        header_write(&h, header);
        r = header_check(header, &keys, header + CHECK_OFFSET, reterr);
        if (r < 0)
                return r;
        r = header_checksum(header, header + CHECKSUM_OFFSET, reterr);
        if (r < 0)
                return r;

        buffer_add(&out, header, sizeof(header));
        buffer_add(&out, archive->data, archive->size);
        buffer_add(&out, room, sizeof(room));
        if (!encrypt(&h, &keys, (unsigned char *) out.data))
                return pki_error(reterr, ERROR_INTERNAL, "cannot encrypt");

        *ret = out;
        out = BUFFER_NULL;
        return 0;
}

/* The archive in such a file; the caller wipes it. -EACCES (ERROR_PERMISSION): another passphrase. */
int backup_unseal(const char *what, const void *data, size_t size, const char *passphrase, Buffer *ret,
                  Error **reterr) {
        _cleanup_free_ unsigned char *archive = NULL;
        _cleanup_(keys_wipe) Keys keys = {};
        unsigned char check[HALF_SIZE];
        BackupHeader h;
        bool good;
        int r;

        r = backup_header_parse(what, data, size, &h, reterr);
        if (r < 0)
                return r;
        r = derive_keys(&h, passphrase, &keys, reterr);
        if (r < 0)
                return r;
        r = header_check(data, &keys, check, reterr);
        if (r < 0)
                return r;
        if (CRYPTO_memcmp(check, (const unsigned char *) data + CHECK_OFFSET, HALF_SIZE) != 0)
                return error_set(reterr, ERROR_PERMISSION, EACCES, "%s: this is not its passphrase", what);

        archive = xmalloc(h.size + 1);
        good = decrypt(&h, &keys, data, archive);
        ERR_clear_error();
        if (good)
                buffer_add(ret, archive, h.size);
        OPENSSL_cleanse(archive, h.size);
        if (!good)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: is damaged", what);
        return 0;
}
