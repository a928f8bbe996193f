#!/usr/bin/env bash
# Takes the protos as they are for those of the last release: what tests/run.sh compares later ones
# with. Run at a release, and at no other time.
set -euo pipefail
cd "$(dirname "$0")/.."

.tools/npm/node_modules/.bin/buf build --path proto/tagwarden --exclude-source-info \
  --as-file-descriptor-set -o proto/released.binpb
