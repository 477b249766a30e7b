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

cargo build --release --locked --quiet
. benches/sink.sh

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
    open(f"{work}/hurl/{i}.hurl", "w").write(f'POST http://127.0.0.1:{port}/upload\n[Multipart]\nfile: file,corpus/{i}.pdf; application/pdf\nHTTP 200\n[Asserts]\nbody contains "accepted 0001"\n')
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
        seconds, _, fraction = event["at"].rstrip("Z").partition(".")
        at = datetime.datetime.fromisoformat(seconds + "+00:00").timestamp() + float("0." + (fraction or "0"))
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
        hurl --test --parallel --jobs 16 --file-root "$work" "$work"/hurl/*.hurl > /dev/null 2> "$work/hurl.log" || { tail -3 "$work/hurl.log"; exit 1; }
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
