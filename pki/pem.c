/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/pem.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/alloc.h"
#include "pki/key.h"

#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "
#define PEM_LINE 64 /* RFC 7468 section 2 */
#define DER_SEQUENCE 0x30

DEFINE_CLEANUP_VOID(BIO*, BIO_free)

/**
 * pem_block_done() - wipe and free
 * @b:          the block, empty afterwards
 */
void pem_block_done(PemBlock *b) {
        OPENSSL_secure_free(b->label);
        OPENSSL_secure_clear_free(b->der, b->size > 0 ? (size_t) b->size : 0);
        *b = PEM_BLOCK_NULL;
}

/* Why a text is no PEM block, as far as one can see; NULL if it looks like one. */
static const char* pem_complaint(const char *data, size_t size) {
        if (!data || size == 0)
                return "is empty";
        if (size > KEY_SIZE_MAX)
                return "is too large to be a key or certificate";
        if ((unsigned char) data[0] == DER_SEQUENCE)
                return "is DER, not PEM";
        if (memchr(data, '\0', size))
                return "is binary, not PEM";
        if (memchr(data, '\r', size))
                return "has the line ends of Windows (CR LF)";
        if (!memmem(data, size, PEM_BEGIN, strlen(PEM_BEGIN)))
                return "is not PEM: it has no BEGIN line";
        if (!memmem(data, size, PEM_END, strlen(PEM_END)))
                return "is cut off: it has no END line";
        return NULL;
}

/* Whether there is exactly one block, with nothing but blanks around it. */
static bool pem_is_alone(const char *data, size_t size) {
        const char *begin = data, *end = data + size, *last;

        while (begin < end && isspace((unsigned char) *begin))
                begin++;
        while (end > begin && isspace((unsigned char) end[-1]))
                end--;

        if ((size_t) (end - begin) < strlen(PEM_BEGIN) || memcmp(begin, PEM_BEGIN, strlen(PEM_BEGIN)) != 0)
                return false;
        if (memmem(begin + 1, (size_t) (end - begin) - 1, PEM_BEGIN, strlen(PEM_BEGIN)))
                return false;
        last = memmem(begin, (size_t) (end - begin), PEM_END, strlen(PEM_END));
        return last && !memchr(last, '\n', (size_t) (end - last));
}

size_t pem_first_size(const char *data, size_t size) {
        const char *end = size > 0 ? memmem(data, size, PEM_END, strlen(PEM_END)) : NULL;
        const char *line = end ? memchr(end, '\n', size - (size_t) (end - data)) : NULL;

        return line ? (size_t) (line + 1 - data) : size;
}

static int pem_check_label(const char *what, const char *label, const char *wanted, const char *header,
                           Error **reterr) {
        if (endswith(label, "PRIVATE KEY") && streq(wanted, "PRIVATE KEY")) {
                if (startswith(label, "ENCRYPTED") || strstr(header, "ENCRYPTED"))
                        return error_set(
                                reterr, ERROR_CONFIG, EBADMSG,
                                "%s: the key is protected by a passphrase, which is not supported here",
                                what);
                return 0;
        }
        if (!streq(label, wanted))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds a %s where a %s is expected",
                                 what, label, wanted);
        if (*header)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: has header lines inside the block",
                                 what);
        return 0;
}

/**
 * pem_decode() - take a text of one PEM block apart
 * @what:       its name for the message, such as the path
 * @data:       the text
 * @size:       its size
 * @wanted:     the label it must have; "PRIVATE KEY" also takes the older "EC PRIVATE KEY" and "RSA PRIVATE
 *              KEY", which kubeadm writes
 * @ret:        the block; pem_block_done()
 * @reterr:     says what is wrong with the text
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int pem_decode(const char *what, const void *data, size_t size, const char *wanted, PemBlock *ret,
               Error **reterr) {
        _cleanup_(pem_block_done) PemBlock block = PEM_BLOCK_NULL;
        _cleanup_(BIO_freep) BIO *bio = NULL;
        const char *complaint = pem_complaint(data, size);
        char *header = NULL;
        int r;

        if (complaint)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s", what, complaint);
        if (!pem_is_alone(data, size))
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: has to hold one PEM block and nothing else", what);

        bio = BIO_new_mem_buf(data, (int) size);
        if (!bio)
                return pki_error(reterr, ERROR_INTERNAL, "cannot read from memory");
        if (PEM_read_bio_ex(bio, &block.label, &header, &block.der, &block.size,
                            PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1)
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged", what);

        r = pem_check_label(what, block.label, wanted, header, reterr);
        OPENSSL_secure_free(header);
        if (r < 0)
                return r;

        *ret = block;
        block = PEM_BLOCK_NULL;
        return 0;
}

/**
 * pem_encode() - write a PEM block
 * @label:      "CERTIFICATE"
 * @der:        what to encode
 * @size:       its size
 * @out:        where to append it
 */
void pem_encode(const char *label, const void *der, size_t size, Buffer *out) {
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;

        base64_encode(der, size, &text);
        buffer_addf(out, PEM_BEGIN "%s-----\n", label);
        for (size_t i = 0; i < text.size; i += PEM_LINE) {
                size_t n = text.size - i;

                buffer_add(out, text.data + i, n < PEM_LINE ? n : PEM_LINE);
                buffer_add_char(out, '\n');
        }
        buffer_addf(out, PEM_END "%s-----\n", label);
}
