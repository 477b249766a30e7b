#!/bin/bash
# Time and peak memory of `compare --waf-log` with logs of 1 GiB: JSON with lines of 100 MB (rule 921110 logs the whole
# body), JSON of ordinary lines, a native log with 100 MB bodies, and an error log; beside grep, jq and python3 on the same
# files. The first attempt of the run stands in each log, so that its rules are joined.
#
#   benches/waf_log.sh [FOLDER]
#
# Needs 4 GiB of room, jq, and python3, which measures from outside.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/waf-log.XXXXXX")
trap 'rm -rf "$work"' EXIT

cargo build --release --locked --quiet
for run in before after; do
    target/release/wafcanary run --profile profiles/lab/standard.toml --set smoke --out "$work/$run" --no-progress > /dev/null
done
python3 - "$work" <<'PY'
import os, random, re, sys
work = sys.argv[1]
samples = "tests/waf_logs/samples"
attempt = re.search(rb'"id":"([0-9a-v]{26})"', open(f"{work}/after/journal.jsonl", "rb").read())[1]
sample = lambda name: re.sub(rb"\b[a-z]+0{12,}\b", attempt, open(f"{samples}/{name}", "rb").read())
GIB = 1 << 30
random.seed(1)

def write(name, pieces):
    path, size = f"{work}/{name}", 0
    with open(path, "wb", buffering=1 << 20) as log:
        while size < GIB:
            for piece in pieces:
                size += log.write(piece)

lines = sample("modsecurity3-json-det.log").splitlines(keepends=True)
put = next(line for line in lines if b"921110" in line)
# As yajl writes a binary body: control characters escaped, the rest as it is.
binary = re.sub(rb"[\x00-\x1f]", lambda byte: b"\\u%04x" % byte[0][0], random.randbytes(1 << 16).replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
body = binary * (100_000_000 // len(binary))
long = put.replace(b"put foo http/1.1\\nhost: x", body)
assert len(long) > 99_000_000
native = sample("modsecurity3-native-body-det.log")
raw = (b"a line of a customer's file, and more of it\n" * 23_000_00)[:100_000_000]
error = sample("nginx-error-det.log")
write("long.json", [long, *lines])
write("ordinary.json", lines)
write("native.log", [native.replace(b"MIIB", raw)])
write("error.log", [re.sub(rb'unique_id "\d{8}', lambda _: b'unique_id "%08d' % i, error) for i in range(10_000)])
PY
# Another process measures: a child begins with the memory of the one that it was forked from.
python3 - "$work" target/release/wafcanary <<'PY'
import os, subprocess, sys, time
work, tool = sys.argv[1:]
logs = {
    "JSON, lines of 100 MB": f"{work}/long.json",
    "JSON, ordinary lines": f"{work}/ordinary.json",
    "native, bodies of 100 MB": f"{work}/native.log",
    "nginx error log": f"{work}/error.log",
}

def measure(*command):
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    return time.monotonic() - started, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), out

python = "import json,sys\nfor line in open(sys.argv[1],'rb'): json.loads(line.decode('utf-8','replace'))"
print(f"{'log':26} {'command':12} {'s':>7} {'MB/s':>7} {'peak MiB':>9}  exit")
for name, path in logs.items():
    compare = [tool, "compare", "--baseline", f"{work}/before", "--candidate", f"{work}/after", "--allow-same-edge"]
    commands = {"wafcanary": [*compare, "--waf-log", f"candidate={path}", "--out", f"{path}.out"], "grep -c": ["grep", "-ac", "949110", path]}
    if "JSON" in name:
        commands["jq"] = ["jq", "-c", ".transaction.messages|length", path]
        commands["python3 json"] = ["python3", "-c", python, path]
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL)
    for command, words in commands.items():
        seconds, peak, code, out = measure(*words)
        rate = os.path.getsize(path) / 1e6 / seconds
        print(f"{name:26} {command:12} {seconds:7.2f} {rate:7.0f} {peak:9.0f}  {code}", flush=True)
        if command == "wafcanary":
            told = [line.strip() for line in out.decode().splitlines() if line.startswith(("warning", "FAIL", "PASS"))]
            print("   ", " | ".join(told)[:230])
PY
