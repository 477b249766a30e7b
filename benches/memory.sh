#!/bin/bash
# Peak memory of `wafcanary run` with a 2 GiB file in the corpus, and with 20,000 cases; beside curl with the same file.
#
#   benches/memory.sh
#
# Needs nginx (which writes the body to a temporary file: 2 GiB of room) and python3, which measures from outside.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PORT:-18990}
PATH=$PATH:/usr/sbin
work=$(mktemp -d)

cargo build --release --locked --quiet
. benches/sink.sh
mkdir "$work/big" "$work/many"
truncate -s 2G "$work/big/big.bin"
python3 - "$work" "$port" <<'PY'
import os, random, subprocess, sys
work, port = sys.argv[1:]
random.seed(1)
open(f"{work}/many/0.pdf", "wb").write(b"%PDF-1.4\n" + random.randbytes(99_984) + b"\n%%EOF\n")
for i in range(1, 20_000):
    os.link(f"{work}/many/0.pdf", f"{work}/many/{i}.pdf")

def peak(*command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    return usage.ru_maxrss / 1024

run = ["./target/release/wafcanary", "--no-config", "--no-progress", "run", "--profile", f"{work}/sink.toml", "--client", "chromium"]
print(f"wafcanary, a 2 GiB file: {peak(*run, '--corpus', f'{work}/big', '--out', f'{work}/out-big'):.0f} MiB")
print(f"wafcanary, 20,000 cases: {peak(*run, '--corpus', f'{work}/many', '--out', f'{work}/out-many'):.0f} MiB")
print(f"curl, a 2 GiB file:      {peak('curl', '-sS', '-F', f'file=@{work}/big/big.bin', f'http://127.0.0.1:{port}/upload'):.0f} MiB")
PY
