#!/bin/sh
# Writes a Markdown report as a note on the merge request of a GitLab job, or updates the note that an earlier job wrote. Where there is
# no report, that note says so, for it would go on speaking of another state.
# Usage: gitlab-note.sh REPORT [EXIT_CODE]. Reads CANARY_NOTE_TOKEN and GitLab's own variables.
set -eu

report=$1
code=${2:-}
[ -n "${CANARY_NOTE_TOKEN:-}" ] || { echo "no note: CANARY_NOTE_TOKEN is not set" >&2; exit 0; }
[ -n "${CI_MERGE_REQUEST_IID:-}" ] || { echo "no note: this is no merge request" >&2; exit 0; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The token goes in by a file: the arguments of a process are readable for all.
(umask 077 && printf 'header = "PRIVATE-TOKEN: %s"\n' "$CANARY_NOTE_TOKEN" >"$folder/curl")
api() {
    curl --silent --show-error --fail --max-time 60 --config "$folder/curl" "$@"
}

notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
# The first line of every report.
marker='<!-- wafcanary -->'
compared=no
[ ! -s "$report" ] || compared=yes
if [ "$compared" = yes ]; then
    cat "$report" >"$folder/body"
else
    printf '%s\n' "$marker" "## wafcanary: nothing was compared${code:+ (exit $code)}" "" \
        "The last job has no report: see its log. What stood here was that of an earlier one." >"$folder/body"
fi
jq -Rs '{ body: . }' "$folder/body" >"$folder/request"
me=$(api "$CI_API_V4_URL/user" | jq -r .id)
own=""
page=1
while [ -z "$own" ]; do
    api "$notes?per_page=100&page=$page" >"$folder/page"
    own=$(jq -r --arg marker "$marker" --argjson me "$me" \
        '[.[] | select(.author.id == $me) | select(.body | startswith($marker)) | .id] | first // empty' "$folder/page")
    [ "$(jq length "$folder/page")" -eq 100 ] || break
    page=$((page + 1))
done
if [ -n "$own" ]; then
    api --request PUT --header 'Content-Type: application/json' --data-binary "@$folder/request" "$notes/$own" >"$folder/answer"
elif [ "$compared" = no ]; then
    echo "no note: there is no report" >&2
else
    api --request POST --header 'Content-Type: application/json' --data-binary "@$folder/request" "$notes" >"$folder/answer"
fi
