"""Steps: cut connections, killed, restarted and replaced containers while jobs run; no job and no request may fail."""

import json
import subprocess
import time
from collections import Counter
from contextlib import contextmanager

from deployment import CLIENT, HPCS, Failure, run, until


def a_cut_between_connector_and_hpcs_fails_no_job(world):
    [connector] = world.containers("connector")
    network = f"{world.project}_hpc"
    jobs = [world.submit(world.alice, "slow", hpc) for hpc in HPCS]
    for job in jobs:
        world.wait_for_event(world.alice, job, "JOB_INIT", 60)
    run("docker", "network", "disconnect", network, connector)
    during = world.submit(world.alice, "tick", "hpca")
    time.sleep(30)  # the length of the cut; nothing waits for its end
    run("docker", "network", "connect", network, connector)
    for job in (*jobs, during):
        world.wait_for_event(world.alice, job, "JOB_ENDED", 120)
    return f"30 s, {len(jobs)} jobs running and 1 submitted meanwhile"


def killed_containers_lose_nothing(world):
    jobs = [world.submit(world.alice, "slow", hpc) for hpc in HPCS for _ in range(3)]
    until("some run", 60, lambda: any("JOB_INIT" in world.events(world.alice, job) for job in jobs))
    killed = [world.containers(service)[0] for service in ("maintainer-hpca", "maintainer-hpcb", "connector", "redis", "gateway")]
    run("docker", "kill", "--signal", "KILL", *killed)
    run("docker", "start", *killed)
    world.wait_healthy(*killed)
    for job in jobs:
        world.wait_for_event(world.alice, job, "JOB_ENDED", 180)
    return f"{len(killed)} containers, {len(jobs)} jobs"


def jobs_submitted(world):
    [[count]] = world.sql("SELECT count(*) FROM jobs WHERE submitted_at IS NOT NULL")
    return int(count)


def wait_for_load(world, process):
    """Waits until the load has submitted some more jobs. Fails at once if the load has ended."""
    before = jobs_submitted(world)

    def more():
        if process.poll() is not None:
            raise Failure(f"the load has ended with exit status {process.returncode}: {process.stdout.read()[-2000:]}")
        return jobs_submitted(world) >= before + 4

    until("jobs of the load", 120, more)


@contextmanager
def load(world, **rates):
    """Keeps up a steady load while the block runs; no request may fail, and each job must end. Fills the yielded figures."""
    order = {"url": "proxy", "hub": "hub:8000", "token": world.alice, "seconds": 900, "hpcs": HPCS, **rates}
    [hub] = world.containers("hub")
    command = ["sh", "-c", 'echo $$ >/tmp/load.pid; exec python "$@"', "sh", f"{CLIENT}/compose/load.py", json.dumps(order)]
    process = subprocess.Popen(["docker", "exec", hub, *command], stdout=subprocess.PIPE, text=True)
    figures = {}
    try:
        wait_for_load(world, process)
        yield figures
        wait_for_load(world, process)
        run("docker", "exec", hub, "sh", "-c", "kill -TERM $(cat /tmp/load.pid)")
        out, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    outcome = json.loads(out.splitlines()[-1])
    ends = Counter(tuple(closing) for closing in outcome["jobs"].values())
    figures |= {key: outcome[key] for key in ("requests", "per_second", "median_ms", "p99_ms", "worst_ms")}
    if outcome["failed"] or outcome["not_over"] or set(ends) != {("JOB_ENDED",)}:
        raise Failure(f"{figures}; {len(outcome['failed'])} failed: {json.dumps(outcome['failed'][:10], indent=1)}; not over {outcome['not_over']}; ends {ends}")
    figures |= {"jobs": sum(ends.values()), "failed": 0}


def restarts_under_load_fail_no_request(world):
    with load(world, requests_per_second=50, jobs_per_second=1) as figures:
        restarted = []
        for service in ("gateway", "maintainer-hpca", "maintainer-hpcb", "connector", "redis"):
            for container in world.containers(service):
                began = time.monotonic()
                run("docker", "restart", "--time", "45", container)
                world.wait_healthy(container)
                restarted.append(f"{service} {time.monotonic() - began:.0f} s")
        world.say(", ".join(restarted))
    return str(figures)


def a_restart_of_the_database_loses_nothing(world):
    jobs = [world.submit(world.alice, "slow", hpc) for hpc in HPCS for _ in range(2)]
    [postgres] = world.containers("postgres")
    run("docker", "restart", postgres)
    world.wait_healthy(postgres)
    for job in jobs:
        until(f"job {job} is over", 180, lambda: "JOB_ENDED" in world.events(world.alice, job))
    return f"{len(jobs)} jobs"


def the_books_agree(world):
    times = "coalesce(started_at BETWEEN initialized_at AND finished_at, false)"
    rows = world.sql(f"SELECT id, hpc, state, {times} FROM jobs WHERE submitted_at IS NOT NULL")
    closings = dict(world.sql("SELECT job_id, count(*) FROM events WHERE type IN ('JOB_ENDED', 'JOB_FAILED') GROUP BY job_id"))
    wrong = [row for row in rows if row[2:] != ["ended", "t"] or closings.get(row[0]) != "1"]
    for hpc in (*HPCS, *world.added):
        ran = Counter(name for name, _ in world.accounting(hpc))
        expected = Counter(id for id, of, *_ in rows if of == hpc)
        if ran != expected:
            wrong.append([hpc, "in Slurm but not ours, or twice", dict(ran - expected), "ours, but not in Slurm", dict(expected - ran)])
    if wrong:
        raise Failure(f"{len(wrong)} entries are wrong: {wrong[:10]}")
    return f"{len(rows)} jobs: each started, ended, closed once, and once in sacct"
