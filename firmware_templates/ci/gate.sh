#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every model on every board, compares with earlier runs, and leaves all of it in a folder:
#   <folder>/runs/*.json       documents of the runs, which `tinyedge compare` takes
#   <folder>/*.html, *.xml     pages and JUnit
#   <folder>/summary.md        what a pull request is told
# Ends with 1 when an output, a budget or a comparison failed, else with the code of the first call that failed.
#
#   TINYEDGE_MODELS      recipes and model files, one a line; empty: the project's
#   TINYEDGE_BOARDS      boards, one a line; empty: the project's
#   TINYEDGE_EMULATORS   emulators, one a line: auto, unicorn, qemu, renode; empty: auto
#   TINYEDGE_OPTIONS     further options of `tinyedge run`, one a line
#   TINYEDGE_BASELINE    folder of documents to compare with; empty, or not there: nothing is compared
#   TINYEDGE_THRESHOLDS  file of thresholds for that; empty: the usual ones
#   TINYEDGE_RESULTS     the folder; empty: tinyedge-results
set -euo pipefail

results=${TINYEDGE_RESULTS:-tinyedge-results}
code=0
mkdir -p "$results/runs"
: >"$results/summary.md"

lines() { # the words of a variable, one a line, into the array `found`; an empty one where there is none
  found=()
  while IFS= read -r line; do
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    [ -z "$line" ] || found+=("$line")
  done <<<"$1"
}

note() { # the first code that is not 0 is kept, and 1 goes before all
  if [ "$1" != 0 ] && [ "$code" != 1 ]; then
    if [ "$code" = 0 ] || [ "$1" = 1 ]; then code=$1; fi
  fi
}

lines "${TINYEDGE_MODELS:-}"
models=("${found[@]:-}")
lines "${TINYEDGE_BOARDS:-}"
boards=("${found[@]:-}")
lines "${TINYEDGE_EMULATORS:-}"
emulators=("${found[@]:-auto}")
lines "${TINYEDGE_OPTIONS:-}"
options=(${found[@]+"${found[@]}"})

for model in "${models[@]}"; do
  for board in "${boards[@]}"; do
    for emulator in "${emulators[@]}"; do
      name=$(basename "${model:-project}")-${board:-board}-$emulator
      name=${name//[^A-Za-z0-9._-]/_}
      echo "::group::${model:-the project} on ${board:-its board}, $emulator"
      call=(tinyedge run)
      if [ -n "$model" ]; then call+=("$model"); fi
      if [ -n "$board" ]; then call+=(--board "$board"); fi
      call+=(--emulator "$emulator" --json --html "$results/$name.html" --junit "$results/$name.xml")
      call+=(--markdown "$results/$name.md" ${options[@]+"${options[@]}"})
      set +e
      "${call[@]}" 2>&1 >"$results/runs/$name.json" | tee "$results/$name.log" >&2
      status=${PIPESTATUS[0]}
      set -e
      echo "::endgroup::"
      note "$status"
      if [ -s "$results/$name.md" ]; then
        cat "$results/$name.md" >>"$results/summary.md"
      else
        rm -f "$results/runs/$name.json"
        printf '### %s failed with code %s\n' "${model:-the project} on ${board:-its board}" "$status" >>"$results/summary.md"
      fi
      if [ "$status" != 0 ] && [ -s "$results/$name.log" ]; then
        printf '\n```text\n%s\n```\n' "$(tail -n 20 "$results/$name.log")" >>"$results/summary.md"
      fi
      rm -f "$results/$name.md"
      printf '\n' >>"$results/summary.md"
    done
  done
done

baseline=${TINYEDGE_BASELINE:-}
if [ -n "$baseline" ] && compgen -G "$baseline/*.json" >/dev/null; then
  call=(tinyedge compare "$baseline" "$results/runs" --junit "$results/compare.xml" --markdown "$results/compare.md")
  call+=(--html "$results/compare.html")
  if [ -n "${TINYEDGE_THRESHOLDS:-}" ]; then call+=(--thresholds "$TINYEDGE_THRESHOLDS"); fi
  status=0
  "${call[@]}" || status=$?
  note "$status"
  if [ -s "$results/compare.md" ]; then
    cat "$results/compare.md" "$results/summary.md" >"$results/both.md"
    mv "$results/both.md" "$results/summary.md"
    rm "$results/compare.md"
  fi
elif [ -n "$baseline" ]; then
  echo "nothing to compare with: there is no document in $baseline"
  printf 'Nothing was compared: there are no earlier runs.\n' >>"$results/summary.md"
fi

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$results/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
exit "$code"
