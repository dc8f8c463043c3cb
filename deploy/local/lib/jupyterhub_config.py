"""Configuration of the hub that deploy/local/hub starts; its values come from the file settings.json in its folder."""

import json
import os

with open("settings.json", encoding="utf-8") as file:
    settings = json.load(file)

c = get_config()  # noqa: F821 (JupyterHub defines it)
here = os.getcwd()
venv = settings["venv"]
local = "http://127.0.0.1:{}".format

c.JupyterHub.bind_url = local(settings["port"])
c.JupyterHub.hub_bind_url = local(settings["hub_port"])
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{here}/cookie_secret"
c.ConfigurableHTTPProxy.api_url = local(settings["proxy_port"])
c.ConfigurableHTTPProxy.command = [settings["proxy"]]
c.ConfigurableHTTPProxy.pid_file = f"{here}/proxy.pid"
c.ConfigurableHTTPProxy.auth_token = settings["proxy_token"]

c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = settings["password"]
c.Authenticator.allowed_users = set(settings["users"])

# every notebook server runs as the hub's own account: the users have no accounts on this machine
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{here}/home/{{username}}"
c.Spawner.cmd = [f"{venv}/bin/jupyterhub-singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.args = [
    "--allow-root",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

# the service of the tests, and services of a site; one has the name of a user
c.JupyterHub.services = [{"name": "tests", "api_token": settings["service_token"]}] + [
    {"name": name, "api_token": token} for name, token in settings["service_tokens"].items()
]
c.JupyterHub.load_roles = [
    {
        "name": "tests",
        "services": ["tests"],
        "scopes": ["admin:users", "admin:servers", "tokens", "list:users"],
    },
    {"name": "user", "scopes": ["self"]},
]
