"""Steps: build the images, start the deployment, and look at it from each side."""

import json
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from deployment import CLIENT, DEPLOY, HPCS, ROOT, Failure, run, until
from documented import type_blocks

TEMPLATES = {"tick": "echo tick", "slow": "sleep 45; echo slow is over"}


def images_are_built(world):
    if not world.options.no_build:
        run(DEPLOY / "images" / "base-images", timeout=1200)
        run(DEPLOY / "images" / "build", "--local", "--profile", world.options.profile, timeout=3000)
    version = run("docker", "run", "--rm", "cybergis-compute/compute-gateway", "--version").strip()
    label = run("docker", "inspect", "--format", '{{index .Config.Labels "org.opencontainers.image.revision"}}', "cybergis-compute/compute-gateway")
    if label.strip() not in version:
        raise Failure(f"--version says {version}, the label {label}")
    compose = run(*world.binary, "version", "--short").strip()
    return f"{version}, docker-compose {compose}"


def one_command_brings_all_up(world):
    type_blocks(world, "bring_up.py::one_command_brings_all_up", {"deploy/images/build --local": "true"})
    # the keys of the HPCs come from the HPCs, as an operator fetches them
    (world.site / "config" / "known_hosts").write_text("")
    for name, program in TEMPLATES.items():
        manifest = {"name": name, "container": "python", "execution_stage": program, "supported_hpc": list(HPCS), "default_hpc": "hpca"}
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "manifest.json").write_text(json.dumps(manifest))
            script = '. "$1/deploy/local/lib/site.sh" && make_repository "$2" "$3"'
            run("bash", "-c", script, "bash", ROOT, folder, world.site / "templates" / name)
    run("chown", "-R", "10001:10001", world.site / "templates")
    for service in ("gateway", "maintainer-hpca", "maintainer-hpcb", "connector"):
        world.wait_healthy(*world.containers(service))
    [hub] = world.containers("hub")
    world.wait_healthy(hub)
    run("docker", "exec", hub, "mkdir", CLIENT)
    for folder in ("python", "compose"):
        run("docker", "cp", ROOT / "integration-tests" / folder, f"{hub}:{CLIENT}/")
    for hpc in HPCS:
        world.operator("hpc", "trust", hpc, "--yes")
        world.operator("hpc", "check", hpc)
    for template in ("hello_world", *TEMPLATES):
        world.operator("template", "add", template, f"file:///srv/templates/{template}", "--approve")
    world.alice = world.token("alice")
    until("all templates are shown", 120, lambda: {"hello_world", *TEMPLATES} <= set(world.ask(world.alice, "GET", "/git")["git"]))


def the_python_client_runs_a_job_on_each_hpc(world):
    took = []
    for hpc in HPCS:
        began = time.monotonic()
        outcome = world.job(world.alice, "hello_world", hpc, param={"input_a": 70, "input_b": "bar"}, slurm={"num_of_task": 2, "time": "00:05:00"})
        took.append(f"{hpc} {time.monotonic() - began:.1f} s")
        if "/task_1" not in outcome["folders"]:
            raise Failure(f"no result: {outcome}")
    return ", ".join(took)


def reaches(world, service, target, port):
    # a shell's own connection: the images have no other program for it
    probe = f"timeout 3 bash -c '</dev/tcp/{target}/{port}'"
    return world.execute(service, "bash", "-c", probe, check=False).returncode == 0


def clients_reach_the_proxy_and_nothing_behind_it(world):
    inner = {"connector": 7100, "redis": 6379, "postgres": 5432}
    if not reaches(world, "hub", "proxy", 443):
        raise Failure("the probe does not even reach the proxy")
    for service, port in inner.items():
        if not reaches(world, "backup", service, port):
            raise Failure(f"the probe does not reach {service} from inside")
        [container] = world.containers(service)
        networks = json.loads(run("docker", "inspect", "--format", "{{json .NetworkSettings.Networks}}", container))
        for target in [service, *(network["IPAddress"] for network in networks.values())]:
            if reaches(world, "hub", target, port):
                raise Failure(f"the front network reaches {service} as {target}:{port}")
            curl = world.execute("hub", "curl", "-sS", "-m", "3", f"telnet://{target}:{port}", check=False, stdin="")
            if curl.returncode == 0:
                raise Failure(f"curl reaches {target}:{port}: {curl}")


def call(world, role, method):
    """The gRPC status of a call of the connector with the certificate of a role (or none), from the inner network."""
    show = f"--cert /tls/{role}/service.crt --key /tls/{role}/service.key" if role else ""
    # without a message: who is refused is refused before it would be read
    script = (
        f"curl -sS -m 10 --http2 {show} --cacert /tls/ca.crt --connect-to connector:443:connector:7100 -X POST"
        f" -H 'content-type: application/grpc' -H 'te: trailers' -o /dev/null -D - https://connector/cybergis.compute.v1.Connector/{method}"
    )
    mounts = ["-v", f"{world.site}/tls:/tls:ro", "--network", f"{world.project}_inner"]
    done = run("docker", "run", "--rm", *mounts, "--entrypoint", "sh", "cybergis-compute/hub", "-c", script, check=False)
    status = re.search(r"^grpc-status: (\d+)", done.stdout, re.M)
    return int(status[1]) if status else f"refused: {done.stderr.strip()}"


def a_call_without_the_right_certificate_is_refused(world):
    PERMISSION_DENIED, INTERNAL = 7, 13  # codes of gRPC
    answers = {role: call(world, role, "Submit") for role in (None, "gateway", "operator", "connector", "maintainer")}
    # the maintainer is let in; the error is that there is no message
    expected = {"gateway": PERMISSION_DENIED, "operator": PERMISSION_DENIED, "connector": PERMISSION_DENIED, "maintainer": INTERNAL}
    if {role: answers[role] for role in expected} != expected or "refused" not in str(answers[None]):
        raise Failure(f"answers {answers}")
    return f"without one: {answers[None]}"


def prometheus_scrapes_every_replica(world):
    def targets():
        answer = world.execute("hub", "curl", "-sS", "http://prometheus:9090/api/v1/targets?state=active", check=False)
        if answer.returncode:
            return None
        found = Counter((one["labels"]["job"], one["health"]) for one in json.loads(answer.stdout)["data"]["activeTargets"])
        return found if found == {("gateway", "up"): 2, ("maintainer", "up"): 4, ("connector", "up"): 1} else None

    return str(dict(until("all seven are up", 60, targets)))
