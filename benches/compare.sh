#!/bin/bash
# Time and memory of comparing two stored runs, as the command does it: read, join, gate, write, render.
#
#   benches/compare.sh [CASES]        default: 1000000 cases a side
#
# python3 writes the runs and measures the command from outside. Prints seconds and peak memory of three turns.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" "${1:-1000000}" <<'PY'
import hashlib, json, os, resource, shutil, subprocess, sys, time
work, cases = sys.argv[1], int(sys.argv[2])
names = ["申請書.pdf", "見積書（案） (1) [最新].xlsx", "IMG_1234.HEIC", "住民票　写し.PDF", "図面.dxf"]
for side in ("baseline", "candidate"):
    os.mkdir(f"{work}/{side}")
    with open(f"{work}/{side}/journal.jsonl", "w") as out:
        line = lambda value: out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
        line({"event": "run_started", "schema_version": 1, "tool": "bench", "run": side, "side": side, "started": "2026-11-23T00:00:00Z",
              "profile": side, "profile_digest": hashlib.sha256(side.encode()).hexdigest(), "url": "http://127.0.0.1/", "environment": "lab",
              "proof": "receipt", "insecure": False, "authorized": True, "rate": None, "concurrency": 16, "corpus": "bench",
              "corpus_digest": "0" * 64, "cases": cases, "rounds": 1})
        for i in range(cases):
            blocked = side == "candidate" and i % 1000 == 0
            verdict = {"outcome": "blocked", "signature": "unrecognised", "status": 404, "evidence": f"status 404: the profile accepts 200; peer 127.0.0.1:4{i % 7}"} \
                if blocked else {"outcome": "delivered", "status": 200, "evidence": "the receipt has the same SHA-256, size, filename and type"}
            line({"event": "case", "side": side, "case": f"pdf/attachment-{i:07}~name:sjis-5c~client:firefox", "intent": "legit", "verdict": verdict,
                  "rounds": [verdict["outcome"]], "attempts": 1, "procedures": ["ごみ収集申込書"], "filename": names[i % 5],
                  "place": f"manifest.toml:{i % 900}", "millis": i % 90})
        line({"event": "run_finished", "side": side, "at": "2026-11-23T00:10:00Z", "ending": {"kind": "complete"}})
for turn in range(3):
    shutil.rmtree(f"{work}/out", ignore_errors=True)
    began = time.monotonic()
    done = subprocess.Popen(["./target/release/wafcanary", "--no-config", "compare", "--baseline", f"{work}/baseline", "--candidate",
                             f"{work}/candidate", "--out", f"{work}/out"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    printed = done.stdout.read().decode()
    _, status, usage = os.wait4(done.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    print(f"{cases} cases a side: {time.monotonic() - began:.2f} s, peak {usage.ru_maxrss / 1024:.0f} MiB, exit {code}, {printed.splitlines()[-1]}")
    assert code == 1, code
PY
