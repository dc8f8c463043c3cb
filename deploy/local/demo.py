"""The demonstration as a researcher would write it, with the client as it is on PyPI."""

import sys
import time

from cybergis_compute_client import CyberGISCompute

port, hub = sys.argv[1], sys.argv[2]
began = time.monotonic()

compute = CyberGISCompute(url="127.0.0.1", port=port, protocol="HTTP", suffix="", isJupyter=False)
compute.login(manualHost=hub)
print("templates:", ", ".join(sorted(compute.list_git(raw=True))))

job = compute.create_job(hpc="local_hpc", verbose=False)
job.set(
    localExecutableFolder={"type": "git", "gitId": "hello_world"},
    param={"input_a": 70, "input_b": "bar"},
    slurm={"num_of_task": 2, "time": "00:05:00"},
    printJob=False,
)
submitted = time.monotonic()
job.submit()

shown, over = 0, None
while over is None and time.monotonic() - submitted < 120:
    events = job.events(raw=True)
    for event in events[shown:]:
        print(f"  {time.monotonic() - submitted:6.2f} s  {event['type']:<24} {event['message']}", flush=True)
        if event["type"] in ("JOB_ENDED", "JOB_FAILED"):
            over = event["type"]
    shown = len(events)
    time.sleep(0.2)
ended = time.monotonic()

for log in job.logs(raw=True):
    print("--- log ---")
    print(log["message"], end="")
print("--- result folder ---")
folders = job.result_folder_content()
print("\n".join(folders))

good = over == "JOB_ENDED" and {"/task_0", "/task_1"} <= set(folders)
verdict = "WORKS" if good else f"FAILED ({over})"
print(f"{verdict}: job {job.id}, from submit to end {ended - submitted:.1f} s, with login and set-up {ended - began:.1f} s")
sys.exit(0 if good else 1)
