#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the runs that this workflow left on the branch a pull request goes to, by `gh`, into a folder. When there are
# none yet it says so, and the folder stays empty.
#
#   TINYEDGE_BASELINE  the folder
#   TINYEDGE_ARTIFACT  name of the artifact
#   TINYEDGE_BRANCH    the branch
#   TINYEDGE_WORKFLOW  name of the workflow
#   GITHUB_REPOSITORY, GH_TOKEN  as GitHub sets them; the token needs `actions: read`
set -euo pipefail

mkdir -p "$TINYEDGE_BASELINE"
run=$(gh run list --repo "$GITHUB_REPOSITORY" --branch "$TINYEDGE_BRANCH" --workflow "$TINYEDGE_WORKFLOW" \
  --event push --status success --limit 1 --json databaseId --jq '.[].databaseId')
if [ -z "$run" ]; then
  echo "no run of $TINYEDGE_WORKFLOW on $TINYEDGE_BRANCH succeeded yet: nothing to compare with"
  exit 0
fi
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
if gh run download "$run" --repo "$GITHUB_REPOSITORY" --name "$TINYEDGE_ARTIFACT" --dir "$fetched"; then
  find "$fetched" -path '*/runs/*.json' -exec cp {} "$TINYEDGE_BASELINE" \;
else
  echo "run $run has no artifact $TINYEDGE_ARTIFACT any more: nothing to compare with"
fi
