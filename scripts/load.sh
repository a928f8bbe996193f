#!/usr/bin/env bash
# What a server takes before it serves: milliseconds from its start until it says it serves, and the
# memory that it holds once what the load needed went back to the system, idle and with 10,000 and
# 100,000 policies of one statement; and the size of the binary. Rows as the benches print them.
#
#   scripts/load.sh [ROUNDS]   default: 5
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
binary=target/release/tagwarden
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# NAME VALUE UNIT MOST SPREAD, in the form of benches/support/row.rs.
row() { printf 'figure\tload: %s\t%s\t%s\t<= %s\t\t\t%s\t\n' "$1" "$2" "$3" "$4" "$5"; }
median() { sort -n | awk '{ all[NR] = $1 } END { printf "%s %s to %s", all[int((NR + 1) / 2)], all[1], all[NR] }'; }

# Starts a server on a bundle; prints `MILLISECONDS KIBIBYTES`: until the log says that the snapshot
# is in force and the socket answers, and the resident memory three seconds later.
start() {
  local socket=$work/data.sock begin
  rm -f "$socket"
  begin=$(date +%s%N)
  "$binary" serve --bundle "$1" --listen "unix:$socket" --manage none --admin none --workers 1 \
    >"$work/log" 2>&1 &
  server=$!
  until "$binary" healthcheck "unix:$socket" >/dev/null 2>&1; do
    kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
  done
  local ready=$((($(date +%s%N) - begin) / 1000000))
  sleep 3
  echo "$ready $(awk '/^VmRSS/ { print $2 }' "/proc/$server/status")"
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}

# NAME BUNDLE MILLISECONDS MEBIBYTES
measure() {
  local times=$work/times sizes=$work/sizes
  : >"$times"
  : >"$sizes"
  for _ in $(seq "$rounds"); do
    start "$2" >"$work/one"
    cut -d' ' -f1 "$work/one" >>"$times"
    awk '{ printf "%.1f\n", $2 / 1024 }' "$work/one" >>"$sizes"
  done
  local value spread
  if [ "$3" != - ]; then
    read -r value spread <<<"$(median <"$times")"
    row "$1, from start to serving" "$value" ms "$3" "$spread"
  fi
  if [ "$4" != - ]; then
    read -r value spread <<<"$(median <"$sizes")"
    row "$1, resident" "$value" MiB "$4" "$spread"
  fi
}

for policies in 10000 100000; do
  cargo bench --quiet --bench compile -- --write "$work/$policies" "$policies"
done
# The bench that writes them leaves a binary of its own profile where the release is.
rm -f "$binary"
cargo build --quiet --release
measure "examples/eci" examples/eci 60 15
measure "10,000 policies" "$work/10000" 60 -
measure "100,000 policies" "$work/100000" 300 70
row "release binary" "$(stat -c %s "$binary" | awk '{ printf "%.1f", $1 / 1048576 }')" MiB 16 ""
