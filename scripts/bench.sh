#!/usr/bin/env bash
# Runs benches and writes docs/performance.md with its plots and rows.
#
#   scripts/bench.sh [BENCH…]           those, or all; the rows of the others stay as they are
#   scripts/bench.sh --short [BENCH…]   their smallest form, unoptimized, into target/
#
# A bench is a [[bench]] of Cargo.toml, `load`: the server from start to serving, or `engines`: other
# engines, in a package of their own.
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
  rm -f "$rows"/*.rows "$rows"/*.svg
else
  known=("${declared[@]}" load engines)
fi
benches=("$@")
[ ${#benches[@]} -gt 0 ] || benches=("${known[@]}")

engines() {
  for program in engines allocations; do
    cargo run --quiet --release --manifest-path benches/engines/Cargo.toml \
      --target-dir target/engines --bin "$program"
  done
}

load() {
  cargo build --quiet --release
  scripts/load.sh
}

bench() {
  local arguments=()
  [ -z "$short" ] || arguments+=(--short)
  case $1 in
    latency) arguments+=(--wide) ;;
    swap) if [ -n "$short" ]; then arguments+=(--seconds 1 --rounds 1); else arguments+=(--seconds 5); fi ;;
    instructions)
      GUNGRAUN_RUNNER=$(bash scripts/gungraun-runner.sh)
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

for name in "${benches[@]}"; do
  printf '%s… ' "$name"
  before=$(busy)
  case $name in
    load | engines) "$name" >"$logs/$name.log" ;;
    *) bench "$name" >"$logs/$name.log" ;;
  esac
  {
    printf 'machine\t%s, %s cores, load %s before and %s after; %s; %s\n' \
      "$(lscpu | sed -n 's/^Model name: *//p')" "$(nproc)" "$before" "$(busy)" "$(rustc --version)" \
      "$(git rev-parse --short HEAD)"
    python3 scripts/performance.py rows "$logs/$name.log"
  } >"$rows/$name.rows"
  echo "$(grep -c '^figure' "$rows/$name.rows" || true) figures"
done
python3 scripts/performance.py write "$rows" "$page" $short
