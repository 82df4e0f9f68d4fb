#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts <folder>/summary.md under a pull request by `gh`: as one comment, which is written anew each time.
#
#   TINYEDGE_RESULTS  the folder; empty: tinyedge-results
#   TINYEDGE_PULL     number of the pull request
#   GITHUB_REPOSITORY, GH_TOKEN  as GitHub sets them; the token needs `pull-requests: write`
set -euo pipefail

mark='<!-- tinyedge -->'
body=$(mktemp)
trap 'rm -f "$body"' EXIT
{
  echo "$mark"
  head -c 60000 "${TINYEDGE_RESULTS:-tinyedge-results}/summary.md" | iconv -c -f utf-8 -t utf-8 # a comment has at most 65,536 characters
} >"$body"

comments="repos/$GITHUB_REPOSITORY/issues/$TINYEDGE_PULL/comments"
old=$(gh api "$comments" --paginate --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1)
if [ -n "$old" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$old" --field body=@"$body"
else
  gh api --silent --method POST "$comments" --field body=@"$body"
fi
