"""Runs the calls that README and the examples show against the servers that they start, and
compares answers.

A block ```console holds commands after `$ ` and what they print; a line `tagwarden serve …` of a
block ```sh starts the server that the blocks below it ask. Ids that differ from run to run are
passed over. Usage: readme.py PATH-OF-TAGWARDEN
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The seconds that a command may take: one that stays in the foreground fails.
LIMIT = 60
VARYING = {"revision", "decisionId"}
VARYING_TEXT = [
    r"\([0-9a-f]{16}\) of [0-9a-f]{16}",
    r"[0-9-]{10}T[0-9:.]+Z",
    r"uid [0-9]+ gid [0-9]+( pid [0-9]+)?",
]


def blocks(text):
    """Yields ("serve", arguments) and (command, output), in their order."""
    for kind, block in re.findall(r"```(sh|console)\n(.*?)```", text, re.DOTALL):
        if kind == "sh":
            for data, bundle in re.findall(r"serve (--data \S+ )?--bundle (\S+)", block):
                yield "serve", (bundle, bool(data))
            continue
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        for part in parts:
            lines = part.splitlines()
            end = next(i for i in range(len(lines)) if is_whole(lines[: i + 1]))
            yield "\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :]).strip()


def is_whole(lines):
    """Whether lines are a whole command: no quote is open and no backslash goes on."""
    return "\n".join(lines).count("'") % 2 == 0 and not lines[-1].endswith("\\")


def told(output):
    """What an output says, without what varies."""
    try:
        answer = json.loads(output)
    except ValueError:
        for pattern in VARYING_TEXT:
            output = re.sub(pattern, "…", output)
        return [line.rstrip() for line in output.splitlines()]
    return {key: value for key, value in answer.items() if key not in VARYING}


def wait_until_served(binary, server):
    for _ in range(200):
        if subprocess.run([binary, "healthcheck"], capture_output=True).returncode == 0:
            return
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}")
        time.sleep(0.05)
    sys.exit("the server does not serve")


class Server:
    """The server that was started last."""

    def __init__(self, binary):
        self.binary = binary
        self.process = None
        self.folder = None

    def serve(self, bundle, data):
        """Serves a bundle: from its directory, or from a new store that begins with it."""
        self.stop()
        self.folder = tempfile.TemporaryDirectory()
        manage = f"unix:{self.folder.name}/manage.sock"
        serve = [self.binary, "serve", "--bundle", bundle, "--manage", manage]
        if data:
            serve += ["--data", f"{self.folder.name}/data"]
        os.environ["TAGWARDEN_MANAGE"] = manage
        self.process = subprocess.Popen(serve, cwd=ROOT, stderr=subprocess.DEVNULL)
        wait_until_served(self.binary, self.process)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.folder.cleanup()


def check(binary, command, expected):
    command = re.sub(r"^tagwarden |(?<=\| )tagwarden ", f"{binary} ", command)
    run = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT
    )
    found = (run.stdout + run.stderr).strip()
    if told(found) == told(expected):
        return True
    print(f"FAILED: {command}\nexpected:\n{expected}\nfound:\n{found}\n")
    return False


def main(binary):
    results = []
    server = Server(binary)
    try:
        for path in [ROOT / "README.md", *sorted(ROOT.glob("examples/*/README.md"))]:
            for command, rest in blocks(path.read_text()):
                if command == "serve":
                    server.serve(*rest)
                else:
                    results.append(check(binary, command, rest))
    finally:
        server.stop()
    passed, failed = results.count(True), results.count(False)
    print(f"readme: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
