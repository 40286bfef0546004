/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The commands that do by hand what hardway does: to be read, and to be typed on a node
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "explain/internal.h"

static char* owner_arguments(const PlanItem *item) {
        size_t n = strcspn(item->owner, ":");

        return xasprintf("-o %.*s -g %s", (int) n, item->owner, item->owner + n + (item->owner[n] == ':'));
}

/* The line in which a secret stands, without it; the shell that is given the text puts it there from its file, whose line of that
 * number may have a number in front (pki/secret.h). */
static bool add_line_with_secret(const PlanItem *item, const char *line, size_t n, unsigned which,
                                 Buffer *out) {
        static const char key[] = "secret: \"";
        const char *p = memmem(line, n, key, strlen(key));

        if (!p)
                return false;
        buffer_add(out, line, (size_t) (p - line) + strlen(key));
        buffer_addf(out, "$(awk 'NR == %u { print $NF }' %s)\"\n", which, item->store_path);
        return true;
}

/*
 * The file's text, for a shell. Not of what comes out of the store as it is (keys, certificates): that has commands of its
 * own. Return: whether there is one.
 */
static bool add_text(const PlanItem *item, const char *file, Buffer *out) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        unsigned n_secrets = 0;

        for (const char *p = buffer_str(&item->content); *p;) {
                size_t n = strcspn(p, "\n") + 1;

                if (item->secret && add_line_with_secret(item, p, n, n_secrets + 1, &text))
                        n_secrets++;
                else
                        buffer_add(&text, p, strnlen(p, n));
                p += strnlen(p, n);
        }
        if (text.size == 0 || item->credential || (item->secret && n_secrets == 0))
                return false;
        buffer_addf(out, "cat >%s <<%s\n%s%sEOF\n", file, item->secret ? "EOF" : "'EOF'", buffer_str(&text),
                    endswith(buffer_str(&text), "\n") ? "" : "\n");
        return true;
}

static char* file_by_hand(const PlanItem *item) {
        _cleanup_free_ char *owner = owner_arguments(item);
        const char *file = fs_path_basename(item->path);
        bool above = item->store_path && !startswith(item->store_path, "secrets/");
        Buffer out = BUFFER_NULL;

        if (!add_text(item, file, &out) && item->store_path)
                buffer_addf(&out, "# %s: of the cluster directory, %s%s\n", file, above ? "pki/" : "",
                            item->store_path);
        buffer_addf(&out, "install -m %04o %s %s %s", (unsigned) item->mode, owner, file, item->path);
        if (item->type == PLAN_UNIT)
                buffer_add_str(&out, "\nsystemctl daemon-reload");
        return buffer_take(&out);
}

/* Both projects publish digests beside what they are of: https://kubernetes.io/releases/download/ and
 * https://github.com/etcd-io/etcd/releases. What the lock has is more than that. */
static char* binary_by_hand(const PlanItem *item) {
        const char *name = item->binary.artifact, *version = item->binary.version,
                   *architecture = item->binary.architecture;
        bool etcd = strstr(item->path, "/etcd-v") != NULL;
        Buffer out = BUFFER_NULL;

        if (etcd)
                buffer_addf(
                        &out,
                        "curl -LO https://github.com/etcd-io/etcd/releases/download/%1$s/etcd-%1$s-linux-%2$s.tar.gz\n"
                        "curl -LO https://github.com/etcd-io/etcd/releases/download/%1$s/SHA256SUMS\n"
                        "sha256sum --check --ignore-missing SHA256SUMS\n"
                        "tar -xzf etcd-%1$s-linux-%2$s.tar.gz --strip-components=1 etcd-%1$s-linux-%2$s/%3$s\n",
                        version, architecture, name);
        else
                buffer_addf(
                        &out,
                        "curl -LO https://dl.k8s.io/%1$s/bin/linux/%2$s/%3$s\n"
                        "echo \"$(curl -L https://dl.k8s.io/%1$s/bin/linux/%2$s/%3$s.sha256)  %3$s\" | sha256sum --check\n",
                        version, architecture, name);
        if (item->sha256)
                buffer_addf(&out, "echo \"%s  %s\" | sha256sum --check   # by hardway.lock\n", item->sha256,
                            name);
        buffer_addf(&out, "install -D -m %04o %s %s", (unsigned) item->mode, name, item->path);
        return buffer_take(&out);
}

static char* object_by_hand(const PlanItem *item) {
        _cleanup_free_ char *text = json_dumps(item->object.body, JSON_INDENT(2) | JSON_SORT_KEYS);

        return xasprintf("kubectl --kubeconfig super-admin.conf apply -f - <<'EOF'\n%s\nEOF", text ?: "");
}

static char* package_by_hand(const PlanItem *item) {
        _cleanup_free_ char *units = strv_join(item->package.units, " ");

        if (!*units)
                return xasprintf("apt-get install --no-install-recommends %s", item->package.name);
        return xasprintf("systemctl mask --runtime %s\napt-get install --no-install-recommends %s\n"
                         "systemctl unmask --runtime %s",
                         units, item->package.name, units);
}

/**
 * by_hand_item() - how to make an item of a plan true by hand
 * @item:       the item
 *
 * Return: a command line; the caller frees.
 */
char* by_hand_item(const PlanItem *item) {
        _cleanup_free_ char *owner = NULL;

        switch (item->type) {
        case PLAN_PACKAGE:
                return package_by_hand(item);
        case PLAN_USER:
                return xasprintf("useradd --system --user-group --home-dir %s --shell /usr/sbin/nologin %s",
                                 item->user.home ? item->user.home : "/", item->user.name);
        case PLAN_DIRECTORY:
                owner = owner_arguments(item);
                return xasprintf("install -d -m %04o %s %s", (unsigned) item->mode, owner, item->path);
        case PLAN_SYSCTL:
                return xasprintf("sysctl -w %s=%s", item->sysctl.key, item->sysctl.value);
        case PLAN_SYMLINK:
                return xasprintf("ln -sfn %s %s", item->symlink.target, item->path);
        case PLAN_BINARY:
                return binary_by_hand(item);
        case PLAN_OBJECT:
                return object_by_hand(item);
        default:
                return file_by_hand(item);
        }
}

static const char* key_arguments(const char *key_type) {
        if (streq_null(key_type, "ec:p384"))
                return "-newkey ec -pkeyopt ec_paramgen_curve:P-384";
        if (key_type && startswith(key_type, "rsa:"))
                return NULL;
        return "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
}

static void add_names(Buffer *out, const CertificateProfile *p) {
        const char *separator = " -addext subjectAltName=";

        STRV_FOREACH(name, p->dns_names) {
                buffer_addf(out, "%sDNS:%s", separator, *name);
                separator = ",";
        }
        for (size_t i = 0; i < p->n_addresses; i++) {
                char text[INET_TEXT_SIZE];

                buffer_addf(out, "%sIP:%s", separator, inet_address_format(p->addresses + i, text));
                separator = ",";
        }
}

static void add_usage(Buffer *out, const CertificateProfile *p, bool rsa) {
        if (p->usage & USAGE_CA) {
                buffer_add_str(out, " -addext basicConstraints=critical,CA:TRUE,pathlen:0"
                                    " -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign");
                return;
        }
        /* Said, as what openssl.cnf has for "req -x509" is a CA. */
        buffer_addf(
                out,
                " -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature%s"
                " -addext extendedKeyUsage=",
                rsa ? ",keyEncipherment" : "");
        buffer_addf(out, "%s%s%s", p->usage & USAGE_SERVER ? "serverAuth" : "",
                    (p->usage & USAGE_SERVER) && (p->usage & USAGE_CLIENT) ? "," : "",
                    p->usage & USAGE_CLIENT ? "clientAuth" : "");
}

static void add_key(Buffer *out, const StoreRequest *r, const char *file) {
        const char *key = key_arguments(r->key_type);

        if (key)
                buffer_add_str(out, key);
        else
                buffer_addf(out, "-newkey %s", r->key_type);
        buffer_addf(out, " -noenc -keyout %s.key", file);
}

static void add_subject(Buffer *out, const StoreRequest *r) {
        const CertificateProfile *p = &r->profile;

        buffer_add_str(out, " -subj ");
        if (p->organization)
                buffer_addf(out, "/O=%s", p->organization);
        buffer_addf(out, "/CN=%s", p->common_name);
        add_usage(out, p, r->key_type && startswith(r->key_type, "rsa:"));
        add_names(out, p);
}

/* OpenSSL 3.0 and newer */
static void add_certificate(Buffer *out, const StoreRequest *r, const char *file) {
        buffer_add_str(out, "openssl req -x509 ");
        add_key(out, r, file);
        buffer_addf(out, " -out %s.crt", file);
        if (r->issuer)
                buffer_addf(out, " -CA %s.crt -CAkey %s.key", r->issuer, r->issuer);
        buffer_addf(out, " -days %u", r->profile.days);
        add_subject(out, r);
}

static void add_kubeconfig(Buffer *out, const StoreRequest *r, const char *file) {
        add_certificate(out, r, file);
        buffer_addf(out,
                    "\nkubectl config --kubeconfig %s.conf set-cluster %s --server %s --embed-certs"
                    " --certificate-authority %s.crt",
                    file, r->cluster, r->server, r->issuer);
        buffer_addf(out,
                    "\nkubectl config --kubeconfig %s.conf set-credentials %s --embed-certs"
                    " --client-certificate %s.crt --client-key %s.key",
                    file, r->user, file, file);
        buffer_addf(out,
                    "\nkubectl config --kubeconfig %s.conf set-context default --cluster %s --user %s"
                    "\nkubectl config --kubeconfig %s.conf use-context default",
                    file, r->cluster, r->user, file);
}

/**
 * by_hand_credential() - how to make a credential by hand
 * @credential: the credential
 * @request:    what is to be made, for one node
 *
 * Return: command lines; the caller frees.
 */
char* by_hand_credential(const Credential *credential, const StoreRequest *request) {
        const char *file = fs_path_basename(credential->name);
        Buffer out = BUFFER_NULL;

        switch (credential->type) {
        case STORE_CA:
        case STORE_CERTIFICATE:
                add_certificate(&out, request, file);
                break;
        case STORE_KUBECONFIG:
                add_kubeconfig(&out, request, file);
                break;
        case STORE_KEY_PAIR:
                if (request->key_type && startswith(request->key_type, "rsa:"))
                        buffer_addf(&out,
                                    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:%s -out %s.key",
                                    request->key_type + strlen("rsa:"), file);
                else
                        buffer_addf(
                                &out,
                                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-%s -out %s.key",
                                streq_null(request->key_type, "ec:p384") ? "384" : "256", file);
                buffer_addf(&out, "\nopenssl pkey -in %s.key -pubout -out %s.pub", file, file);
                break;
        default:
                buffer_addf(&out, "# once, before the first installation\nopenssl rand -%s %zu >%s",
                            credential->secret_hex ? "hex" : "base64", credential->secret_size, file);
        }
        return buffer_take(&out);
}

/**
 * by_hand_request() - how to ask a CA elsewhere for a credential by hand
 * @credential: the credential
 * @request:    what is to be made, for one node
 *
 * Return: a command line; the caller frees.
 */
char* by_hand_request(const Credential *credential, const StoreRequest *request) {
        const char *file = fs_path_basename(credential->name);
        Buffer out = BUFFER_NULL;

        buffer_add_str(&out, "openssl req -new ");
        add_key(&out, request, file);
        buffer_addf(&out, " -out %s.csr", file);
        add_subject(&out, request);
        return buffer_take(&out);
}
