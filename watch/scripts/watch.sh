#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardway-watch CONFIG STATE - looks after this node while nobody does: when certificates expire, whether units run, whether
# etcd's members and the apiserver here are healthy, whether the endpoint answers, whether the member's snapshots are taken. What is found is printed with the priorities of the journal (sd-daemon(3)),
# and kept in the file STATE with the time of the look in front. Nothing is needed but a shell, coreutils, sed and systemctl,
# and the binaries that CONFIG names. CONFIG has lines of
#
#     certificate PATH            a certificate in PEM, or a kubeconfig with one in it; also with those of authorities behind it
#     unit NAME                   that is to run
#     etcd ETCDCTL PKI            how to ask members: with the healthcheck-client's certificate in PKI
#     member NAME URL
#     apiserver KUBECTL CONF URL  how to ask the apiserver on this node
#     endpoint KUBECTL CONF URL   how to ask whichever apiserver the load balancers choose
#     snapshots DIRECTORY SERVICE TIMER SECONDS
#                                 of etcd, with the time of the last good one in DIRECTORY/last; SERVICE takes them, since TIMER,
#                                 a file, is there, and the last one is to be younger than SECONDS
#     vrrp FILE                   with the state that keepalived says it is in, and since when
#     textfile DIRECTORY          where Prometheus' node_exporter looks for *.prom
set -eu
export LC_ALL=C HOME=/nonexistent

config=$1 state=$2
warn=$((30 * 86400)) error=$((7 * 86400))
now=$(date +%s)
problems=0 certificates=0 first='' units=0 members=0 healthy=0 api='' way='' vip='' saved=''
metrics='' textfile=''

# say PRIORITY TEXT
say() {
        [ "$1" -gt 4 ] || problems=$((problems + 1))
        printf '<%s>%s\n' "$1" "$2"
        printf '<%s>%s\n' "$1" "$2" >>"$state.new"
}

# count NUMBER NOUN
count() {
        [ "$1" = 1 ] && printf '%s %s' "$1" "$2" || printf '%s %ss' "$1" "$2"
}

# metric NAME LABELS VALUE
metric() {
        metrics="$metrics$1$2 $3
"
}

# lifetime: prints from when and until when the certificate holds whose base64 comes in, in seconds since 1970. In the DER of a
# certificate the two times of its validity stand together (RFC 5280, 4.1): 30 LENGTH, and twice 17 0d (UTCTime, 13 digits)
# or 18 0f (GeneralizedTime).
lifetime() {
        text=$(base64 -d 2>/dev/null | od -A n -v -t x1 | tr -d ' \n' |
                sed -n 's/.*30\(1e17\|2017\|2218\)0[df]\(\(3[0-9]\)\{12,14\}\)5a\(170d\|180f\)\(\(3[0-9]\)\{12,14\}\)5a.*/\2\n\5/p' |
                sed 's/3\(.\)/\1/g; s/^............$/20&/; s/^\(....\)\(..\)\(..\)\(..\)\(..\)\(..\)$/\1-\2-\3 \4:\5:\6/')
        [ -z "$text" ] || printf '%s\n' "$text" | date -u -f - +%s | tr '\n' ' '
}

# validity FILE: prints the times of the certificate there that ends first, as a chain ends with it, and its place. Nothing
# if one of them cannot be read
validity() {
        {
                # a kubeconfig carries it once more encoded
                sed -n 's/^ *client-certificate-data: *//p' "$1" | tr -d "\"'" | base64 -d
                cat "$1"
        } 2>/dev/null | sed -n '/^-\{5\}BEGIN CERTIFICATE/,/^-\{5\}END CERTIFICATE/p' | {
                nth=0 shortest='' body=''
                while read -r line || [ -n "$line" ]; do
                        case $line in
                        -----BEGIN*) nth=$((nth + 1)) body='' ;;
                        -----END*)
                                life=$(printf '%s' "$body" | lifetime) || life=
                                ends=${life#* } ends=${ends% }
                                [ -n "$ends" ] || exit 0
                                if [ -z "$shortest" ] || [ "$ends" -lt "$until" ]; then
                                        shortest="${life% } $nth" until=$ends
                                fi
                                ;;
                        *) body=$body$line ;;
                        esac
                done
                echo "$shortest"
        }
}

# least A B
least() {
        if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi
}

certificate() {
        certificates=$((certificates + 1))
        if [ ! -r "$1" ]; then
                say 3 "$1 is gone: hardway install puts it back"
                return
        fi
        life=$(validity "$1") || life=
        begin=${life%% *} end=${life#* } nth=${life##* } end=${end% *}
        if [ -z "$end" ]; then
                say 3 "$1 has no certificate in it that can be read: hardway install puts it back"
                return
        fi
        metric hardway_certificate_not_after_seconds "{path=\"$1\"}" "$end"
        days=$(((end - now) / 86400))
        # one of before 2000, as the short form has no century
        [ "$begin" -lt "$end" ] || begin=0
        [ -n "$first" ] && [ "$days" -ge "$first" ] || first=$days
        renew="renew it on the machine that drives hardway: hardway pki gen, hardway install" whose=$1
        case $1 in
        *ca.crt) renew="replace it on the machine that drives hardway: hardway pki rotate-ca, or import-ca where the authority is not hardway's" ;;
        esac
        if [ "$nth" -gt 1 ]; then
                renew="hardway pki import-ca takes its successor" whose="an authority's certificate behind the first one in $1"
        fi
        if [ "$end" -le "$now" ]; then
                say 2 "$whose has expired: $renew"
        elif [ $((end - now)) -lt "$(least $error $(((end - begin) / 10)))" ]; then
                say 3 "$whose expires in $(count $days day): $renew"
        elif [ $((end - now)) -lt "$(least $warn $(((end - begin) / 3)))" ]; then
                say 4 "$whose expires in $(count $days day): $renew"
        fi
}

unit() {
        units=$((units + 1))
        active=$(systemctl show -p ActiveState --value -- "$1" 2>/dev/null) || active=unknown
        if [ "$active" = active ]; then
                metric hardway_unit_active "{unit=\"$1\"}" 1
        else
                metric hardway_unit_active "{unit=\"$1\"}" 0
                say 3 "$1 is $active: journalctl -u $1 says why"
        fi
}

# reason ANSWER: etcdctl's word for it, behind its log
reason() {
        why=$(printf '%s\n' "$1" | sed -n 's/.*is unhealthy: //p' | head -n 1 | head -c 200)
        printf '%s\n' "${why:-no answer}"
}

# member NAME URL: a read that needs a quorum, so that a member that is cut off is not healthy
member() {
        members=$((members + 1))
        if answer=$(timeout 15 "$etcdctl" --endpoints="$2" --cacert="$pki/ca.crt" --cert="$pki/healthcheck-client.crt" \
                --key="$pki/healthcheck-client.key" --dial-timeout=5s --command-timeout=10s endpoint health 2>&1); then
                healthy=$((healthy + 1))
                metric hardway_etcd_member_healthy "{member=\"$1\"}" 1
        else
                metric hardway_etcd_member_healthy "{member=\"$1\"}" 0
                say 3 "etcd member $1 ($2) is not healthy: $(reason "$answer")"
        fi
}

# ready KUBECTL KUBECONFIG URL: is it? If not, $answer is why
ready() {
        answer=$(timeout 15 "$1" --kubeconfig="$2" --server="$3" --request-timeout=10s get --raw=/readyz 2>&1) && return
        answer=$(printf '%s\n' "$answer" | tail -n 1 | head -c 200)
        answer=${answer:-no answer}
        return 1
}

# apiserver KUBECTL KUBECONFIG URL
apiserver() {
        if ready "$1" "$2" "$3"; then
                api=', the apiserver is ready'
                metric hardway_apiserver_ready '' 1
        else
                api=', the apiserver is not'
                metric hardway_apiserver_ready '' 0
                say 3 "the apiserver on this node is not ready: $answer"
        fi
}

# endpoint KUBECTL KUBECONFIG URL
endpoint() {
        if ready "$1" "$2" "$3"; then
                way=', the endpoint answers'
                metric hardway_endpoint_ready '' 1
        else
                way=', the endpoint does not answer'
                metric hardway_endpoint_ready '' 0
                say 3 "$3 leads to no apiserver that is ready: $answer: on the machine that drives hardway, hardway status says where it ends"
        fi
}

# its FILE: a service's user may have put anything there: neither waits for whoever would write to a FIFO, nor reads a file of root's
# by a link
its() {
        dd if="$1" iflag=nonblock,nofollow bs=4096 count=1 2>/dev/null || :
}

# vrrp FILE: haproxy and keepalived may both run on a machine that does not take the VIP
vrrp() {
        stands=$(its "$1" | sed -n '1s/^\(BACKUP\|MASTER\|FAULT\|STOP\) [0-9]\{1,12\}$/\1/p') || stands=
        vip=", keepalived is in state ${stands:-unknown}"
        for each in BACKUP MASTER FAULT; do
                metric hardway_vrrp_state "{state=\"$each\"}" "$([ "$stands" = "$each" ] && echo 1 || echo 0)"
        done
        case $stands in
        BACKUP | MASTER) ;;
        FAULT) say 3 "keepalived stands back (FAULT): haproxy does not answer, this load balancer alone reaches no apiserver, or its interface is down: on the machine that drives hardway, hardway status says which" ;;
        *) say 3 "keepalived has not found its place: journalctl -u keepalived says why" ;;
        esac
}

# snapshots DIRECTORY SERVICE TIMER SECONDS
snapshots() {
        result=$(systemctl show -p Result --value -- "$2" 2>/dev/null) || result=unknown
        taken=$(its "$1/last" | sed -n '1s/^{"file":"[^"]*","time":\([0-9]\{1,12\}\),.*/\1/p') || taken=
        since=${taken:-$(stat -c %Y -- "$3" 2>/dev/null)} || since=
        age=$(((now - ${since:-$now}) / 3600))
        metric hardway_etcd_snapshot_last_success_seconds '' "${taken:-0}"
        if [ "$result" = success ]; then
                metric hardway_etcd_snapshot_failed '' 0
        else
                metric hardway_etcd_snapshot_failed '' 1
                say 3 "the last snapshot of etcd failed ($result): journalctl -u $2 says why"
        fi
        if [ $((now - ${since:-0})) -gt "$4" ]; then
                say 4 "there was no snapshot of etcd for $age hours: journalctl -u $2"
        fi
        [ -z "$taken" ] || saved=", the last snapshot of etcd is $age hours old"
}

# write_metrics DIRECTORY: node_exporter reads whole files whose names end with .prom
write_metrics() {
        if [ ! -d "$1" ]; then
                say 4 "$1 is not there: the metrics of watch.textfile in the cluster file go nowhere"
                return
        fi
        # whose directory it is may have left something there under that name, a link to a file of ours for instance
        rm -f -- "$1/hardway.prom.new" || return 1
        metric hardway_watch_problems '' "$problems"
        metric hardway_watch_last_run_seconds '' "$now"
        (
                umask 022
                set -C
                # one name after the other, as the format wants it
                printf '%s' "$metrics" | sort | while read -r line; do
                        name=${line%%[\{ ]*}
                        [ "$name" = "${previous-}" ] || printf '# TYPE %s gauge\n' "$name"
                        previous=$name
                        printf '%s\n' "$line"
                done >"$1/hardway.prom.new"
        ) || return 1
        mv -f "$1/hardway.prom.new" "$1/hardway.prom" || return 1
}

printf '%s\n' "$now" >"$state.new"
while read -r kind a b c d; do
        case $kind in
        certificate) certificate "$a" ;;
        unit) unit "$a" ;;
        etcd) etcdctl=$a pki=$b ;;
        member) member "$a" "$b" ;;
        snapshots) snapshots "$a" "$b" "$c" "$d" ;;
        apiserver) apiserver "$a" "$b" "$c" ;;
        endpoint) endpoint "$a" "$b" "$c" ;;
        vrrp) vrrp "$a" ;;
        textfile) textfile=$a ;;
        esac </dev/null
done <"$config"
if [ -n "$textfile" ] && ! write_metrics "$textfile"; then
        say 4 "$textfile/hardway.prom cannot be written"
fi
text="$(count $certificates certificate), the first expires in $(count "${first:-no}" day); $(count $units unit)"
[ $members = 0 ] || text="$text; $healthy of $(count $members 'etcd member') healthy"
say 6 "$text$vip$saved$api$way; $(count $problems problem)"
chmod 0644 "$state.new"
mv -f "$state.new" "$state"
