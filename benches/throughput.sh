#!/bin/bash
# Requests a second of `wafcanary run` beside wrk and hurl, against the same nginx, in the same minutes.
#
#   benches/throughput.sh [CASES] [BYTES]        default: 20000 cases of 100000 bytes
#
# The sink is an nginx that reads the whole body and then answers (proxied without the body to a `return 200`).
# Needs nginx, wrk, and for the second ratio hurl; python3 makes the inputs. Prints medians of three turns and ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-20000} bytes=${2:-100000} port=${PORT:-18990}
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
nginx_pid=""
cleanup() { [ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

cargo build --release --locked --quiet
cat > "$work/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/error.log error;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path $work/body; proxy_temp_path $work/proxy;
  fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  client_max_body_size 0; client_body_buffer_size 1m; keepalive_requests 100000000;
  upstream answer { server 127.0.0.1:$((port + 1)); keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:$port;
    location / { proxy_pass http://answer; proxy_pass_request_body off; proxy_set_header Content-Length "";
                 proxy_http_version 1.1; proxy_set_header Connection ""; } }
  server { listen 127.0.0.1:$((port + 1)); location / { return 200 "accepted 0001\n"; } }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/error.log" & nginx_pid=$!
for _ in $(seq 50); do curl -fsS -o /dev/null "http://127.0.0.1:$port/" 2>/dev/null && break; sleep 0.1; done

python3 - "$work" "$cases" "$bytes" "$port" <<'PY'
import os, random, sys
work, cases, size, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
random.seed(1)
os.mkdir(f"{work}/corpus")
pdf = b"%PDF-1.4\n" + random.randbytes(size - 16) + b"\n%%EOF\n"
pdf = pdf[:size]
open(f"{work}/corpus/0.pdf", "wb").write(pdf)
for i in range(1, cases):
    os.link(f"{work}/corpus/0.pdf", f"{work}/corpus/{i}.pdf")
open(f"{work}/sink.toml", "w").write(f'''
name = "sink"
[target]
url = "http://127.0.0.1:{port}/upload"
[oracle]
proof = "marker"
status = [200]
body = {{ contains = "accepted 0001" }}
[pace]
rate = 0
concurrency = 16
canary_every = 0
[guard]
environment = "lab"
''')
boundary = "----WebKitFormBoundaryAAAAAAAAAAAAAAAA"
head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="0.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
open(f"{work}/body", "wb").write(head.encode() + pdf + f"\r\n--{boundary}--\r\n".encode())
open(f"{work}/post.lua", "w").write(f'''
local f = io.open("{work}/body", "rb"); wrk.body = f:read("*a"); f:close()
wrk.method = "POST"; wrk.path = "/upload"
wrk.headers["Content-Type"] = "multipart/form-data; boundary={boundary}"
''')
entries = min(cases, 2000)
os.mkdir(f"{work}/hurl")
for i in range(entries):
    open(f"{work}/hurl/{i}.hurl", "w").write(f'POST http://127.0.0.1:{port}/upload\n[Multipart]\nfile: file,../corpus/{i}.pdf; application/pdf\nHTTP 200\n[Asserts]\nbody contains "accepted 0001"\n')
PY

now() { date +%s.%N; }
median() { sort -n | sed -n 2p; }
for turn in 1 2 3; do
    rm -rf "$work/out"
    from=$(now)
    ./target/release/wafcanary run --profile "$work/sink.toml" --corpus "$work/corpus" --client chromium --out "$work/out" \
        --no-progress --format json > "$work/run.json" 2> "$work/run.log" || { cat "$work/run.log"; exit 1; }
    to=$(now)
    python3 - "$work" "$cases" "$from" "$to" >> "$work/ours" <<'PY'
import datetime, json, sys
work, cases, began, ended = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
first = last = None; delivered = 0
for line in open(f"{work}/out/journal.jsonl"):
    event = json.loads(line)
    if event["event"] == "attempt":
        at = datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")[:26].rstrip("+") + "+00:00").timestamp()
        first = at if first is None else min(first, at)
        last = at if last is None else max(last, at + event["observation"]["timings"]["total_us"] / 1e6)
    elif event["event"] == "case":
        delivered += event["verdict"]["outcome"] == "delivered"
assert delivered == cases, (delivered, cases)
print(cases / (last - first), cases / (ended - began))
PY
    wrk -t1 -c16 -d4s -s "$work/post.lua" "http://127.0.0.1:$port" | awk '/Requests\/sec/ {print $2}' >> "$work/wrk"
    if command -v hurl > /dev/null; then
        from=$(now)
        hurl --test --parallel --jobs 16 "$work"/hurl/*.hurl > /dev/null 2> "$work/hurl.log" || { tail -3 "$work/hurl.log"; exit 1; }
        echo "$(now) $from $(find "$work/hurl" -name '*.hurl' | wc -l)" | awk '{print $3 / ($1 - $2)}' >> "$work/hurl.rate"
    fi
done
sending=$(cut -d' ' -f1 "$work/ours" | median) whole=$(cut -d' ' -f2 "$work/ours" | median) wrk=$(median < "$work/wrk")
printf 'uploads/s, median of 3: wafcanary %.0f sending (%.0f as a whole process), wrk %.0f\n' "$sending" "$whole" "$wrk"
awk -v a="$sending" -v b="$whole" -v w="$wrk" 'BEGIN {printf "ratio to wrk: %.2f sending, %.2f whole process\n", a / w, b / w}'
if [ -s "$work/hurl.rate" ]; then
    awk -v a="$sending" -v b="$whole" -v h="$(median < "$work/hurl.rate")" \
        'BEGIN {printf "hurl --test --parallel: %.0f uploads/s; ratio to hurl: %.1f sending, %.1f whole process\n", h, a / h, b / h}'
else
    echo "hurl is not installed: no ratio to it"
fi
