"""Drives a Globus service with Globus' own library, and says what it saw as JSON.

The services' addresses come from GLOBUS_SDK_SERVICE_URL_AUTH and GLOBUS_SDK_SERVICE_URL_TRANSFER.
"""

import json
import re
import sys
import urllib.request

import globus_sdk

client_id, source, destination = sys.argv[1:]
saw = {}
app = globus_sdk.NativeAppAuthClient(client_id)
app.oauth2_start_flow(requested_scopes=globus_sdk.TransferClient.scopes.all, refresh_tokens=True)
page = urllib.request.urlopen(app.oauth2_get_authorize_url()).read().decode()
tokens = app.oauth2_exchange_code_for_tokens(re.search("<code>(.*)</code>", page)[1])
refresh = tokens.by_resource_server["transfer.api.globus.org"]["refresh_token"]

transfer = globus_sdk.TransferClient(authorizer=globus_sdk.RefreshTokenAuthorizer(refresh, app))
submission = transfer.get_submission_id()["value"]


def document(path, submission_id=None, from_endpoint=source):
    data = globus_sdk.TransferData(
        source_endpoint=from_endpoint, destination_endpoint=destination, label="checked by the library", sync_level="checksum",
        verify_checksum=True, submission_id=submission_id or transfer.get_submission_id()["value"])
    data.add_item(path, "/there", recursive=True)
    return data


first = transfer.submit_transfer(document("/set", submission))
second = transfer.submit_transfer(document("/set", submission))
saw["codes"] = [first["code"], second["code"]]
saw["one_task"] = first["task_id"] == second["task_id"]
saw["ended"] = transfer.task_wait(first["task_id"], timeout=20, polling_interval=1)
task = transfer.get_task(first["task_id"])
saw["task"] = [task["status"], task["label"], task["files"]]
saw["cancel_of_ended"] = transfer.cancel_task(first["task_id"])["code"]

failed = transfer.submit_transfer(document("/nothing"))["task_id"]
transfer.task_wait(failed, timeout=20, polling_interval=1)
saw["failed"] = transfer.get_task(failed)["status"]
for name, call in (
    ("no_task", lambda: transfer.get_task("00000000-0000-0000-0000-000000000000")),
    ("no_endpoint", lambda: transfer.submit_transfer(document("/set", from_endpoint="none"))),
):
    try:
        call()
    except globus_sdk.TransferAPIError as error:
        saw[name] = [error.http_status, error.code]
try:
    app.oauth2_refresh_token("no such token")
except globus_sdk.AuthAPIError as error:
    saw["bad_refresh"] = error.http_status
print(json.dumps(saw))
