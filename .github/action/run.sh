#!/usr/bin/env bash
# The comparison of the action: reads CANARY_*, leaves the reports in a folder of their own, and hands on where they are.
# It ends with 0 whatever the gate says, so that the steps after it run; the action's last step ends with `exit_code`.
set -euo pipefail

fail() {
    echo "::error title=wafcanary::$1"
    exit 2
}

[ -n "${CANARY_BASELINE:-}" ] || fail "the input 'baseline' is missing: a profile, or the folder of a stored run"
[ -n "${CANARY_CANDIDATE:-}" ] || fail "the input 'candidate' is missing: a profile, or the folder of a stored run"
program=${CANARY_PROGRAM:-wafcanary}

folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/wafcanary.XXXXXX")
report="$folder/report"
mkdir "$report"

arguments=(--no-progress compare --baseline "$CANARY_BASELINE" --candidate "$CANARY_CANDIDATE" --out "$report/record")
[ -z "${CANARY_CORPUS:-}" ] || arguments+=(--corpus "$CANARY_CORPUS")
[ -z "${CANARY_SET:-}" ] || arguments+=(--set "$CANARY_SET")
[ -z "${CANARY_WAIVERS:-}" ] || arguments+=(--waivers "$CANARY_WAIVERS")
for format in html=report.html markdown=report.md junit=junit.xml sarif=report.sarif csv=cases.csv; do
    arguments+=(--write "${format%%=*}=$report/${format#*=}")
done
arguments+=(--write "github=$folder/annotations")
# An argument a line, so that one may hold blanks.
while IFS= read -r argument; do
    [ -z "$argument" ] || arguments+=("$argument")
done <<<"${CANARY_ARGS:-}"

# A filename of the corpus or a page of the edge may hold what the runner takes for a command: nothing that is printed from here to
# the word is obeyed, and the word can't be guessed.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$word"
code=0
GITHUB_OUTPUT="$folder/outputs" "$program" "${arguments[@]}" || code=$?
echo "::$word::"
# The annotations are commands, and escaped by the program.
[ ! -s "$folder/annotations" ] || cat "$folder/annotations"

outputs=$(cat "$folder/outputs" 2>/dev/null || true)
case $outputs in
    *decision=*) ;;
    *)
        # It ended before there was anything to decide on.
        decision=error
        [ "$code" -ne 3 ] || decision=inconclusive
        outputs="decision=$decision"
        echo "::error title=wafcanary::it ended with exit code $code before anything was compared: see the log of this step"
        ;;
esac
# What the program left empty is no report.
find "$report" -maxdepth 1 -type f -empty -delete
# Alerts that are missing from a document are closed, and one of a run that ended half-way has not seen all of them.
upload=""
if [ -s "$report/report.sarif" ] && jq -e 'all(.runs[].invocations[]; .executionSuccessful == true)' "$report/report.sarif" >/dev/null; then
    upload="sarif=$report/report.sarif"
fi
{
    printf '%s\n' "$outputs"
    echo "exit_code=$code"
    echo "report=$report"
    [ -z "$upload" ] || echo "$upload"
    for file in markdown=report.md junit=junit.xml; do
        if [ -s "$report/${file#*=}" ]; then echo "${file%%=*}=$report/${file#*=}"; fi
    done
} >>"${GITHUB_OUTPUT:-/dev/null}"
