"""Lists the caller's jobs through the client as it is on PyPI, as a table and raw; order on stdin, outcome as the last line."""

import contextlib
import io
import json
import sys

from cybergis_compute_client import CyberGISCompute

order = json.load(sys.stdin)


def run():
    compute = CyberGISCompute(
        url="127.0.0.1", port=order["port"], protocol="HTTP", suffix="v2", isJupyter=False
    )
    compute.login(manualHost=order["hub"])
    table = io.StringIO()
    with contextlib.redirect_stdout(table):
        compute.list_job()
    jobs = compute.list_job(raw=True)["job"]
    watched = {}
    for job in jobs:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):  # returns only if an event closes the job
            if job["state"] != "created":
                compute.get_job_by_id(job["id"], verbose=False).events()
        watched[job["id"]] = printed.getvalue()
    return {"table": table.getvalue(), "jobs": jobs, "watched": watched}


try:
    outcome = run()
except Exception as error:  # the client raises bare exceptions
    outcome = {"error": str(error)}
print()
print(json.dumps(outcome))
