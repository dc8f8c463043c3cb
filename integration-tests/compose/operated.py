"""Steps: the commands of docs/operations.md for the operator."""

import json
import re
import time

from deployment import Failure, run, until
from documented import blocks, type_blocks, type_commands
from trouble import load


def maintainers_are_scaled(world):
    type_blocks(world, "operated.py::maintainers_are_scaled")
    containers = world.containers("maintainer-hpca")
    world.wait_healthy(*containers)
    if len(containers) != 3:
        raise Failure(f"{len(containers)} replicas")
    living = until("all are registered", 120, lambda: (rows := world.sql("SELECT address FROM maintainers")) and len(rows) >= 4 and rows)
    return f"{len(living)} maintainers"


def a_third_hpc_and_a_template_are_added(world):
    step = "operated.py::a_third_hpc_and_a_template_are_added"
    # the site's HPC, which is no part of the deployment: its account knows the public key already
    secrets = world.site / "secrets"
    mounts = ["-v", f"{secrets}/hpc-host-key:/run/secrets/hpc-host-key:ro", "-v", f"{secrets}/ssh-key.pub:/run/secrets/hpc-user-key.pub:ro"]
    allowed = ["--device", "/dev/fuse", "--cap-add", "SYS_ADMIN", "--security-opt", "seccomp:unconfined", "--security-opt", "apparmor:unconfined"]
    network = ["--network", f"{world.project}_hpc", "--network-alias", "login.example.org", "--hostname", "hpcc", "--memory", "3g"]
    hpc = run("docker", "run", "-d", "--name", f"{world.project}_hpcc", *network, *mounts, *allowed, "cybergis-compute/hpc").strip()
    world.added["hpcc"] = hpc
    world.wait_healthy(hpc)
    type_blocks(world, step)
    until("the template is shown", 120, lambda: "word_count" in world.ask(world.alice, "GET", "/git")["git"])
    [cell] = [block.text for block in blocks(step) if block.language == "python" and not block.file]
    script = cell.replace("compute.example.org", "proxy") + "print(job.id)\n"
    [hub] = world.containers("hub")
    command = ["docker", "exec", "-i", "-e", f"JUPYTERHUB_API_TOKEN={world.alice}", "-w", "/tmp", hub, "python", "-"]
    job = run(*command, stdin=script).split()[-1]
    world.wait_for_event(world.alice, job, "JOB_ENDED", 60)
    logs = json.dumps(world.ask(world.alice, "GET", f"/job/{job}/logs"))
    if "4 words" not in logs:
        raise Failure(f"the job's logs: {logs}")
    return f"job {job} ran on hpcc: 4 words"


def an_upgrade_refuses_no_request(world):
    """Images under another tag: the same programs, but other images."""
    for service in ("compute-gateway", "compute-maintainer", "compute-connector", "compute-migrate", "cybergis-compute"):
        image = f"cybergis-compute/{service}"
        run("docker", "build", "-t", f"{image}:next", "-", stdin=f"FROM {image}\nLABEL upgraded=yes\n")
    before = {service: world.containers(service) for service in ("connector", "maintainer-hpca", "maintainer-hpcb", "gateway")}
    world.ports["COMPUTE_VERSION"] = "next"
    del world.env
    began = time.monotonic()
    # as in a deployment of before there were roles: all belongs to the administrator
    world.sql("DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
              " LOOP EXECUTE format('ALTER TABLE %s OWNER TO compute', t); END LOOP; END $$")
    with load(world, requests_per_second=50, jobs_per_second=1) as figures:
        type_commands(world, "".join(block.text for block in blocks("operated.py::an_upgrade_refuses_no_request")))
    for service, old in before.items():
        new = world.containers(service)
        images = {run("docker", "inspect", "--format", "{{.Config.Image}}", one).strip().split(":")[-1] for one in new}
        if len(new) != len(old) or set(new) & set(old) or images != {"next"}:
            raise Failure(f"{service}: before {old}, after {new} with images {images}")
    owners = world.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    if owners != [["compute_migrate"]]:
        raise Failure(f"tables belong to {owners}")
    return f"{time.monotonic() - began:.0f} s, {figures}"


def a_role_gets_a_new_password(world):
    def log_in():
        """As the gateway, with the password of before."""
        script = 'PGPASSWORD=$0 psql -h postgres -U compute_gateway -d compute -c "SELECT 1"'
        return world.execute("backup", "bash", "-c", script, former, check=False)

    former = (world.site / "secrets" / "gateway-database-url").read_text().split(":")[2].split("@")[0]
    if (before := log_in()).returncode:
        raise Failure(f"the password that is good: {before}")
    type_blocks(world, "operated.py::a_role_gets_a_new_password")
    if "password authentication failed" not in (after := log_in()).stderr:
        raise Failure(f"the former password: {after}")
    world.ask(world.alice, "GET", "/user/job")


def a_drained_container_hands_its_jobs_back(world):
    job = world.submit(world.alice, "slow", "hpcb")
    world.wait_for_event(world.alice, job, "JOB_INIT", 60)
    [only] = world.containers("maintainer-hpcb")
    type_blocks(world, "operated.py::a_drained_container_hands_its_jobs_back", {"CONTAINER": only})
    # a lease that was not handed back would hold for some 20 s more
    [[lease]] = world.sql(f"SELECT CASE WHEN lease_until <= extract(epoch FROM now()) * 1000 THEN 'nobody' ELSE owner END FROM jobs WHERE id = '{job}'")
    run("docker", "start", only)
    world.wait_healthy(only)
    world.wait_for_event(world.alice, job, "JOB_ENDED", 120)
    if lease != "nobody":
        raise Failure(f"the drained maintainer kept the job: {lease}")


def a_backup_brings_an_empty_world_back(world):
    running = world.submit(world.alice, "slow", "hpca")
    world.wait_for_event(world.alice, running, "JOB_INIT", 60)
    before = {table: world.sql(f"SELECT count(*) FROM {table}") for table in ("jobs", "events", "logs", "folders", "gits")}
    listed = len(world.ask(world.alice, "GET", "/user/job")["job"])
    save, restore = (block.text for block in blocks("operated.py::a_backup_brings_an_empty_world_back"))
    dump = re.search(r"compute-\S+\.dump", type_commands(world, save))[0]
    services = ["proxy", "gateway", "maintainer-hpca", "maintainer-hpcb", "maintainer-hpcc", "connector", "backup", "redis", "postgres", "roles", "migrate"]
    world.compose("rm", "--force", "--stop", "-v", *services)
    run("docker", "volume", "rm", f"{world.project}_postgres", f"{world.project}_redis")
    world.up("postgres", "backup")
    world.wait_healthy(*world.containers("postgres"))
    nothing = world.execute("backup", "bash", "/backup", "now", check=False)
    if nothing.returncode == 0 or "is empty" not in nothing.stderr:
        raise Failure(f"a dump of an empty database: {nothing}")
    start, load_dump, rest = restore.replace("FILE", dump).splitlines(keepends=True)
    restored = re.search(r"restored \d+ jobs", type_commands(world, start + load_dump))[0]
    after = {table: world.sql(f"SELECT count(*) FROM {table}") for table in before}
    if before != after:
        raise Failure(f"before {before}, after {after}")
    type_commands(world, rest)
    world.wait_healthy(*world.containers("gateway"))
    until("the gateway answers", 120, lambda: len(world.ask(world.alice, "GET", "/user/job")["job"]) == listed)
    world.wait_for_event(world.alice, running, "JOB_ENDED", 120)
    again = world.compose("run", "--rm", "-T", "restore", dump, check=False)
    if again.returncode == 0 or "not empty" not in again.stderr:
        raise Failure(f"a restore over a full database: {again}")
    return f"{restored}; the job that ran was picked up"
