"""The deployment of deploy/docker-compose.yml and docker-compose.local.yml, as a separate project."""

import json
import os
import shutil
import subprocess
import time
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CLIENT = "/srv/client"
HPCS = ("hpca", "hpcb")


class Failure(Exception):
    """What a person needs to know of a step that failed."""


def run(*command, check=True, stdin=None, timeout=900, env=None):
    """The output of a command; its errors are in the failure."""
    done = subprocess.run(
        [str(word) for word in command], input=stdin, capture_output=True, text=True, timeout=timeout, env=env
    )
    if check and done.returncode:
        raise Failure(f"{' '.join(map(str, command))[:300]}: exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout if check else done


def until(what, seconds, condition):
    """Waits for a condition, asking five times a second; returns what it gave."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > limit:
            raise Failure(f"not in {seconds} s: {what}")
        time.sleep(0.2)
    return value


class Deployment:
    """A deployment whose site is made by deploy/compose/local-site."""

    def __init__(self, site):
        self.site = Path(site)
        self.project = self.site.name
        # containers that are no part of the deployment, by HPC
        self.added = {}
        self.ports = os.environ | {"COMPUTE_LISTEN": "127.0.0.1:0", "COMPUTE_HUB_LISTEN": "127.0.0.1:0"}
        self.binary = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]

    @cached_property
    def env(self):
        """What an operator's shell knows that has read the site's file `env`."""
        shown = run("bash", "-c", '. "$1/env" && env -0', "bash", self.site, env=self.ports)
        return dict(line.split("=", 1) for line in shown.split("\0") if line)

    def compose(self, *words, **options):
        return run(*self.binary, *words, env=self.env, **options)

    def up(self, *words):
        self.compose("up", "-d", *words)

    def containers(self, service):
        return self.compose("ps", "-q", service).split()

    def wait_healthy(self, *containers):
        def healthy():
            states = [json.loads(run("docker", "inspect", "--format", "{{json .State}}", one)) for one in containers]
            return all(state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy" for state in states)

        until(f"containers {' '.join(one[:12] for one in containers)} are healthy", 120, healthy)

    def operator(self, *words):
        return self.compose("run", "--rm", "-T", "operator", *words)

    def execute(self, service, *command, **options):
        return self.compose("exec", "-T", service, *command, **options)

    def sql(self, statement):
        rows = self.execute("postgres", "psql", "-U", "compute", "-At", "-c", statement, "compute")
        return [row.split("|") for row in rows.splitlines()]

    def accounting(self, hpc):
        """Names and states of all Slurm jobs that the HPC has ever run."""
        run_there = ["docker", "exec", self.added[hpc]] if hpc in self.added else [*self.binary, "exec", "-T", hpc]
        lines = run(*run_there, "sacct", "-a", "-n", "-X", "-P", "-S", "now-1day", "-o", "JobName,State", env=self.env)
        return [line.split("|") for line in lines.splitlines()]

    def token(self, user):
        return self.execute("hub", "hub-token", user).strip()

    def job(self, token, template, hpc, **settings):
        """Runs a job with the Python client inside of the JupyterLab container; its outcome."""
        settings |= {"hpc": hpc, "localExecutableFolder": {"type": "git", "gitId": template}}
        order = {"url": "proxy", "port": 443, "protocol": "HTTPS", "hub": "hub:8000", "job": settings}
        [hub] = self.containers("hub")
        command = ["docker", "exec", "-i", "-e", f"JUPYTERHUB_API_TOKEN={token}", "-w", "/tmp", hub, "python", f"{CLIENT}/python/run_job.py"]
        outcome = json.loads(run(*command, stdin=json.dumps(order)).splitlines()[-1])
        if "error" in outcome or "JOB_ENDED" not in outcome["events"]:
            raise Failure(f"the job on {hpc} did not end well: {json.dumps(outcome)[:3000]}")
        return outcome

    def ask(self, token, method, path, body=None):
        """One request from the front network; the answer."""
        script = (
            "import base64,http.client,json,sys;o=json.load(sys.stdin);"
            "t=base64.b64encode(('hub:8000@'+o['token']).encode()).decode();"
            "c=http.client.HTTPSConnection('proxy',timeout=30);"
            "c.request(o['method'],'/v2'+o['path'],json.dumps({'jupyterhubApiToken':t,**o['body']}),{'Content-Type':'application/json'});"
            "r=c.getresponse();print(json.dumps([r.status,json.loads(r.read())]))"
        )
        order = {"token": token, "method": method, "path": path, "body": body or {}}
        status, answer = json.loads(self.execute("hub", "python", "-c", script, stdin=json.dumps(order)))
        if status != 200:
            raise Failure(f"{method} {path}: {status} {answer}")
        return answer

    def submit(self, token, template, hpc):
        """Submits a job without waiting for it; its id."""
        job = self.ask(token, "POST", "/job", {"maintainer": "community_contribution", "hpc": hpc})["id"]
        self.ask(token, "PUT", f"/job/{job}", {"localExecutableFolder": {"type": "git", "gitId": template}})
        self.ask(token, "POST", f"/job/{job}/submit")
        return job

    def events(self, token, job):
        return [event["type"] for event in self.ask(token, "GET", f"/job/{job}/events")]

    def wait_for_event(self, token, job, kind, seconds):
        until(f"{kind} of job {job}", seconds, lambda: kind in self.events(token, job))

    def remove_leftovers(self):
        """Removes what Docker has of this project, also after a scenario that was killed."""
        ours = ["--filter", f"label=com.docker.compose.project={self.project}"]
        for listed, remove in (
            (["ps", "-aq", *ours], ["rm", "--force", "--volumes"]),
            (["ps", "-aq", "--filter", f"name=^{self.project}_"], ["rm", "--force", "--volumes"]),
            (["volume", "ls", "-q", *ours], ["volume", "rm", "--force"]),
        ):
            if found := run("docker", *listed).split():
                run("docker", *remove, *found)
        # a container that is removed while it starts leaves its place in a network for a moment, or for good
        for network in run("docker", "network", "ls", "-q", *ours).split():
            until(f"network {network} is removed", 120, lambda network=network: self.remove_network(network))

    def remove_network(self, network):
        """Whether it is gone; else what still holds it is taken off, for the next try."""
        done = run("docker", "network", "rm", network, check=False)
        if done.returncode:
            for holder in json.loads(run("docker", "network", "inspect", "--format", "{{json .Containers}}", network)).values():
                run("docker", "network", "disconnect", "--force", network, holder["Name"], check=False)
        return done.returncode == 0
