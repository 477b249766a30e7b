#!/usr/bin/env bash
# Real WAF engines on loopback, from Debian's own packages and without root: nginx with ModSecurity 3, Apache with
# ModSecurity 2, HAProxy and Varnish. Each is an ordinary process with its configuration, logs and pid file in one folder.
# Usage: see `usage` below, and README.md.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# Servers stand in /usr/sbin, which is not in every user's PATH.
PATH="$PATH:/usr/sbin:/sbin"
umask 022
# shellcheck source=configs.sh
. "$here/configs.sh"

usage() {
    cat <<'TEXT'
usage: engines.sh up DIR      start the engines into DIR, or those of them that do not run
       engines.sh down DIR    stop what was started into DIR
       engines.sh reload DIR NAME [FILE]
                              put the rules of FILE (none when left out) before the Core Rule Set of a running engine
       engines.sh list [DIR]  name, URL, what it is, and with DIR: whether it runs
       engines.sh packages    the Debian packages that hold the engines
environment: ONLY, PORT_BASE, CRS, ORIGIN, ORIGIN_COMMAND, AUDIT_FORMAT, AUDIT_TYPE; see README.md
TEXT
}

# NOTE: the test command installs what this prints. `apache2-bin`, not `apache2`, which would start a service.
packages() {
    printf '%s\n' nginx-light libnginx-mod-http-modsecurity apache2-bin libapache2-mod-security2 modsecurity-crs haproxy \
        varnish curl openssl
}

# name|port, counted from PORT_BASE|scheme|what it is. 1: the origin; 28, 29, 38: see `nginx_conf`.
engines='
ngx-off|10|http|nginx, no WAF
ngx-crs-pl1|11|http|nginx + ModSecurity 3, CRS at paranoia level 1
ngx-crs-pl2|12|http|nginx + ModSecurity 3, CRS at paranoia level 2
ngx-crs-pl3|13|http|nginx + ModSecurity 3, CRS at paranoia level 3
ngx-crs-pl4|14|http|nginx + ModSecurity 3, CRS at paranoia level 4
ngx-rec-only|15|http|nginx + ModSecurity 3, the recommended configuration without CRS
ngx-crs-pl1-detect|16|http|nginx + ModSecurity 3, CRS at paranoia level 1, DetectionOnly
ngx-cmbs1m|17|http|nginx, no WAF, 413 over 1 MiB (client_max_body_size)
ngx-early|20|http|nginx + ModSecurity 3: 403 to every upload, on its headers
ngx-early-nolinger|21|http|nginx: 413 to every upload, on its headers, and closes at once
ngx-444|22|http|nginx: closes every upload without an answer
ngx-502|23|http|nginx: 502 to every upload, nobody listens upstream
ngx-soft200|24|http|nginx + ModSecurity 3: a block page with status 200 to every upload
ngx-redirect|25|http|nginx + ModSecurity 3: every upload is redirected to a block page
ngx-429|26|http|nginx: 429 with Retry-After to more than 2 uploads a second
ngx-slow504|27|http|nginx: 504 to every upload, upstream does not answer within 1 s
apa-off|30|http|Apache, no WAF
apa-crs-pl1|31|http|Apache + ModSecurity 2, CRS at paranoia level 1
apa-crs-pl2|32|http|Apache + ModSecurity 2, CRS at paranoia level 2
apa-crs-pl3|33|http|Apache + ModSecurity 2, CRS at paranoia level 3
apa-crs-pl4|34|http|Apache + ModSecurity 2, CRS at paranoia level 4
apa-rec-only|35|http|Apache + ModSecurity 2, the recommended configuration without CRS
apa-crs-pl1-detect|36|http|Apache + ModSecurity 2, CRS at paranoia level 1, DetectionOnly
apa-limit|37|http|Apache + ModSecurity 2, no CRS, early 413 over 1 MiB (SecRequestBodyLimit)
hap-plain|50|http|HAProxy, no rules
hap-limit|51|http|HAProxy, early 413 over 1 MiB (Content-Length)
varnish-pass|60|http|Varnish, passes everything
varnish-crs|61|http|Varnish in front of ngx-crs-pl1
ngx-tls|80|https|ngx-off over TLS, HTTP/1.1 and HTTP/2
ngx-crs-pl1-tls|81|https|ngx-crs-pl1 over TLS, HTTP/1.1 and HTTP/2
ngx-cmbs1m-tls|82|https|ngx-cmbs1m over TLS, HTTP/1.1 and HTTP/2
apa-limit-tls|83|https|apa-limit over TLS, HTTP/1.1
hap-limit-tls|84|https|hap-limit over TLS, HTTP/1.1 and HTTP/2
ngx-early-tls|85|https|ngx-early over TLS, HTTP/1.1 and HTTP/2
ngx-early-nolinger-tls|86|https|ngx-early-nolinger over TLS, HTTP/1.1 and HTTP/2
ngx-444-tls|87|https|ngx-444 over TLS, HTTP/1.1 and HTTP/2
ngx-502-tls|88|https|ngx-502 over TLS, HTTP/1.1 and HTTP/2
ngx-soft200-tls|89|https|ngx-soft200 over TLS, HTTP/1.1 and HTTP/2
ngx-redirect-tls|90|https|ngx-redirect over TLS, HTTP/1.1 and HTTP/2
ngx-429-tls|91|https|ngx-429 over TLS, HTTP/1.1 and HTTP/2
ngx-slow504-tls|92|https|ngx-slow504 over TLS, HTTP/1.1 and HTTP/2
'

fail() {
    echo "engines.sh: $*" >&2
    exit 1
}

# Looked up often, and so without starting a program each time.
names=()
declare -A number scheme what
while IFS='|' read -r name offset protocol text; do
    [ -n "$name" ] || continue
    names+=("$name")
    number[$name]="$offset" scheme[$name]="$protocol" what[$name]="$text"
done <<<"$engines"
scheme[origin]=http

port() { if [ "$1" = origin ]; then REPLY="${ORIGIN##*:}"; else REPLY=$((PORT_BASE + number[$1])); fi; }
url() {
    port "$1"
    REPLY="${scheme[$1]}://127.0.0.1:$REPLY/upload"
}

# --- Settings: the environment, else what the folder was started with, else the default ---

setting() {
    local key="$1" default="$2" recorded=""
    [ ! -f "$dir/settings" ] || recorded="$(sed -n "s|^$key=||p" "$dir/settings")"
    printf -v "$key" '%s' "${!key-${recorded:-$default}}"
}

settings() {
    setting PORT_BASE 18000
    if ! [[ $PORT_BASE =~ ^[0-9]{4,5}$ ]] || [ "$PORT_BASE" -lt 1024 ] || [ "$PORT_BASE" -gt 65400 ]; then
        fail "PORT_BASE is \`$PORT_BASE\`: a number from 1024 to 65400"
    fi
    setting ORIGIN "127.0.0.1:$((PORT_BASE + 1))"
    [[ $ORIGIN =~ ^127\.[0-9.]+:[0-9]+$|^localhost:[0-9]+$ ]] ||
        fail "ORIGIN is \`$ORIGIN\`: a loopback address and a port, such as 127.0.0.1:18001"
    setting ORIGIN_COMMAND ""
    setting CRS packaged
    setting AUDIT_FORMAT json
    [[ $AUDIT_FORMAT =~ ^(json|native)$ ]] || fail "AUDIT_FORMAT is \`$AUDIT_FORMAT\`: json or native"
    setting AUDIT_TYPE serial
    [[ $AUDIT_TYPE =~ ^(serial|concurrent)$ ]] || fail "AUDIT_TYPE is \`$AUDIT_TYPE\`: serial or concurrent"
}

recorded_settings() {
    printf '%s\n' "PORT_BASE=$PORT_BASE" "ORIGIN=$ORIGIN" "ORIGIN_COMMAND=$ORIGIN_COMMAND" "CRS=$CRS" \
        "AUDIT_FORMAT=$AUDIT_FORMAT" "AUDIT_TYPE=$AUDIT_TYPE"
}

# --- Processes: known by pid and start time, so that a pid that was given out again is never taken for ours ---

# Pid, start time (in ticks since boot) and session of every process, a line each.
processes() {
    # The name in parentheses may hold anything; after it, fields 3, 6 and 22 are the state, the session and the start.
    cat /proc/[0-9]*/stat 2>/dev/null | awk '{ pid = $1; sub(/.*\) /, ""); if ($1 != "Z") print pid, $20, $4 }' || true
}

# The processes of an engine that still run, its leader first: a killed leader leaves workers that hold the port.
# Each engine is the leader of a session of its own, and the kernel gives no pid out again that names a session.
alive() {
    local file="$dir/run/$1.pid" pid start
    [ -s "$file" ] || return 0
    read -r pid start <"$file"
    processes | awk -v pid="$pid" -v start="$start" '
        $1 == pid && $2 != start { foreign = 1 }
        $1 == pid { leader = pid "\n" }
        $1 != pid && $3 == pid && $2 >= start { others = others $1 "\n" }
        END { if (!foreign) printf "%s%s", leader, others }'
}

# The start time of a process that is not a zombie; empty when there is none.
start_time() {
    local stat fields
    REPLY=""
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    read -r -a fields <<<"${stat##*) }"
    [ "${fields[0]}" = Z ] || REPLY="${fields[19]}"
}

leader_runs() {
    local pid start
    [ -s "$dir/run/$1.pid" ] || return 1
    read -r pid start <"$dir/run/$1.pid"
    start_time "$pid"
    [ "$REPLY" = "$start" ]
}

# launch NAME COMMAND...: in the background, in a session of its own, with nothing of ours held open.
launch() {
    local name="$1" pid
    shift
    (cd "$dir" && exec setsid "$@") </dev/null >>"$dir/logs/${name%.log}/start.log" 2>&1 9>&- &
    pid=$!
    start_time "$pid"
    # 0: it is over already.
    echo "$pid ${REPLY:-0}" >"$dir/run/$name.pid"
    started+=("$name")
}

# stop NAME...: asks all at once, waits, and kills what is left.
stop() {
    local name pids
    for name in "$@"; do
        [ -e "$dir/run/$name.pid" ] || continue
        mapfile -t pids < <(alive "$name")
        # A leader ends the others in good order; without one, Apache's do not heed a polite word.
        if leader_runs "$name"; then
            kill "${pids[0]}" 2>/dev/null || true
        elif [ "${#pids[@]}" -gt 0 ]; then
            kill -9 "${pids[@]}" 2>/dev/null || true
        fi
    done
    for name in "$@"; do
        [ -e "$dir/run/$name.pid" ] || continue
        for _ in $(seq 50); do
            mapfile -t pids < <(alive "$name")
            [ "${#pids[@]}" -gt 0 ] || break
            sleep 0.1
        done
        [ "${#pids[@]}" -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true
        rm -f "$dir/run/$name.pid"
    done
}

stop_started() { [ "${#started[@]}" -eq 0 ] || stop "${started[@]}"; }

# --- up ---

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# An HTTP answer of any status, as the origin may be down. CRS at level 2 and above turns the 502 for that into a close.
answers() {
    local status=0
    port "$1"
    # By name: CRS would note an IP address in `Host` in the logs.
    curl -s -o /dev/null --max-time 5 --noproxy '*' --cacert "$dir/tls/ca.pem" --resolve "edge.test:$REPLY:127.0.0.1" \
        "${scheme[$1]}://edge.test:$REPLY/" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 52 ]
}

await() {
    local name="$1" deadline=$((SECONDS + 60))
    until answers "$name"; do
        if leader_runs "$name" && [ "$SECONDS" -lt "$deadline" ]; then
            sleep 0.1
            continue
        fi
        port "$name"
        echo "engines.sh: \`$name\` does not answer on port $REPLY; its logs end with:" >&2
        tail -q -n 10 "$dir/logs/$name/start.log" "$dir/logs/$name/error.log" 2>/dev/null | cut -c 1-500 >&2 || true
        exit 1
    done
}

# The engines that ONLY asks for (words, with * and ?), and those that they need.
chosen() {
    local word name found
    # Unquoted and without file names in the place of * and ?.
    set -f
    for word in ${ONLY:-*}; do
        found=""
        for name in "${names[@]}"; do
            # shellcheck disable=SC2053
            [[ $name == $word ]] || continue
            found=yes
            [ "$name" != varnish-crs ] || echo ngx-crs-pl1
            echo "$name"
        done
        [ -n "$found" ] || fail "ONLY names \`$word\`, and there is no such engine; see \`engines.sh list\`"
    done
}

prepare() {
    if [ -e "$dir" ] && [ ! -f "$dir/.wafcanary-engines" ] && [ -n "$(ls -A "$dir")" ]; then
        fail "$dir holds something else: name a new or an empty folder"
    fi
    mkdir -p "$dir"
    dir="$(cd "$dir" && pwd -P)"
    [[ $dir =~ ^[A-Za-z0-9/._+-]+$ ]] || fail "\`$dir\` holds characters that the engines' configurations would need quoted"
    : >"$dir/.wafcanary-engines"
    chmod 755 "$dir"
    mkdir -p "$dir/conf" "$dir/run" "$dir/logs" "$dir/tmp" "$dir/tls" "$dir/profiles"
    worker="" group=""
    [ "$(id -u)" -eq 0 ] || return 0
    # Started by root, the engines' workers run as another user, who must get to their folders.
    worker=nobody
    group="$(id -gn "$worker")"
    setpriv --reuid="$worker" --regid="$group" --clear-groups test -x "$dir/conf" ||
        fail "the engines' workers run as \`$worker\`, who can't get to $dir: open the folders above it (chmod a+x)"
}

up() {
    local name wanted missing=()
    prepare
    exec 9>"$dir/.lock"
    flock -w 120 9 || fail "another \`up\` or \`down\` works in $dir"
    settings
    wanted="$(chosen | awk '!seen[$0]++')"
    [ -z "$ORIGIN_COMMAND" ] || wanted="origin $wanted"
    if [ -f "$dir/settings" ] && [ -n "$(cat "$dir"/run/*.pid 2>/dev/null)" ] &&
        [ "$(recorded_settings)" != "$(cat "$dir/settings")" ]; then
        diff <(cat "$dir/settings") <(recorded_settings) >&2 || true
        fail "$dir was started with other settings (above: those, then these): \`engines.sh down\` first"
    fi
    recorded_settings >"$dir/settings"
    for name in $wanted; do
        leader_runs "$name" || missing+=("$name")
    done
    certificates
    profiles
    started=()
    trap stop_started EXIT
    for name in ${missing[@]+"${missing[@]}"}; do
        # What a killed leader left behind still holds the port.
        stop "$name" "$name.log"
        port "$name"
        ! is_taken "$REPLY" ||
            fail "port $REPLY for \`$name\` is taken by another program: choose another PORT_BASE (now $PORT_BASE)"
        mkdir -p "$dir/logs/$name" "$dir/tmp/$name" "$dir/conf/$name"
        [ -z "$worker" ] || chown "$worker" "$dir/tmp/$name" "$dir/logs/$name"
        : >"$dir/logs/$name/start.log"
        # Apache takes a killed parent that nobody has reaped yet for a running one.
        rm -f "$dir/tmp/$name"/*.pid
        "start_${name%%-*}" "$name"
    done
    for name in ${missing[@]+"${missing[@]}"}; do
        await "$name"
    done
    trap - EXIT
    if [ -z "$ORIGIN_COMMAND" ] && ! is_taken "${ORIGIN##*:}"; then
        echo "engines.sh: nothing listens at $ORIGIN yet: the engines answer 502 or 503 until the origin does" >&2
    fi
    echo "$(wc -w <<<"$wanted") up in $dir, ${#missing[@]} of them started now"
}

down() {
    [ -f "$dir/.wafcanary-engines" ] || fail "$dir is not a folder of engines.sh"
    dir="$(cd "$dir" && pwd -P)"
    exec 9>"$dir/.lock"
    flock -w 120 9 || fail "another \`up\` or \`down\` works in $dir"
    local file running=()
    for file in "$dir"/run/*.pid; do
        [ -e "$file" ] || continue
        file="${file##*/}"
        running+=("${file%.pid}")
    done
    [ "${#running[@]}" -eq 0 ] || stop "${running[@]}"
    echo "${#running[@]} stopped in $dir"
}

# The processes that answer requests: their parents stay over a reload.
workers() {
    local leader
    leader="$(cut -d ' ' -f 1 "$dir/run/$1.pid")"
    alive "$1" | grep -vx "$leader" || true
}

# Puts a file's rules before the Core Rule Set of a running engine. When it returns, only processes that know them answer.
reload() {
    local name="$1" file="${2-/dev/null}" leader before
    [ -f "$dir/.wafcanary-engines" ] || fail "$dir is not a folder of engines.sh"
    dir="$(cd "$dir" && pwd -P)"
    exec 9>"$dir/.lock"
    flock -w 120 9 || fail "another \`up\`, \`down\` or \`reload\` works in $dir"
    settings
    [ -f "$dir/conf/$name/exclusions.conf" ] || fail "\`$name\` has no ModSecurity, or was never started into $dir"
    leader_runs "$name" || fail "\`$name\` does not run"
    [ -r "$file" ] || fail "$file can't be read"
    cp "$dir/conf/$name/exclusions.conf" "$dir/conf/$name/exclusions.before"
    cat "$file" >"$dir/conf/$name/exclusions.conf"
    if ! check_"${name%%-*}" "$name" >"$dir/logs/$name/check.log" 2>&1; then
        # What the engine can't read must not stay: its next start would fail.
        mv "$dir/conf/$name/exclusions.before" "$dir/conf/$name/exclusions.conf"
        tail -n 10 "$dir/logs/$name/check.log" >&2
        fail "\`$name\` does not take these rules, and goes on with those that it has"
    fi
    rm "$dir/conf/$name/exclusions.before"
    before="$(workers "$name")"
    leader="$(cut -d ' ' -f 1 "$dir/run/$name.pid")"
    kill -s "$([ "${name%%-*}" = apa ] && echo USR1 || echo HUP)" "$leader"
    for _ in $(seq 300); do
        sleep 0.1
        leader_runs "$name" || fail "\`$name\` ended at the reload: see $dir/logs/$name"
        ! workers "$name" | grep -qxF "$before" || continue
        [ -n "$(workers "$name")" ] || continue
        await "$name"
        echo "$name reloaded"
        return
    done
    fail "\`$name\` still has processes that know the rules of before"
}

list() {
    local name state=""
    settings
    for name in "${names[@]}"; do
        [ -z "$dir" ] || if leader_runs "$name"; then state=$'\tup'; else state=$'\tdown'; fi
        url "$name"
        printf '%s\t%s\t%s%s\n' "$name" "$REPLY" "${what[$name]}" "$state"
    done
}

dir="${2-}"
case "${1-}:$#" in
    up:2) up ;;
    down:2) down ;;
    reload:3 | reload:4) reload "$3" ${4+"$4"} ;;
    list:1 | list:2) list ;;
    packages:1) packages ;;
    *)
        usage >&2
        exit 2
        ;;
esac
