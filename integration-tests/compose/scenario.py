"""Scenario test of the deployment: all services in containers, with docker-compose, under real Apptainer.

usage: scenario.py [--keep] [--no-build] [--profile PROFILE] [--compose 1|2] [--short]; as root, with a docker engine. The last
line has the totals; failed steps are listed right before it, after the logs.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import bring_up
import confined
import operated
import trouble
from deployment import Deployment, Failure

# deploy/local/install compose puts it there
COMPOSE_2 = Path(os.environ.get("CYBERGIS_CACHE", "/var/cache/cybergis-compute")) / "docker-compose-2"

STEPS = [
    bring_up.images_are_built,
    bring_up.one_command_brings_all_up,
    confined.containers_have_no_rights_and_only_their_secrets,
    confined.the_database_gives_each_service_its_own,
    confined.no_spelling_opens_what_is_inside,
    bring_up.the_python_client_runs_a_job_on_each_hpc,
    bring_up.clients_reach_the_proxy_and_nothing_behind_it,
    bring_up.a_call_without_the_right_certificate_is_refused,
    operated.maintainers_are_scaled,
    bring_up.prometheus_scrapes_every_replica,
    operated.a_third_hpc_and_a_template_are_added,
    trouble.a_cut_between_connector_and_hpcs_fails_no_job,
    operated.a_drained_container_hands_its_jobs_back,
    trouble.killed_containers_lose_nothing,
    trouble.restarts_under_load_fail_no_request,
    operated.an_upgrade_refuses_no_request,
    operated.a_role_gets_a_new_password,
    trouble.a_restart_of_the_database_loses_nothing,
    operated.a_backup_brings_an_empty_world_back,
    trouble.the_books_agree,
]

# the steps that depend on docker-compose most
SHORT = [
    bring_up.images_are_built,
    bring_up.one_command_brings_all_up,
    confined.containers_have_no_rights_and_only_their_secrets,
    confined.the_database_gives_each_service_its_own,
    bring_up.the_python_client_runs_a_job_on_each_hpc,
    bring_up.clients_reach_the_proxy_and_nothing_behind_it,
    operated.maintainers_are_scaled,
    operated.a_third_hpc_and_a_template_are_added,
    operated.an_upgrade_refuses_no_request,
    operated.a_backup_brings_an_empty_world_back,
    trouble.the_books_agree,
]


def report(began, word, function, detail=""):
    name = function.__name__.replace("_", " ")
    line = f"[{time.monotonic() - began:6.1f} s] {word:<6} {name}{': ' if detail else ''}{detail}"
    print(line, flush=True)
    return line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true", help="leave the world running")
    parser.add_argument("--no-build", action="store_true", help="use existing images")
    parser.add_argument("--profile", default="release", help="Cargo profile of the images")
    parser.add_argument("--compose", choices="12", default="2", help="docker-compose of the distribution (1), or 2")
    parser.add_argument("--short", action="store_true", help="only the steps that depend on docker-compose most")
    options = parser.parse_args()
    if options.compose == "2":
        os.environ["PATH"] = f"{COMPOSE_2}:{os.environ['PATH']}"
    steps = SHORT if options.short else STEPS
    began = time.monotonic()
    # on SIGTERM, too, everything is removed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="compute-site."))
    world = Deployment(folder / "compute-scenario")
    world.options = options
    world.say = lambda text: print(f"           {text}", flush=True)
    passed, failed = 0, []
    try:
        world.remove_leftovers()
        for function in steps:
            try:
                report(began, "ok", function, function(world) or "")
                passed += 1
            except Exception as error:  # whatever failed, the logs say more
                failed.append(report(began, "FAILED", function, str(error) if isinstance(error, Failure) else repr(error)))
                if function in steps[:2]:
                    break
                logs = world.compose("logs", "--no-color", "--tail", "30", check=False)
                print(logs.stdout[-12000:], file=sys.stderr)
    finally:
        if options.keep:
            print(f"kept: . {world.site}/env")
        else:
            try:
                world.remove_leftovers()
            except Failure as error:
                failed.append(f"leftovers were not removed: {error}")
            shutil.rmtree(folder)
    print(*failed, f"{passed} passed, {len(steps) - passed} failed", sep="\n", flush=True)
    sys.exit(1 if failed else 0)


main()
