#!/usr/bin/env bash
# Runs benches and writes docs/performance.md with its plots and rows.
#
#   scripts/bench.sh [BENCH…]           those, or all; the rows of the others stay as they are
#   scripts/bench.sh --short [BENCH…]   their smallest form, unoptimized, into target/
#
# A bench is a [[bench]] of Cargo.toml, `load`: the server from start to serving, or `engines`: other
# engines, in a package of their own. One that fails does not keep the others from running: what it
# told until then is kept and marked, and at the end this fails and names it.
set -euo pipefail
cd "$(dirname "$0")/.."

short=
page=docs/performance.md
profile=bench
if [ "${1:-}" = --short ]; then
  short=--short
  page=target/performance.md
  profile=dev
  shift
fi
rows=${page%.md}
logs=target/bench
mkdir -p "$rows" "$logs"

mapfile -t declared < <(sed -n '/^\[\[bench\]\]/{n;s/^name = "\(.*\)"/\1/p}' Cargo.toml)
# Counts are held by a gate of their own; the server is measured optimized or not at all, and so are
# other engines.
if [ -n "$short" ]; then
  known=()
  for name in "${declared[@]}"; do
    [ "$name" = instructions ] || known+=("$name")
  done
else
  known=("${declared[@]}" load engines)
fi
benches=("$@")
[ ${#benches[@]} -gt 0 ] || benches=("${known[@]}")
for name in "${benches[@]}"; do
  case " ${known[*]} " in
    *" $name "*) ;;
    *) echo "no bench \`$name\`; there are: ${known[*]}" >&2; exit 2 ;;
  esac
done
# What is needed at the end is asked for before hours are spent.
python3 -c 'import sys; sys.path.insert(0, "scripts"); import plots'
[ -z "$short" ] || rm -f "$rows"/*.rows "$rows"/*.svg

# What is run below is asked for its status, so that a command that fails ends nothing by itself.

engines() {
  local program
  for program in engines allocations; do
    cargo run --quiet --release --manifest-path benches/engines/Cargo.toml \
      --target-dir target/engines --bin "$program" || return
  done
}

load() { scripts/load.sh; }

bench() {
  local arguments=()
  [ -z "$short" ] || arguments+=(--short)
  case $1 in
    latency) arguments+=(--wide) ;;
    swap) if [ -n "$short" ]; then arguments+=(--seconds 1 --rounds 1); else arguments+=(--seconds 5); fi ;;
    instructions)
      GUNGRAUN_RUNNER=$(bash scripts/gungraun-runner.sh) || return
      export GUNGRAUN_RUNNER
      arguments=()
      ;;
  esac
  if grep -q criterion_main! "benches/$1.rs"; then
    if [ -n "$short" ]; then arguments=(--test); else arguments=(--noplot --output-format bencher); fi
  fi
  cargo bench --quiet --profile "$profile" --bench "$1" -- "${arguments[@]}"
}

busy() { cut -d' ' -f1 /proc/loadavg; }

# The figures themselves change nothing that is measured.
state=$(git rev-parse --short HEAD)
[ -z "$(git status --porcelain -- . ':!docs/performance*')" ] || state="$state with changes"

# told NAME STATUS BEFORE: the rows of a bench, from its log.
told() {
  printf 'machine\t%s, %s cores; %s\n' \
    "$(lscpu | sed -n 's/^Model name: *//p')" "$(nproc)" "$(rustc --version)"
  printf 'run\t%s\t%s, load %s before and %s after\n' "$state" "$(date -u +%F)" "$3" "$(busy)"
  [ "$2" = 0 ] || printf 'failed\tstatus %s\n' "$2"
  python3 scripts/rows.py "$logs/$1.log"
}

failed=()
for name in "${benches[@]}"; do
  printf '%s… ' "$name"
  before=$(busy)
  status=0
  case $name in
    load | engines) "$name" >"$logs/$name.log" || status=$? ;;
    *) bench "$name" >"$logs/$name.log" || status=$? ;;
  esac
  told "$name" "$status" "$before" >"$logs/$name.rows"
  figures=$(grep -c '^figure' "$logs/$name.rows" || true)
  if [ "$status" != 0 ]; then
    failed+=("$name")
    printf 'failed with status %s, after ' "$status"
  fi
  echo "$figures figures"
  # One that failed before it told anything leaves what was told before.
  [ "$status" != 0 ] && [ "$figures" = 0 ] || cp "$logs/$name.rows" "$rows/$name.rows"
done

written=0
# shellcheck disable=SC2086 # one word, or none
python3 scripts/performance.py $short "$rows" "$page" || written=$?
if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}; see $logs/" >&2
  exit 1
fi
exit "$written"
