"""Checks what stands in deploy/: units, manifests, rules, and a static server in a directory of its own.

Usage: deploy.py PATH-OF-TAGWARDEN [PATH-OF-A-STATIC-ONE]
"""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(TOOLS / "python"))

import jsonschema  # noqa: E402
import kubernetes_validate  # noqa: E402
import yaml  # noqa: E402

KUBERNETES = "1.29"
NOBODY = 65532
LIMIT = 30
# Of 10: the lower, the less a compromised service could do. systemd's own verdict.
MOST_EXPOSED = 2.0


def run(*command, **others):
    command = [str(part) for part in command]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, **others)


def said(done):
    return (done.stdout + done.stderr).strip()


def check(what, is_right, told=""):
    if not is_right:
        sys.exit(f"FAILED: {what}\n{told}")


def quiet(what, done):
    """A command that is right has nothing to say."""
    check(what, done.returncode == 0 and not said(done), said(done))


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def configuration(binary, config, folder):
    """A configuration is one by the schema and for the program."""
    schema = json.loads((DEPLOY / "tagwarden.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(config, schema)
    path = folder / "tagwarden.json"
    path.write_text(json.dumps(config))
    done = run(binary, "serve", "--check-config", "--config", path)
    check("a configuration is good", done.returncode == 0, said(done))


def schema(binary, folder):
    """The schema refuses what the program refuses, and takes what it takes."""
    validator = jsonschema.Draft202012Validator(
        json.loads((DEPLOY / "tagwarden.schema.json").read_text())
    )
    for config in [
        {"server": {"port": 1}},
        {"sever": {}},
        {"server": {"workers": 0}},
        {"server": {"workers": "2"}},
        {"server": {"listen": "127.0.0.1:1"}},
        {"tls": {"client_auth": "maybe"}},
        {"source": {"poll": 86_401}},
        [],
    ]:
        check(f"the schema refuses {config}", not validator.is_valid(config))
        path = folder / "wrong.json"
        path.write_text(json.dumps(config))
        done = run(binary, "serve", "--check-config", "--config", path)
        check(f"the program refuses {config}", done.returncode == 2, said(done))


def systemd(binary, folder):
    config = json.loads((DEPLOY / "systemd/tagwarden.json").read_text())
    configuration(binary, config, folder)
    if not shutil.which("systemd-analyze"):
        return "systemd-analyze is not here"
    version = int(re.search(r"systemd (\d+)", said(run("systemd-analyze", "--version"))).group(1))
    unit = folder / "tagwarden.service"
    text = (DEPLOY / "systemd/tagwarden.service").read_text()
    unit.write_text(text.replace("/usr/bin/tagwarden", str(binary)))
    quiet("the unit is one", run("systemd-analyze", "verify", unit))
    threshold = f"--threshold={round(MOST_EXPOSED * 10)}"
    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", threshold, unit)
    check("the unit is closed", done.returncode == 0, said(done))
    exposed = re.search(r"Overall exposure level .*: ([0-9.]+)", done.stdout).group(1)
    if version < 253:
        return f"exposure {exposed}; systemd {version} does not know the drop-in"
    shutil.copytree(DEPLOY / "systemd/tagwarden.service.d", folder / "tagwarden.service.d")
    quiet("the drop-in is one", run("systemd-analyze", "verify", unit))
    return f"exposure {exposed}"


def documents(path):
    return [found for found in yaml.safe_load_all(path.read_text()) if found]


def bundle_of(manifest, mounted, folder):
    """Writes a bundle as kubelet does: by its items, through a link that is swapped."""
    data = next(one["data"] for one in manifest if one["metadata"]["name"] == mounted["name"])
    check("every file is mounted", {item["key"] for item in mounted["items"]} == data.keys())
    for item in mounted["items"]:
        path = folder / "..1" / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data[item["key"]])
    (folder / "..data").symlink_to("..1")
    for entry in (folder / "..1").iterdir():
        (folder / entry.name).symlink_to(f"..data/{entry.name}")


def kubernetes(binary, folder):
    manifest = documents(DEPLOY / "kubernetes/sidecar-envoy.yaml")
    for found in manifest:
        kubernetes_validate.validate(found, KUBERNETES, strict=True)
    maps = {one["metadata"]["name"]: one["data"] for one in manifest if one["kind"] == "ConfigMap"}
    pod = next(one for one in manifest if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    for container in pod["initContainers"] + pod["containers"]:
        closed = container["securityContext"]
        check(
            f"{container['name']} is closed",
            closed["readOnlyRootFilesystem"]
            and not closed["allowPrivilegeEscalation"]
            and closed["capabilities"] == {"drop": ["ALL"]}
            and closed["runAsUser"] > 1_000,
        )
    mounted = next(one["configMap"] for one in pod["volumes"] if one["name"] == "bundle")
    bundle = folder / "bundle"
    bundle.mkdir()
    bundle_of(manifest, mounted, bundle)
    done = run(binary, "check", "--deny-warnings", bundle)
    check("the bundle of the manifest is good", done.returncode == 0, said(done))
    config = json.loads(maps["eci-tagwarden"]["tagwarden.json"])
    configuration(binary, config, folder)
    envoy(maps["eci-envoy"], folder)
    pod_serves(binary, config, pod["initContainers"][0], bundle, folder)
    return f"{len(manifest)} objects of Kubernetes {KUBERNETES}"


def envoy(files, folder):
    """The keys are the user's: those of the example stand in for them."""
    program = TOOLS / "bin/envoy"
    check("no keys are trusted by default", json.loads(files["jwks.json"]) == {"keys": []})
    files |= {"jwks.json": (ROOT / "examples/eci-mesh/jwks.json").read_text()}
    for name, text in files.items():
        (folder / name).write_text(text.replace("/etc/envoy/", f"{folder}/"))
    done = run(program, "--mode", "validate", "-c", folder / "envoy.yaml", "-l", "error")
    check("Envoy takes its configuration", done.returncode == 0, said(done))


def pod_serves(binary, config, container, bundle, folder):
    """The sidecar starts with the manifest's own configuration, and its probes are answered."""
    sockets, port = folder / "sockets", free_port()
    sockets.mkdir()
    text = json.dumps(config).replace("/etc/tagwarden/bundle", str(bundle))
    text = text.replace("/run/tagwarden", str(sockets)).replace("0.0.0.0:4771", f"127.0.0.1:{port}")
    path = folder / "pod.json"
    path.write_text(text.replace('"lame_duck": 5', '"lame_duck": 0'))
    server = subprocess.Popen([binary, "serve", "--config", path], stderr=subprocess.DEVNULL)
    try:
        probe = container["startupProbe"]["exec"]["command"][1:]
        probe = [part.replace("/run/tagwarden", str(sockets)) for part in probe]
        until("the startup probe succeeds", lambda: run(binary, *probe).returncode == 0, server)
        for kind in ("livenessProbe", "readinessProbe"):
            asked = container[kind]["httpGet"]
            headers = {one["name"]: one["value"] for one in asked["httpHeaders"]}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{asked['path']}", headers=headers)
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                check(f"the {kind} succeeds", answer.status == 200)
    finally:
        stop(server)


def until(what, holds, server):
    end = time.monotonic() + LIMIT
    while not holds():
        check(what, server.poll() is None, f"the server ended with {server.returncode}")
        check(what, time.monotonic() < end, "not in time")
        time.sleep(0.05)


def stop(server):
    server.terminate()
    check("the server drains", server.wait(timeout=LIMIT) == 0)


ISTIO = """
import {{ {kind} }} from "@kubernetes-models/istio/{group}/{kind}";
new {kind}({document}).validate();
"""


def istio(_binary, _folder):
    found = documents(DEPLOY / "istio/provider.yaml")
    for document in found:
        kind, group = document["kind"], document["apiVersion"]
        module = ISTIO.format(kind=kind, group=group, document=json.dumps(document))
        # Modules are found beside the script.
        done = run("node", "--input-type=module", "-e", module, cwd=TOOLS / "istio")
        check(f"{kind} is one", done.returncode == 0, said(done))
    provider = found[0]["spec"]["meshConfig"]["extensionProviders"][0]
    policy = next(one for one in found if one["kind"] == "AuthorizationPolicy")
    check("the policy names the provider", policy["spec"]["provider"]["name"] == provider["name"])
    entry = next(one for one in found if one["kind"] == "ServiceEntry")["spec"]
    asked = provider["envoyExtAuthzGrpc"]
    check("the provider is reached", asked["service"] in entry["hosts"])
    check("the provider is reached", asked["port"] == entry["ports"][0]["number"])
    return f"{len(found)} objects"


def prometheus(_binary, _folder):
    program = TOOLS / "prometheus/usr/bin/promtool"
    if not program.exists():
        return "promtool cannot be had here"
    for command in (["check", "rules", "tagwarden.rules.yaml"], ["test", "rules", "tagwarden.test.yaml"]):
        done = run(program, *command, cwd=DEPLOY / "prometheus")
        check(" ".join(command), done.returncode == 0, said(done))
    rules = documents(DEPLOY / "prometheus/tagwarden.rules.yaml")[0]["groups"][0]["rules"]
    told = (ROOT / "docs/operations.md").read_text()
    for rule in rules:
        check(f"{rule['alert']} is documented", f"`{rule['alert']}`" in told)
    known = (ROOT / "docs/health.md").read_text() + (ROOT / "docs/tls.md").read_text()
    for name in {name for rule in rules for name in re.findall(r"tagwarden_[a-z_]+", rule["expr"])}:
        name = re.sub(r"_(total|bucket)$", "", name)
        check(f"{name} is a metric", f"`{name}`" in known)
    return f"{len(rules)} rules"


def container(static, folder):
    """What the image holds, run as the image says: one file, no other, and as nobody."""
    if os.geteuid() != 0:
        return "only root changes its root directory"
    done = run("ldd", static)
    check("the program is static", "statically linked" in said(done) or "not a dynamic" in said(done), said(done))
    image = folder / "image"
    (image / "etc/tagwarden").mkdir(parents=True)
    shutil.copy(static, image / "tagwarden")
    shutil.copytree(ROOT / "examples/eci", image / "etc/tagwarden/bundle")
    # Every container has them; a static glibc has no other way to ask for randomness.
    (image / "dev").mkdir()
    for name, minor in (("random", 8), ("urandom", 9)):
        os.mknod(image / "dev" / name, stat.S_IFCHR, os.makedev(1, minor))
        (image / "dev" / name).chmod(0o666)
    text = (DEPLOY / "container/Containerfile").read_text()
    check("the image names its user", f"USER {NOBODY}:{NOBODY}" in text)
    variables = dict(re.findall(r"^ENV (TAGWARDEN_\S+?)=(\S+)$", text, re.MULTILINE))
    address = f"127.0.0.1:{free_port()}"
    variables |= {"TAGWARDEN_SERVER__LISTEN": address, "TAGWARDEN_ADMIN__LISTEN": "none"}
    # The folder is root's, and others read it: nothing in it can be written.
    image.chmod(0o755)
    folder.chmod(0o755)

    def inside(*command):
        confined = f"--userspec={NOBODY}:{NOBODY}", "--groups="
        return [shutil.which("chroot"), *confined, str(image), "/tagwarden", *command]

    before = sorted(image.rglob("*"))
    server = subprocess.Popen(inside("serve"), env=variables, stderr=subprocess.DEVNULL)
    try:
        health = json.loads(re.search(r"HEALTHCHECK .* CMD (\[.*\])", text).group(1))[1:]
        probe = inside(*health, address)
        until("the health check succeeds", lambda: run(*probe, env={}).returncode == 0, server)
        own = Path(f"/proc/{server.pid}/status").read_text()
        check("the server is nobody", f"\nUid:\t{NOBODY}\t{NOBODY}\t" in own, own)
    finally:
        stop(server)
    check("nothing was written", sorted(image.rglob("*")) == before)
    check("the health check fails without a server", run(*probe, env={}).returncode == 6)
    return f"{(image / 'tagwarden').stat().st_size // 1_048_576} MiB"


def main(binary, static=None):
    parts = [schema, systemd, kubernetes, istio, prometheus]
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            print(f"deploy: {part.__name__}: {part(binary, Path(folder)) or 'good'}", flush=True)
    if static:
        with tempfile.TemporaryDirectory() as folder:
            print(f"deploy: container: {container(static, Path(folder))}", flush=True)
    passed = len(parts) + bool(static)
    print(f"deploy: {passed} passed, 0 failed")


if __name__ == "__main__":
    main(*(Path(path).resolve() for path in sys.argv[1:]))
