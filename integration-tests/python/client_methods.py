"""Calls every public method of the client as it is on PyPI, as a researcher would; order on stdin, the table of outcomes
as the last line: {"rows": [{"method", "works", "why"}], "missing": [methods that nothing here calls]}.

A terminal's answers (a token that is typed) are given by replacing input() and getpass(); nothing of the client is.
"""

import builtins
import contextlib
import getpass
import inspect
import io
import json
import os
import sys
import time
import traceback

from cybergis_compute_client import CyberGISCompute
from cybergis_compute_client.Job import Job
from cybergis_compute_client.UI import UI

order = json.load(sys.stdin)
settings = order["job"]
hub, port = order["hub"], order["port"]
token = os.environ["JUPYTERHUB_API_TOKEN"]
rows = []
ENDS = ("JOB_ENDED", "JOB_FAILED")


def client(is_jupyter=False):
    return CyberGISCompute(
        url="127.0.0.1", port=port, protocol="HTTP", suffix="v2", isJupyter=is_jupyter
    )


def logged_in(is_jupyter=False):
    compute = client(is_jupyter)
    compute.login(manualHost=hub)
    expect(compute.username is not None, "not logged in")
    return compute


def forget_login():
    CyberGISCompute.jupyterhubHost = None
    with contextlib.suppress(FileNotFoundError):
        os.remove("cybergis_compute_user.json")


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def printed(call):
    """What a call prints or displays."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        value = call()
    return value, out.getvalue()


def shows(call, *texts):
    _, out = printed(call)
    for text in texts:
        expect(text in out, f"{text!r} is not in {out!r}")


def over(job):
    limit = time.monotonic() + 90
    while not any(event["type"] in ENDS for event in job.events(raw=True)):
        expect(time.monotonic() < limit, "not over in 90 s")
        time.sleep(0.1)


def method(name):
    """Calls the function it stands before, and notes how it went."""

    def run(call):
        began = time.monotonic()
        try:
            printed(call)
            row = {"works": True, "why": ""}
        except BaseException as error:  # the client raises bare exceptions
            where = traceback.extract_tb(error.__traceback__)[-1]
            why = f"{type(error).__name__}: {error}"
            row = {"works": False, "why": why, "at": f"{os.path.basename(where.filename)}:{where.lineno}"}
        rows.append({"method": name, "seconds": round(time.monotonic() - began, 1), **row})

    return run


GIT = {"type": "git", "gitId": "hello_world"}

# ---- logging in


@method("CyberGISCompute.login")
def _():
    forget_login()
    logged_in()


@method("CyberGISCompute.login_json")
def _():
    compute = client()  # the file that the login before wrote
    compute.login()
    expect(compute.username == settings["user"], compute.username)


@method("CyberGISCompute.login_manual")
def _():
    forget_login()
    os.environ["JUPYTER_INSTANCE_URL"] = "http://" + hub
    compute = client(is_jupyter=True)
    asked, getpass.getpass = getpass.getpass, lambda prompt="": token
    try:
        compute.login_manual()
    finally:
        getpass.getpass = asked
    expect(compute.username == settings["user"], compute.username)


@method("CyberGISCompute.enable_jupyter")
def _():
    forget_login()
    client().enable_jupyter()
    expect(CyberGISCompute.jupyterhubHost == hub, CyberGISCompute.jupyterhubHost)


@method("CyberGISCompute.get_jupyterhubHost")
def _():
    forget_login()
    compute = client()
    asked, builtins.input = builtins.input, lambda prompt="": hub
    try:
        compute.get_jupyterhubHost()
    finally:
        builtins.input = asked
    expect(compute.jupyterhubHost == hub, compute.jupyterhubHost)


@method("CyberGISCompute.host_token_login")
def _():
    forget_login()
    compute = client()
    compute.jupyterhubHost = hub
    compute.host_token_login(token)
    expect(compute.username == settings["user"], compute.username)


@method("CyberGISCompute.encrypt_token")
def _():
    compute = client()
    compute.jupyterhubHost = hub
    compute.encrypt_token(token)
    expect(compute.is_login(), "no token")


@method("CyberGISCompute.set_username")
def _():
    compute = client()
    compute.jupyterhubHost = hub
    compute.encrypt_token(token)
    compute.set_username()
    expect(compute.username == settings["user"], compute.username)


@method("CyberGISCompute.save_token")
def _():
    forget_login()
    compute = client()
    compute.jupyterhubHost = hub
    compute.encrypt_token(token)
    compute.save_token()
    expect(os.path.exists("cybergis_compute_user.json"), "no file")


@method("CyberGISCompute.login_token")
def _():
    compute = client()
    compute.jupyterhubHost = hub
    compute.encrypt_token(token)
    compute.login_token()
    expect(compute.username == settings["user"], compute.username)


@method("CyberGISCompute.is_login")
def _():
    expect(logged_in().is_login() and not client().is_login(), "wrong")


compute = logged_in()

# ---- what there is


@method("CyberGISCompute.list_hpc")
def _():
    shows(compute.list_hpc, "local_hpc", "127.0.0.1")


@method("CyberGISCompute.list_container")
def _():
    shows(compute.list_container, "python")


@method("CyberGISCompute.list_git")
def _():
    shows(compute.list_git, "git://hello_world", "file://")


@method("CyberGISCompute.list_maintainer")
def _():
    shows(compute.list_maintainer, "community_contribution", "hello")


@method("CyberGISCompute.list_jupyter_host")
def _():
    shows(compute.list_jupyter_host, hub)


@method("CyberGISCompute.get_user_jupyter_globus")
def _():
    globus = compute.get_user_jupyter_globus()
    expect(set(globus) == {"endpoint", "root_path", "container_home_path"}, str(globus))


@method("CyberGISCompute.list_info")
def _():
    shows(
        lambda: compute.list_info(list_maintainer=True, list_container=True),
        "hello_world", "local_hpc", "python", "community_contribution",
    )


# ---- jobs

made = {}


@method("CyberGISCompute.create_job")
def _():
    made["job"] = compute.create_job(hpc="local_hpc")


@method("Job.set")
def _():
    made["job"].set(localExecutableFolder=GIT, param={"count": 3}, slurm={"time": "00:05:00"})


@method("Job.submit")
def _():
    expect(made["job"].submit() is made["job"], "not the job")


@method("Job.events")
def _():
    over(made["job"])
    value, out = printed(made["job"].events)
    expect(value is False, "it says that the job failed")
    expect("JOB_QUEUED" in out and "JOB_ENDED" in out, out)


@method("Job.logs")
def _():
    shows(made["job"].logs, "count=3")


@method("Job.status")
def _():
    shows(made["job"].status, made["job"].id)
    expect(made["job"].status(raw=True)["finishedAt"] is not None, "not finished")


@method("Job.result_folder_content")
def _():
    expect("/" in made["job"].result_folder_content(), "no /")


@method("Job.download_result_folder_by_globus")
def _():
    mine = compute.get_user_jupyter_globus()  # as the UI does it; remotePath is left out
    made["job"].download_result_folder_by_globus(
        localEndpoint=mine["endpoint"], localPath=os.path.join(mine["root_path"], "results")
    )


@method("Job.download_result_folder_by_globus()")
def _():
    made["job"].download_result_folder_by_globus()  # its own defaults


@method("CyberGISCompute.get_job_by_id")
def _():
    shows(lambda: compute.get_job_by_id(made["job"].id), made["job"].id)


@method("CyberGISCompute.list_job")
def _():
    shows(compute.list_job, made["job"].id)


@method("CyberGISCompute.get_slurm_usage")
def _():
    compute.get_slurm_usage()
    expect("nodes" in compute.get_slurm_usage(raw=True), "no nodes")


@method("CyberGISCompute.run_job_using_params")
def _():
    def count():
        return len(compute.list_job(raw=True)["job"])

    before = count()
    compute.run_job_using_params(input_params=[{"count": 1}, {"count": 2}], hpc="local_hpc")
    expect(count() == before + 2, "not two jobs")


@method("CyberGISCompute.cancel_job")
def _():
    job = compute.create_job(hpc="local_hpc", verbose=False)
    job.set(localExecutableFolder={"type": "git", "gitId": "slow"}, printJob=False)
    job.submit()
    compute.job = job  # as the UI does it
    compute.cancel_job()
    over(job)
    types = [event["type"] for event in job.events(raw=True)]
    expect("JOB_CANCELLED" in types and types[-1] == "JOB_FAILED", str(types))
    expect(job.events() is True, "it does not say that the job failed")


# ---- the UI; what Jupyter shows is printed here. UI.* are its helpers, in the order in which a user meets them.


@method("CyberGISCompute.create_job_by_ui")
def _():
    compute.create_job_by_ui()


ui = compute.ui


def folders():
    body = {"jupyterhubApiToken": compute.jupyterhubApiToken}
    return compute.client.request("GET", "/folder", body)["folder"]


@method("CyberGISCompute.show_ui")
def _():
    compute.show_ui(defaultJob="hello_world")


@method("UI.init")
def _():
    expect(ui.hpcName == "local_hpc" and ui.jobName == "hello_world", ui.jobName)


@method("UI.render")
def _():
    expect([ui.tab.get_title(n) for n in range(5)][0] == "Job Configuration", "no tabs")


@method("UI.renderComponents")
def _():
    expect(set(ui.param) >= {"count", "word", "text"}, str(ui.param))


@method("UI.renderAnnouncements")
def _():
    shows(ui.renderAnnouncements)


@method("UI.onJobDropdownChange")
def _():
    ui.jobTemplate["dropdown"].value = "slow"
    ui.onJobDropdownChange()({"type": "change"})
    expect(ui.jobName == "slow", ui.jobName)
    ui.jobTemplate["dropdown"].value = "hello_world"
    ui.onJobDropdownChange()({"type": "change"})
    expect(ui.jobName == "hello_world", ui.jobName)


@method("UI.onComputingResourceDropdownChange")
def _():
    ui.computingResource["dropdown"].value = "charlie_hpc"
    ui.onComputingResourceDropdownChange()({"type": "change"})
    expect(ui.hpcName == "charlie_hpc", ui.hpcName)


@method("UI.get_data")
def _():
    ui.param["count"].value = 8
    ui.param["word"].value = "bar"
    ui.param["text"].value = "it's"
    ui.slurm["time"].value = 5
    data = ui.get_data()
    expect(data["param"] == {"count": 8, "word": "bar", "text": "it's"}, str(data))
    expect(data["slurm"]["time"] == "05:00", str(data))


@method("UI.onSubmitButtonClick")
def _():
    ui.onSubmitButtonClick()(None)  # returns when the job is over


@method("UI.renderResultLogs")
def _():
    expect(ui.submitted and ui.jobFinished and not ui.jobFailure, "the job is not shown as finished")
    expect(ui.tab.get_title(2) == "✅ Download Job Result", ui.tab.get_title(2))


@method("CyberGISCompute.get_latest_created_job")
def _():
    job = compute.get_latest_created_job()
    logs = "".join(log["message"] for log in job.logs(raw=True))
    expect("count=8 word=bar text=it's" in logs, logs)


@method("UI.renderDownload")
def _():
    expect("/" in ui.download["dropdown"].options, "no folders")


@method("UI.makeNameSafe")
def _():
    expect(ui.makeNameSafe("my run_1.é/'") == "myrun_1.é", ui.makeNameSafe("my run_1.é/'"))


@method("UI.renderFolders")
def _():
    made["folders"] = folders()
    ui.folders["output"].clear_output()
    ui.renderFolders()
    newest = list(reversed(made["folders"]))[: ui.foldersPerPage]
    ids = {folder["id"] for folder in newest}
    expect(ids and set(ui.folders["button"]) == ids, str(ids))


@method("UI.onDownloadButtonClick")
def _():
    ui.onDownloadButtonClick()(None)


@method("UI.onSubmitNewButtonClick")
def _():
    ui.onSubmitNewButtonClick()(None)
    expect(not ui.submitted, "still submitted")


@method("UI.onJobEntryButtonClick")
def _():
    ui.onJobEntryButtonClick(made["job"].id)(None)


@method("UI.renderRecentlySubmittedJobs")
def _():
    expect(ui.submitted and compute.job.id == made["job"].id, "the job is not restored")
    ui.recently_submitted["output"].clear_output()
    latest = compute.list_job(raw=True)["job"][-1]["id"]
    shows(ui.renderRecentlySubmittedJobs, latest)


@method("UI.onLoadMoreClick")
def _():
    ui.onLoadMoreClick()(None)


@method("UI.onRenameJobButton")
def _():
    class Box:
        value = "renamed!"

    ui.onRenameJobButton(made["folders"][0], Box)(None)
    expect("renamed" in [folder["name"] for folder in folders()], "not renamed")


@method("UI.onFolderDownloadButtonClick")
def _():
    ui.onFolderDownloadButtonClick(made["folders"][0])(None)


@method("UI.onNextPageButton")
def _():
    ui.onNextPageButton(len(made["folders"]))(None)


@method("UI.onPrevPageButton")
def _():
    ui.onPrevPageButton()(None)


@method("UI.rerender")
def _():
    ui.rerender(["description", "slurm", "param", "uploadData"])


@method("UI.secondsToTime")
def _():
    seen = [ui.secondsToTime(seconds) for seconds in (300, 5400, 90060)]
    expect(seen == ["05:00", "01:30:00", "01-01:01:00"], str(seen))


@method("UI.unitTimeToSecond")
def _():
    expect(ui.unitTimeToSecond("Hours", 2) == 7200, "wrong")


@method("UI.renderAutoDownload")
def _():
    compute.simple = True
    ui.renderAutoDownload()


called = {row["method"].removesuffix("()") for row in rows}
# Each is part of UI.renderComponents, and of what is called above.
within = {
    f"UI.render{part}"
    for part in (
        "JobTemplate Description ComputingResource Slurm Email Naming Submit Param UploadData ResultStatus "
        "ResultCancel ResultEvents LoadMore SubmitNew"
    ).split()
}
public = {
    f"{cls.__name__}.{name}"
    for cls in (CyberGISCompute, Job, UI)
    for name, _ in inspect.getmembers(cls, inspect.isfunction)
    if not name.startswith("_")
}
sys.stdout.flush()
print()
print(json.dumps({
    "rows": rows,
    "missing": sorted(public - called - within),
    "unknown": sorted((called | within) - public),
}))
