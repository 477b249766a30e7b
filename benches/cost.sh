#!/bin/bash
# What the tool itself costs on real engines, in the same minutes as its peer:
# uploads a second through nginx without a WAF before the origin, beside wrk; and the share of the machine's CPU time that
# it takes while it sends through nginx with ModSecurity 3 and the Core Rule Set at paranoia level 1.
#
#   benches/cost.sh [CASES] [BYTES]        default: 4000 cases of 100000 bytes
#
# Needs what `tests/engines/engines.sh packages` names, wrk and python3. Prints medians of three turns and ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
cases=${1:-4000} bytes=${2:-100000}
export PORT_BASE=${PORT_BASE:-18700}
work=$(mktemp -d)
chmod 755 "$work"
trap 'tests/engines/engines.sh down "$work/lab" > /dev/null; rm -rf "$work"' EXIT

cargo build --release --locked --quiet
tool="$PWD/target/release/wafcanary"
export ORIGIN_COMMAND="$tool origin --max-store-bytes 0"
ONLY="ngx-off ngx-crs-pl1" tests/engines/engines.sh up "$work/lab"
url=$(tests/engines/engines.sh list "$work/lab" | awk -F'\t' '$1 == "ngx-off" {print $2}')

python3 - "$work" "$cases" "$bytes" <<'PY'
import os, random, sys
work, cases, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(1)
os.mkdir(f"{work}/corpus")
pdf = (b"%PDF-1.4\n" + random.randbytes(size))[:size - 7] + b"\n%%EOF\n"
for i in range(cases):
    # Each a file of its own: the origin and the engine know none of them.
    open(f"{work}/corpus/{i}.pdf", "wb").write(pdf[:9] + b"%%%08d\n" % i + pdf[20:])
boundary = "----WebKitFormBoundaryAAAAAAAAAAAAAAAA"
head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="0.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
open(f"{work}/body", "wb").write(head.encode() + pdf + f"\r\n--{boundary}--\r\n".encode())
open(f"{work}/post.lua", "w").write(f'''
local f = io.open("{work}/body", "rb"); wrk.body = f:read("*a"); f:close()
wrk.method = "POST"
wrk.headers["Host"] = "edge.test"
wrk.headers["Content-Type"] = "multipart/form-data; boundary={boundary}"
''')
for name in ("ngx-off", "ngx-crs-pl1"):
    for proof, oracle in (("receipt", ""), ("marker", '[oracle]\nproof = "marker"\nbody = { contains = "Your application has been received" }\n')):
        text = f'extends = "{work}/lab/profiles/{name}.toml"\n{oracle}[pace]\nconcurrency = 16\ncanary_every = 0\n'
        open(f"{work}/{name}-{proof}.toml", "w").write(text)
PY

# Sends the corpus; prints uploads a second while sending, and the tool's share of the machine's CPU time in percent.
send() {
    rm -rf "$work/out"
    python3 - "$tool" "$work" "$1" <<'PY'
import datetime, json, os, resource, subprocess, sys, time
tool, work, profile = sys.argv[1:]
began = time.time()
done = subprocess.run([tool, "run", "--profile", f"{work}/{profile}.toml", "--corpus", f"{work}/corpus", "--client", "chromium",
                       "--out", f"{work}/out", "--no-progress", "--format", "json"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
took = time.time() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
first = last = None; settled = 0
for line in open(f"{work}/out/journal.jsonl"):
    event = json.loads(line)
    if event["event"] == "attempt":
        at = datetime.datetime.fromisoformat(event["at"].split(".")[0].rstrip("Z") + "+00:00").timestamp()
        at += float("0." + (event["at"].rstrip("Z").partition(".")[2] or "0"))
        first = at if first is None else min(first, at)
        last = max(last or 0, at + event["observation"]["timings"]["total_us"] / 1e6)
    settled += event["event"] == "case"
assert settled == len(os.listdir(f"{work}/corpus")), done.stderr.decode()
print(settled / (last - first), 100 * (used.ru_utime + used.ru_stime) / (took * os.cpu_count()))
PY
}

median() { sort -n | sed -n 2p; }
for _ in 1 2 3; do
    send ngx-off-marker >> "$work/marker"
    wrk -t1 -c16 -d4s -s "$work/post.lua" "$url" | awk '/Requests\/sec/ {print $2}' >> "$work/wrk"
    send ngx-off-receipt >> "$work/receipt"
done
marker=$(cut -d' ' -f1 "$work/marker" | median) receipt=$(cut -d' ' -f1 "$work/receipt" | median) wrk=$(median < "$work/wrk")
printf 'through nginx without a WAF, uploads/s, median of 3: wafcanary %.0f with a marker, %.0f with a receipt for each; wrk %.0f\n' "$marker" "$receipt" "$wrk"
awk -v a="$marker" -v b="$receipt" -v w="$wrk" 'BEGIN {printf "ratio to wrk: %.2f with a marker, %.2f with a receipt for each\n", a / w, b / w}'
# A quarter of the corpus is enough here: the engine takes ten milliseconds for each.
find "$work/corpus" -name '*[1-9].pdf' -delete
for _ in 1 2 3; do send ngx-crs-pl1-receipt >> "$work/crs"; done
printf 'through nginx + CRS PL1: %.0f uploads/s, %.1f %% of the CPU time of %s cores is the tool'"'"'s\n' \
    "$(cut -d' ' -f1 "$work/crs" | median)" "$(cut -d' ' -f2 "$work/crs" | median)" "$(nproc)"
