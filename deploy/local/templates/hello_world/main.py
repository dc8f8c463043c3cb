import json
import os

with open(os.path.join(os.environ["executable_folder"], "job.json")) as file:
    job = json.load(file)

task = os.environ.get("SLURM_PROCID", "0")
a, b = os.environ["param_input_a"], os.environ["param_input_b"]
print(f"task {task}: job {job['job_id']} has input_a={a} input_b={b}", flush=True)

folder = os.path.join(os.environ["result_folder"], f"task_{task}")
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "hello.txt"), "w") as file:
    file.write(f"hello from task {task}: {a} {b}\n")
