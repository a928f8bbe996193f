#!/usr/bin/env bash
# Holds what a decision costs: instructions of 1,000 decisions under valgrind, at most 2 % above
# benches/instructions.txt, and no allocation at all. `scripts/gate.sh --update` writes that file.
#
# Instructions depend on the compiler, and on the processor by which the C library chooses how it
# copies: they are compared only under those that the file names.
set -euo pipefail
cd "$(dirname "$0")/.."

counts=benches/instructions.txt
under="$(rustc --version), $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)"

cargo test --quiet --test allocations

if ! command -v valgrind >/dev/null; then
  echo "skipped: instructions of a decision, for they need valgrind"
  exit
fi
if [ "${1:-}" != --update ] && [ ! -f "$counts" ]; then
  echo "skipped: instructions of a decision; scripts/gate.sh --update writes $counts first"
  exit
fi
if [ "${1:-}" != --update ] && [ "$(sed -n '1s/^# //p' "$counts")" != "$under" ]; then
  echo "skipped: $counts is for another compiler or processor than $under; scripts/gate.sh --update counts anew"
  exit
fi

GUNGRAUN_RUNNER=$(bash scripts/gungraun-runner.sh)
export GUNGRAUN_RUNNER
# `instructions::decisions::thousand_decisions NAME:(…)`, and below it `Instructions: N|…`.
counted=$(cargo bench --quiet --bench instructions |
  sed -nE 's/^instructions::[^ ]+ ([^:]+):.*/\1/p; s/^ *Instructions: *([0-9]+)\|.*/\1/p' | paste -d' ' - -)
[ -n "$counted" ] || { echo "the bench counted nothing" >&2; exit 1; }

if [ "${1:-}" = --update ]; then
  printf '# %s\n%s\n' "$under" "$counted" >"$counts"
  cat "$counts"
  exit
fi

over=0
while read -r name count; do
  held=$(sed -n "s/^$name //p" "$counts")
  if [ -z "$held" ]; then
    echo "$name: not in $counts" >&2
    over=1
  elif [ $((count * 100)) -gt $((held * 102)) ]; then
    echo "$name: $count instructions, more than 2 % above $held" >&2
    over=1
  else
    echo "$name: $count instructions, at most 2 % above $held"
    # A gain is kept by counting anew.
    [ $((count * 100)) -ge $((held * 98)) ] || echo "$name: more than 2 % below; scripts/gate.sh --update"
  fi
done <<<"$counted"
exit $over
