"""The hub of the world on one machine: everybody logs in with the same password."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterHub defines it)
secret = lambda name: Path("/run/secrets", name).read_text().strip()  # noqa: E731

c.JupyterHub.bind_url = "http://0.0.0.0:8000"
c.JupyterHub.db_url = "sqlite:////srv/hub/hub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/hub/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "/srv/hub/proxy.pid"

c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = secret("hub-password")
c.Authenticator.allowed_users = {"alice", "bob", "carol"}

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "/srv/hub/home/{username}"
c.Spawner.cmd = ["/opt/venv/bin/jupyterhub-singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.args = [
    "--allow-root",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]
# what the notebooks' Python needs to trust the gateway's proxy
c.Spawner.environment = {name: os.environ[name] for name in ("SSL_CERT_FILE", "JUPYTER_INSTANCE_URL") if name in os.environ}

c.JupyterHub.services = [{"name": "tokens", "api_token": secret("hub-service-token")}]
c.JupyterHub.load_roles = [
    {"name": "tokens", "services": ["tokens"], "scopes": ["admin:users", "tokens", "list:users"]},
    {"name": "user", "scopes": ["self"]},
]
