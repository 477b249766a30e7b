# shellcheck shell=bash
# Sourced by engines.sh: writes each engine's configuration and starts it. $dir, $PORT_BASE, $ORIGIN, $CRS, $AUDIT_FORMAT,
# $AUDIT_TYPE and $worker and $group (the workers' user, empty when not root) are set there; `port` and `url`
# leave their answer in $REPLY.

# --- Certificates and profiles ---

# An authority of its own and a leaf: clients that follow RFC 5280 take no CA certificate for a server's.
certificates() {
    local tls="$dir/tls"
    if openssl x509 -in "$tls/edge.pem" -noout -checkend 86400 >/dev/null 2>&1; then return; fi
    {
        cat >"$tls/openssl.cnf" <<'CONF'
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost, DNS:edge.test
CONF
        openssl req -x509 -config "$tls/openssl.cnf" -extensions ca -subj '/CN=engines.sh test authority' -days 365 -nodes \
            -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "$tls/ca.key" -out "$tls/ca.pem"
        openssl req -new -config "$tls/openssl.cnf" -subj '/CN=edge.test' -nodes \
            -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout "$tls/edge.key" -out "$tls/edge.csr"
        openssl x509 -req -in "$tls/edge.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 365 \
            -extfile "$tls/openssl.cnf" -extensions leaf -out "$tls/edge.pem"
    } >"$tls/openssl.log" 2>&1 || fail "openssl could not make a certificate: see $tls/openssl.log"
    # HAProxy wants both in one file.
    cat "$tls/edge.pem" "$tls/edge.key" >"$tls/edge-and-key.pem"
    chmod 600 "$tls"/*.key "$tls/edge-and-key.pem"
}

# profile NAME URL LINE...: the lines go at the end.
profile() {
    local name="$1" url="$2"
    shift 2
    printf '%s\n' "name = \"$name\"" 'extends = "base.toml"' '' '[target]' "url = \"$url\"" "$@" >"$dir/profiles/$name.toml"
}

profiles() {
    local name canary
    cat >"$dir/profiles/base.toml" <<TOML
# What the profiles of all engines share: the form, and the receipts of the origin behind them.
schema_version = 1

[target]
url = "http://127.0.0.1:$((PORT_BASE + 10))/upload"
# By name, as real clients do: CRS counts an IP address in \`Host\` as an anomaly (920350).
host = "edge.test"
sni = "edge.test"

[tls]
ca = "../tls/ca.pem"

[oracle]
proof = "receipt"
status = "200"

[oracle.receipt]
url = "http://$ORIGIN/receipts/{attempt}"
sha256 = "/sha256"
size = "/size"
filename = "/filename"
filename_hex = "/filename_hex"
content_type = "/content_type"

[pace]
rate = "unlimited"
concurrency = 2

[timeouts]
connect = "10s"
answer = "30s"
idle = "30s"
total = "120s"
receipt = "500ms"

[guard]
allowed_hosts = ["127.0.0.1", "${ORIGIN%:*}"]
authorized = true
environment = "lab"
TOML
    for name in "${names[@]}"; do
        canary=()
        case "${name%-tls}" in
            # These refuse every upload, a canary control too: it would say nothing.
            ngx-early* | ngx-444 | ngx-502 | ngx-soft200 | ngx-redirect | ngx-slow504)
                canary=('' '[pace]' 'canary_every = 0') ;;
        esac
        url "$name"
        profile "$name" "$REPLY" ${canary[@]+"${canary[@]}"}
        case "$name" in
            ngx-*tls | hap-*tls) profile "$name-h2" "$REPLY" 'http = "2"' ${canary[@]+"${canary[@]}"} ;;
        esac
    done
}

# --- ModSecurity ---

# modsecurity NAME SOURCE MAP: the packaged recommended configuration; only what is listed here is changed.
modsecurity() {
    local name="$1" source="$2" map="$3" mode=On log="audit.json"
    [ "$AUDIT_FORMAT" = json ] || log="audit.log"
    case "$name" in *-detect) mode=DetectionOnly ;; esac
    [ -r "$source" ] || fail "$source is missing: install the packages that \`engines.sh packages\` names"
    {
        echo "# $source, with the changes at its end."
        grep -Ev '^Sec(RuleEngine|TmpDir|DataDir|UnicodeMapFile|StatusEngine|AuditLog(Parts|Type|Format|StorageDir)?)[[:space:]]' "$source"
        printf '\n%s\n' '# What the laboratory changes.'
        echo "SecRuleEngine $mode"
        echo "SecTmpDir $dir/tmp/$name"
        echo "SecDataDir $dir/tmp/$name"
        echo "SecUnicodeMapFile $map 20127"
        echo "SecStatusEngine Off"
        echo "SecAuditLogParts ABHZ"
        if [ "$AUDIT_FORMAT" = json ]; then echo "SecAuditLogFormat JSON"; else echo "SecAuditLogFormat Native"; fi
        if [ "$AUDIT_TYPE" = serial ]; then
            echo "SecAuditLogType Serial"
        else
            echo "SecAuditLogType Concurrent"
            echo "SecAuditLogStorageDir $dir/logs/$name/audit"
        fi
        echo "SecAuditLog $dir/logs/$name/$log"
    } >"$dir/conf/$name/modsecurity.conf"
    mkdir -p "$dir/logs/$name/audit"
    [ -z "$worker" ] || chown "$worker" "$dir/logs/$name/audit"
}

# crs LEVEL: the lines that load the Core Rule Set, of Debian's layout or of an upstream checkout.
crs() {
    local level="$1" rules setup file before=() after=()
    case "$CRS" in
        packaged) rules=/usr/share/modsecurity-crs/rules setup=/etc/modsecurity/crs/crs-setup.conf ;;
        *) rules="$CRS/rules" setup="$CRS/crs-setup.conf" ;;
    esac
    [ -r "$setup" ] || setup="$setup.example"
    [ -r "$setup" ] || fail "no crs-setup.conf and no crs-setup.conf.example: is CRS (\`$CRS\`) a checkout of the Core Rule Set?"
    compgen -G "$rules/*.conf" >/dev/null || fail "there are no rules in $rules"
    if [ "$CRS" = packaged ]; then
        before=(/etc/modsecurity/crs/REQUEST-900-*.conf)
        after=(/etc/modsecurity/crs/RESPONSE-999-*.conf)
    else
        before=("$CRS"/plugins/*-config.conf "$CRS"/plugins/*-before.conf)
        after=("$CRS"/plugins/*-after.conf)
    fi
    echo "Include $setup"
    # CRS 3 reads the first variable, CRS 4 the second.
    echo "SecAction \"id:1001,phase:1,pass,nolog,t:none,setvar:tx.paranoia_level=$level,setvar:tx.blocking_paranoia_level=$level\""
    # ModSecurity 3 knows no IncludeOptional.
    for file in ${before[@]+"${before[@]}"} "$rules"/*.conf ${after[@]+"${after[@]}"}; do
        [ ! -r "$file" ] || echo "Include $file"
    done
}

# The line that loads what `engines.sh reload` puts before the Core Rule Set; none at the start.
exclusions() {
    : >"$dir/conf/$1/exclusions.conf"
    echo "Include $dir/conf/$1/exclusions.conf"
}

# The lines after modsecurity.conf that make the engine what its name says.
rules() {
    local name="${1%-tls}" level upload='SecRule REQUEST_METHOD "@rx ^(?:POST|PUT)$"'
    case "$name" in
        *-crs-pl?*)
            level="${name#*-crs-pl}"
            crs "${level%%-*}"
            ;;
        apa-limit) echo "SecRequestBodyLimit 1048576" ;;
        ngx-early) echo "$upload \"id:1002,phase:1,deny,status:403,log,auditlog,msg:'Uploads are refused on their headers'\"" ;;
        ngx-soft200) echo "$upload \"id:1002,phase:2,deny,status:403,log,auditlog,msg:'Uploads are refused'\"" ;;
        ngx-redirect) echo "$upload \"id:1002,phase:2,deny,redirect:'/blocked',log,auditlog,msg:'Uploads are refused'\"" ;;
    esac
}

# --- The servers ---

start_origin() {
    # Words of a command line, as typed.
    # shellcheck disable=SC2086
    launch origin $ORIGIN_COMMAND --listen "$ORIGIN"
}

nginx_conf() {
    local name="$1" style="${1%-tls}" waf="" listen page never=$((PORT_BASE + 28))
    port "$name"
    listen="127.0.0.1:$REPLY"
    [ -n "${modules-}" ] || modules="$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')"
    case "$style" in
        ngx-crs-* | ngx-rec-only | ngx-early | ngx-soft200 | ngx-redirect) waf=yes ;;
    esac
    case "$name" in *-tls) listen="$listen ssl http2" never=$((PORT_BASE + 38)) ;; esac
    page='<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br>Your support ID is: $request_id</body></html>'
    [ -z "$waf" ] || echo "load_module $modules/ngx_http_modsecurity_module.so;"
    [ -z "$worker" ] || echo "user $worker $group;"
    cat <<CONF
daemon off;
worker_processes 1;
pid $dir/tmp/$name/nginx.pid;
# ModSecurity 3 logs a rule that only warns as \`info\`, a refusal as \`error\`.
error_log $dir/logs/$name/error.log info;
events { worker_connections 256; }
http {
    # The id of the attempt, which ModSecurity takes as its unique_id; other requests get nginx's own.
    # NOTE: a concurrent audit log makes file names of it, so that a free text could name any path.
    map \$http_x_wafcanary_attempt \$transaction { "~^[0-9A-Za-z._-]+\$" \$http_x_wafcanary_attempt; default \$request_id; }
    map \$request_method \$upload { default ""; POST yes; PUT yes; }
    log_format attempts '\$remote_addr - - [\$time_local] "\$request" \$status \$body_bytes_sent "\$http_x_wafcanary_attempt" "\$transaction"';
    access_log $dir/logs/$name/access.log attempts;
    client_body_temp_path $dir/tmp/$name/body;
    proxy_temp_path $dir/tmp/$name/proxy;
    fastcgi_temp_path $dir/tmp/$name/fastcgi;
    uwsgi_temp_path $dir/tmp/$name/uwsgi;
    scgi_temp_path $dir/tmp/$name/scgi;
    default_type text/html;
    client_max_body_size 128m;
CONF
    case "$name" in *-tls) printf '    ssl_certificate %s;\n    ssl_certificate_key %s;\n' "$dir/tls/edge.pem" "$dir/tls/edge.key" ;; esac
    case "$style" in
        ngx-429) cat <<CONF ;;
    # Requests with an empty key are not counted.
    map \$upload \$counted { default ""; yes \$binary_remote_addr; }
    limit_req_zone \$counted zone=uploads:64k rate=2r/s;
CONF
        ngx-slow504) cat <<CONF ;;
    # Waits for a body that never comes, and so never answers.
    server {
        listen 127.0.0.1:$never;
        access_log off;
        location / { proxy_pass http://$ORIGIN; }
    }
CONF
    esac
    cat <<CONF
    server {
        listen $listen;
        server_name edge.test;
        add_header X-Unique-Id \$transaction always;
CONF
    [ -z "$waf" ] || cat <<CONF
        modsecurity on;
        modsecurity_rules_file $dir/conf/$name/rules.conf;
        modsecurity_transaction_id \$transaction;
CONF
    case "$style" in
        ngx-cmbs1m) echo "        client_max_body_size 1m;" ;;
        # Every body is longer than one byte.
        ngx-early-nolinger) printf '        %s\n' "client_max_body_size 1;" "lingering_close off;" ;;
        ngx-444) echo "        if (\$upload) { return 444; }" ;;
        # Nobody listens on that port.
        ngx-502) echo "        location /upload { if (\$upload) { proxy_pass http://127.0.0.1:$((PORT_BASE + 29)); } proxy_pass http://$ORIGIN; }" ;;
        ngx-soft200) cat <<CONF ;;
        error_page 403 =200 /blocked;
        location = /blocked { internal; return 200 "$page"; }
CONF
        ngx-redirect) cat <<CONF ;;
        location = /blocked { return 200 "$page"; }
CONF
        ngx-429) cat <<CONF ;;
        limit_req zone=uploads burst=4 nodelay;
        limit_req_status 429;
        error_page 429 @throttled;
        location @throttled { add_header Retry-After 1 always; return 429 "too many uploads\n"; }
CONF
        ngx-slow504) cat <<CONF ;;
        if (\$upload) { rewrite ^ /void last; }
        location = /void {
            internal;
            proxy_pass http://127.0.0.1:$never;
            proxy_pass_request_body off;
            proxy_set_header Content-Length 1;
            proxy_read_timeout 1s;
        }
CONF
    esac
    cat <<CONF
        location / {
            proxy_pass http://$ORIGIN;
            proxy_set_header Host \$host;
        }
    }
}
CONF
}

start_ngx() {
    local name="$1" conf="$dir/conf/$1/nginx.conf" packaged=/usr/share/nginx/docs/modsecurity
    # The copy among the documents is never edited; where documents are not installed, the one in use.
    [ -r "$packaged/modsecurity.conf" ] || packaged=/etc/nginx
    nginx_conf "$name" >"$conf"
    if grep -q '^load_module' "$conf"; then
        modsecurity "$name" "$packaged/modsecurity.conf" "$packaged/unicode.mapping"
        { echo "Include $dir/conf/$name/modsecurity.conf" && exclusions "$name" && rules "$name"; } >"$dir/conf/$name/rules.conf"
    fi
    launch "$name" nginx -p "$dir/tmp/$name" -c "$conf" -e "$dir/logs/$name/error.log"
}

check_ngx() { nginx -t -p "$dir/tmp/$1" -c "$dir/conf/$1/nginx.conf" -e "$dir/logs/$1/error.log"; }

apache_conf() {
    local name="$1" module loaded=(mpm_event authz_core unique_id headers log_config proxy proxy_http)
    case "$name" in *-tls) loaded+=(ssl) ;; esac
    case "$name" in apa-off) ;; *) loaded+=(security2) ;; esac
    for module in "${loaded[@]}"; do
        # Some are built into Debian's apache2.
        [ ! -e "/usr/lib/apache2/modules/mod_$module.so" ] ||
            echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    [ -z "$worker" ] || printf '%s\n' "User $worker" "Group $group"
    port "$name"
    cat <<CONF
ServerName edge.test
Listen 127.0.0.1:$REPLY
PidFile $dir/tmp/$name/apache.pid
DefaultRuntimeDir $dir/tmp/$name
Mutex file:$dir/tmp/$name default
ServerLimit 1
StartServers 1
ThreadsPerChild 16
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16
Timeout 30
ErrorLog $dir/logs/$name/error.log
LogFormat "%h - - %t \"%r\" %>s %b \"%{X-Wafcanary-Attempt}i\" \"%{UNIQUE_ID}e\"" attempts
CustomLog $dir/logs/$name/access.log attempts
# The id that ModSecurity logs, so that an answer can be found in its logs.
Header always set X-Unique-Id "%{UNIQUE_ID}e"
ProxyPreserveHost On
# A connection of its own for each request: an upload can't be repeated when a kept one turns out to be closed.
ProxyPass / http://$ORIGIN/ disablereuse=on
CONF
    case "$name" in
        *-tls) printf '%s\n' "SSLEngine on" "SSLCertificateFile $dir/tls/edge.pem" "SSLCertificateKeyFile $dir/tls/edge.key" ;;
    esac
    case "$name" in
        apa-off) ;;
        *)
            echo "Include $dir/conf/$name/modsecurity.conf"
            exclusions "$name"
            rules "$name"
            ;;
    esac
}

start_apa() {
    local name="$1" packaged=/etc/modsecurity
    case "$name" in
        apa-off) ;;
        *) modsecurity "$name" "$packaged/modsecurity.conf-recommended" "$packaged/unicode.mapping" ;;
    esac
    apache_conf "$name" >"$dir/conf/$name/apache.conf"
    launch "$name" apache2 -DFOREGROUND -d "$dir" -f "$dir/conf/$name/apache.conf"
}

check_apa() { apache2 -t -d "$dir" -f "$dir/conf/$1/apache.conf"; }

start_hap() {
    local name="$1" conf="$dir/conf/$1/haproxy.cfg"
    {
        printf '%s\n' "global" "    log stdout format raw local0" "    maxconn 256" "    nbthread 1"
        [ -z "$worker" ] || printf '    %s\n' "user $worker" "group $group"
        cat <<CONF
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    log-format '%ci - - [%trl] %{+Q}r %ST %B "%[capture.req.hdr(0)]"'
frontend edge
CONF
        port "$name"
        case "$name" in
            *-tls) echo "    bind 127.0.0.1:$REPLY ssl crt $dir/tls/edge-and-key.pem alpn h2,http/1.1" ;;
            *) echo "    bind 127.0.0.1:$REPLY" ;;
        esac
        echo "    http-request capture req.hdr(X-Wafcanary-Attempt) len 128"
        # NOTE: a chunked body has no Content-Length, and passes.
        case "$name" in hap-limit*) echo "    http-request deny deny_status 413 if { req.hdr_val(content-length) gt 1048576 }" ;; esac
        printf '%s\n' "    default_backend origin" "backend origin" "    server origin $ORIGIN"
    } >"$conf"
    # Its log goes to standard output, its complaints to standard error.
    # shellcheck disable=SC2016
    launch "$name" sh -c 'exec haproxy -db -f "$1" >>"$2/access.log" 2>>"$2/error.log"' sh "$conf" "$dir/logs/$name"
}

start_varnish() {
    local name="$1" conf="$dir/conf/$1/default.vcl" behind="$ORIGIN" jail=none
    if [ "$name" = varnish-crs ]; then
        port ngx-crs-pl1
        behind="127.0.0.1:$REPLY"
    fi
    # With the package's own users.
    [ -z "$worker" ] || jail=unix
    cat >"$conf" <<CONF
vcl 4.1;
backend behind { .host = "${behind%:*}"; .port = "${behind##*:}"; }
sub vcl_recv { return (pass); }
# A connection of its own for each request: an upload can't be repeated when a kept one turns out to be closed.
sub vcl_backend_fetch { set bereq.http.Connection = "close"; }
CONF
    port "$name"
    launch "$name" varnishd -F -j "$jail" -n "$dir/tmp/$name/work" -f "$conf" -a "127.0.0.1:$REPLY" -T none \
        -s malloc,16m -p thread_pools=1 -p thread_pool_min=10 -p thread_pool_max=64
    launch "$name.log" varnishncsa -n "$dir/tmp/$name/work" -t 60 -a -w "$dir/logs/$name/access.log" \
        -F '%h - - %t "%r" %s %b "%{X-Wafcanary-Attempt}i"'
}
