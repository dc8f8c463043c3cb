"""Runs one job through the client as it is on PyPI; order on stdin, outcome as the last line of stdout."""

import json
import sys
import time

from cybergis_compute_client import CyberGISCompute

order = json.load(sys.stdin)
settings = order["job"]


def run():
    compute = CyberGISCompute(
        url=order.get("url", "127.0.0.1"),
        port=order["port"],
        protocol=order.get("protocol", "HTTP"),
        suffix="v2",
        isJupyter=False,
    )
    compute.login(manualHost=order["hub"])
    account = {key: settings.pop(key) for key in ("hpcUsername", "hpcPassword") if key in settings}
    job = compute.create_job(hpc=settings.pop("hpc", None), verbose=False, **account)
    job.set(printJob=False, **settings)
    job.submit()
    limit = time.monotonic() + 90
    ends = ("JOB_ENDED", "JOB_FAILED")
    while not any(event["type"] in ends for event in job.events(raw=True)):
        if time.monotonic() > limit:
            raise TimeoutError("not over in 90 s")
        time.sleep(0.1)
    status = job.status(raw=True)
    return {
        "user": compute.username,
        "job": status,
        "events": [event["type"] for event in job.events(raw=True)],
        "logs": "".join(log["message"] for log in job.logs(raw=True)),
        "folders": job.result_folder_content(),
    }


try:
    outcome = run()
except Exception as error:  # the client raises bare exceptions
    outcome = {"error": str(error)}
print()
print(json.dumps(outcome))
