"""Runs the calls that README shows against the server that README starts, and compares answers.

A block ```console holds commands after `$ ` and what they print. Ids that differ from run to run
are passed over. Usage: readme.py PATH-OF-TAGWARDEN
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARYING = {"revision", "decisionId"}


def blocks(text):
    """Yields (command, output) of every console block."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
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


def main(binary):
    text = (ROOT / "README.md").read_text()
    failed = passed = 0
    serve = [binary, "serve", "--bundle", "examples/eci", "--manage", "none"]
    server = subprocess.Popen(serve, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        wait_until_served(binary, server)
        for command, expected in blocks(text):
            command = re.sub(r"^tagwarden ", f"{binary} ", command)
            run = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
            found = (run.stdout + run.stderr).strip()
            if told(found) == told(expected):
                passed += 1
            else:
                failed += 1
                print(f"FAILED: {command}\nexpected:\n{expected}\nfound:\n{found}\n")
    finally:
        server.terminate()
        server.wait()
    print(f"readme: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
