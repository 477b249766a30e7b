#!/usr/bin/env bash
# The comment of the action on a pull request: written once, and then updated. Reads CANARY_MARKDOWN (the report), CANARY_EXIT_CODE,
# CANARY_KEY (which comparison it is, where a pull request has several) and GITHUB_TOKEN. A comment that can't be written is a warning:
# the gate stands. Where there is no report, a comment of an earlier run says so, for it would go on speaking of another state.
set -euo pipefail

skip() {
    echo "::warning title=wafcanary::no comment: $1"
    exit 0
}

key=${CANARY_KEY:-wafcanary}
case $key in
    *[!A-Za-z0-9._-]*) skip "the name of the artifact may have letters, digits, dots, hyphens and underscores alone" ;;
esac
[ -n "${GITHUB_TOKEN:-}" ] || skip "there is no token"
number=$(jq -r '.pull_request.number // (select(.issue.pull_request) | .issue.number) // empty' "$GITHUB_EVENT_PATH")
[ -n "$number" ] || { echo "no comment: this is no pull request"; exit 0; }

folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/wafcanary.XXXXXX")
marker="<!-- wafcanary:$key -->"
compared=no
[ ! -s "${CANARY_MARKDOWN:-}" ] || compared=yes
{
    printf '%s\n' "$marker"
    if [ "$compared" = yes ]; then
        cat "$CANARY_MARKDOWN"
    else
        echo "## wafcanary: nothing was compared${CANARY_EXIT_CODE:+ (exit $CANARY_EXIT_CODE)}"
        echo
        echo "The last run has no report: see its log. What stood here was that of an earlier one."
    fi
} >"$folder/body"
jq -Rs '{ body: . }' "$folder/body" >"$folder/request"

# The token goes in by a file: the arguments of a process are readable for all.
(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$GITHUB_TOKEN" >"$folder/curl")
trap 'rm -f "$folder/curl"' EXIT
api() {
    curl --silent --show-error --fail --max-time 60 --retry 3 --config "$folder/curl" \
        --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' "$@"
}

comments="${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/issues/$number/comments"
own=""
page=1
while [ -z "$own" ]; do
    api "$comments?per_page=100&page=$page" >"$folder/page" || skip "the comments of the pull request can't be read with this token"
    # Anyone may write a comment that begins with the marker; ours is a bot's, or that of somebody who may write to the repository.
    own=$(jq -r --arg marker "$marker" '[.[] | select((.body // "") | startswith($marker))
        | select(.user.type == "Bot" or (.author_association | IN("OWNER", "MEMBER", "COLLABORATOR")))
        | .id] | first // empty' "$folder/page")
    [ "$(jq length "$folder/page")" -eq 100 ] || break
    page=$((page + 1))
done
if [ -n "$own" ]; then
    api --request PATCH --data-binary "@$folder/request" "${comments%/"$number"/comments}/comments/$own" >"$folder/answer" ||
        skip "it can't be updated with this token: the job needs 'pull-requests: write', and a fork has none"
elif [ "$compared" = no ]; then
    echo "no comment: there is no report"
else
    api --request POST --data-binary "@$folder/request" "$comments" >"$folder/answer" ||
        skip "it can't be written with this token: the job needs 'pull-requests: write', and a fork has none"
fi
