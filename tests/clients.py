"""Builds the clients in examples/clients out of the protos, runs them against a server, and compares
what they print.

All print the same: examples/clients/expected.txt. The server decides by examples/clients/bundle,
beside which stands an account whose documents are refused. Usage: clients.py PATH-OF-TAGWARDEN
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "examples/clients"
TOOLS = ROOT / ".tools"
BUILT = ROOT / "target/clients"
INCLUDES = [f"-I{ROOT / 'proto'}", f"-I{ROOT / 'proto/vendor'}"]
PROTOS = [
    str(ROOT / f"proto/tagwarden/v1/{name}.proto")
    for name in ("authorization", "common", "listing", "tagging")
]
LIMIT = 60


def environment(**others):
    return {**os.environ, **{name: str(value) for name, value in others.items()}}


def protoc(*arguments):
    command = [sys.executable, "-m", "grpc_tools.protoc", *INCLUDES, *arguments, *PROTOS]
    subprocess.run(command, check=True, env=environment(PYTHONPATH=TOOLS / "clients-python"))


def fresh(name):
    folder = BUILT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def python():
    made = fresh("python")
    protoc(f"--python_out={made}", f"--grpc_python_out={made}")
    path = f"{made}:{TOOLS / 'clients-python'}"
    return [sys.executable, CLIENTS / "python/client.py"], environment(PYTHONPATH=path)


def node():
    """Modules are found beside the script, or above it."""
    made = fresh("node")
    shutil.copy(CLIENTS / "node/client.js", made)
    shutil.copy(CLIENTS / "node/package.json", made)
    (made / "node_modules").symlink_to(TOOLS / "clients-node/node_modules")
    return ["node", made / "client.js"], environment(), [ROOT / "proto"]


def go():
    """Debian's packages, which are no modules: sources are found below GOPATH."""
    tools = TOOLS / "go/usr"
    if not (TOOLS / "go/.whole").exists():
        return None
    made = fresh("go")
    (made / "src").mkdir()
    status = "Mgoogle/rpc/status.proto=google.golang.org/genproto/googleapis/rpc/status"
    protoc(
        f"--plugin=protoc-gen-go={tools / 'bin/protoc-gen-go'}",
        f"--go_out=plugins=grpc,import_path=v1,{status}:{made / 'src'}",
    )
    root = next(tools.glob("lib/go-*"))
    found = environment(
        GOROOT=root,
        GO111MODULE="off",
        GOPATH=f"{made}:{tools / 'share/gocode'}",
        GOCACHE=BUILT / "go-cache",
        GOTOOLCHAIN="local",
    )
    source = CLIENTS / "go/client.go"
    subprocess.run([root / "bin/go", "vet", source], check=True, env=found)
    build = [root / "bin/go", "build", "-o", made / "client", source]
    subprocess.run(build, check=True, env=found)
    return [made / "client"], environment()


def rust():
    folder = CLIENTS / "rust"
    subprocess.run(["cargo", "fmt", "--check"], check=True, cwd=folder)
    build = ["cargo", "build", "--quiet", "--locked", "--target-dir", BUILT / "rust"]
    subprocess.run(build, check=True, cwd=folder)
    return [BUILT / "rust/debug/tagwarden-client-example"], environment()


class Server:
    """A server of the clients' bundle, and of one account that is refused."""

    def __init__(self, binary):
        self.folder = tempfile.TemporaryDirectory()
        bundle = Path(self.folder.name) / "bundle"
        shutil.copytree(CLIENTS / "bundle", bundle)
        broken = bundle / "accounts/999999999999"
        broken.mkdir()
        (broken / "account.json").write_text('{"users": [{"name": ""}]}\n')
        serve = [binary, "serve", "--bundle", bundle, "--listen", "127.0.0.1:0"]
        serve += ["--admin", "none", "--manage", "none"]
        self.process = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True)
        self.address = self.said("listening")["address"]
        self.said("in force")

    def said(self, message):
        for line in self.process.stderr:
            told = json.loads(line)
            if told.get("message") == message:
                return told
        sys.exit(f"the server ended before it said `{message}`")

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=LIMIT)
        self.folder.cleanup()


def start(built, address):
    command, env, *more = built
    command = [*command, address, *(more[0] if more else [])]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def main(binary):
    expected = (CLIENTS / "expected.txt").read_text()
    built = {build.__name__: build() for build in (python, node, go, rust)}
    server = Server(binary)
    failed = 0
    try:
        # Each waits seconds for what a server asks to wait for: they wait together.
        there = {name: how for name, how in built.items() if how}
        running = {name: start(how, server.address) for name, how in there.items()}
        for name, process in running.items():
            found, _ = process.communicate(timeout=LIMIT)
            if process.returncode != 0 or found != expected:
                failed += 1
                print(f"FAILED: {name} ({process.returncode})\nexpected:\n{expected}\nfound:\n{found}")
    finally:
        server.stop()
    for name in built.keys() - there.keys():
        print(f"skipped: the client in {name}, whose tools cannot be had here")
    print(f"clients: {len(running) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not running else 0)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
