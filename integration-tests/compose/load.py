"""A steady load on the gateway from a container of the front network: requests and jobs at fixed rates, each response checked.

usage: load.py ORDER, JSON with url, hub, token, seconds, requests_per_second, jobs_per_second, hpcs; the outcome is the
last line of stdout, JSON with the counts, the failed requests and the jobs. SIGTERM ends the load early.
"""

import base64
import http.client
import json
import queue
import random
import signal
import sys
import threading
import time

order = json.loads(sys.argv[1])
token = base64.b64encode(f"{order['hub']}@{order['token']}".encode()).decode()
failures, latencies, jobs = [], [], []
over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())


def ask(method, path, body=None):
    """One request over a connection of its own, as the Python client makes it."""
    began = time.monotonic()
    try:
        connection = http.client.HTTPSConnection(order["url"], timeout=30)
        sent = json.dumps({"jupyterhubApiToken": token, **(body or {})})
        connection.request(method, "/v2" + path, sent, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        latencies.append(time.monotonic() - began)
        if response.status == 200:
            return json.loads(text)
        problem = f"{response.status}: {text[:300]}"
    except Exception as error:
        problem = repr(error)
    failures.append({"request": f"{method} {path}", "at": time.strftime("%H:%M:%S"), "problem": problem})
    return None


def submit(hpc):
    job = ask("POST", "/job", {"maintainer": "community_contribution", "hpc": hpc})
    if job is None:
        return
    made = job["id"]
    ask("PUT", f"/job/{made}", {"localExecutableFolder": {"type": "git", "gitId": "tick"}, "slurm": {"time": "00:05:00"}})
    if ask("POST", f"/job/{made}/submit") is not None:
        jobs.append(made)


def look():
    paths = ["/hpc", "/user/job", "/git", "/maintainer"]
    if jobs:
        paths += [f"/job/{random.choice(jobs)}{part}" for part in ("", "/events", "/logs")]
    ask("GET", random.choice(paths))


def at_rate(per_second, tasks, task):
    """Puts `task` into `tasks` at the rate, whatever the answers take."""
    began, count = time.monotonic(), 0
    while not over.is_set() and time.monotonic() - began < order["seconds"]:
        tasks.put(task(count))
        count += 1
        over.wait(max(0.0, began + count / per_second - time.monotonic()))


def work(tasks):
    while (task := tasks.get()) is not None:
        task()


tasks = queue.Queue()
workers = [threading.Thread(target=work, args=(tasks,)) for _ in range(32)]
hpcs = order["hpcs"]
# three requests of a job's submission count, too
rest = order["requests_per_second"] - 3 * order["jobs_per_second"]
sources = [
    threading.Thread(target=at_rate, args=(order["jobs_per_second"], tasks, lambda n: lambda: submit(hpcs[n % len(hpcs)]))),
    threading.Thread(target=at_rate, args=(rest, tasks, lambda _: look)),
]
began = time.monotonic()
for thread in workers + sources:
    thread.start()
for thread in sources:
    thread.join()
for _ in workers:
    tasks.put(None)
for thread in workers:
    thread.join()
took = time.monotonic() - began

# all jobs come to their end
waiting, ends = set(jobs), {}
limit = time.monotonic() + 180
while waiting and time.monotonic() < limit:
    for job in list(waiting):
        events = ask("GET", f"/job/{job}/events") or []
        types = [event["type"] for event in events]
        closing = [kind for kind in types if kind in ("JOB_ENDED", "JOB_FAILED")]
        if closing:
            ends[job] = closing
            waiting.discard(job)
    time.sleep(0.5)
latencies.sort()
print(
    json.dumps(
        {
            "requests": len(latencies) + len(failures),
            "per_second": round((len(latencies) + len(failures)) / took, 1),
            "failed": failures,
            "median_ms": round(1000 * latencies[len(latencies) // 2]),
            "p99_ms": round(1000 * latencies[len(latencies) * 99 // 100]),
            "worst_ms": round(1000 * latencies[-1]),
            "jobs": ends,
            "not_over": sorted(waiting),
        }
    )
)
