"""Steps: what an attacker finds in a compromised container, and what the proxy shows without a token."""

import json

from deployment import Failure

# account and secrets of each container; the world's maintainers have one secret's name in common with the gateways
CONTAINERS = {
    "proxy": (101, {"proxy.crt", "proxy.key"}),
    "gateway": (10001, {"database-url", "redis-password", "seal-key"}),
    "maintainer-hpca": (10001, {"database-url", "redis-password", "seal-key"}),
    "connector": (10001, {"credential-key", "ssh-key"}),
    "postgres": (999, {"postgres-password"}),
    "redis": (999, {"redis-password", "redis-auth.conf"}),
    # root without any capability
    "backup": (0, {"backup-database-url"}),
    "prometheus": (65534, set()),
}
NOTHING = "0000000000000000"

SERVICES = ("compute_gateway", "compute_maintainer", "compute_operator")
ROLES = ("compute_migrate", *SERVICES, "compute_backup")

INSIDE = ("metrics", "readyz", "livez")
SPELLINGS = ("/{}", "/{}/", "//{}", "/v2/{}", "/V2//{}/", "/./{}", "/hpc/../{}", "/%2e/{}", "/v2/v2/{}", "/{}?x", "/{}%00", "/{};x")


def containers_have_no_rights_and_only_their_secrets(world):
    for service, (account, secrets) in CONTAINERS.items():
        seen = world.execute(service, "sh", "-c", "cat /proc/1/status; ls /run/secrets | sed 's/^/secret=/'; touch /usr/bin/x", check=False)
        lines = seen.stdout.splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        has = {key: status[key] for key in ("CapEff", "CapPrm", "CapInh", "CapBnd", "NoNewPrivs")}
        users = set(status["Uid"].split())
        if users != {str(account)} or set(has.values()) != {NOTHING, "1"} or has["NoNewPrivs"] != "1":
            raise Failure(f"{service} runs as {users} with {has}")
        if "Read-only file system" not in seen.stderr + seen.stdout:
            raise Failure(f"{service} writes to its image: {seen}")
        found = {line.removeprefix("secret=") for line in lines if line.startswith("secret=")}
        if found != secrets:
            raise Failure(f"{service} has the secrets {found}")
    status = world.execute("hub", "cat", "/proc/1/status")
    if f"CapEff:\t{NOTHING}" not in status:
        raise Failure(f"hub: {status}")
    return f"{len(CONTAINERS)} containers"


def the_database_gives_each_service_its_own(world):
    roles = world.sql("SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication FROM pg_roles WHERE rolname LIKE 'compute#_%' ESCAPE '#'")
    if dict(roles) != dict.fromkeys(ROLES, "f"):
        raise Failure(f"roles {roles}")
    owners = world.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    connected = {row[0] for row in world.sql("SELECT DISTINCT usename FROM pg_stat_activity WHERE client_addr IS NOT NULL")}
    if owners != [["compute_migrate"]] or not {"compute_gateway", "compute_maintainer"} <= connected <= set(ROLES):
        raise Failure(f"owners {owners}, connected {connected}")
    forbidden = {
        "CREATE TABLE x (y int)": (*SERVICES, "compute_backup"),
        "ALTER TABLE jobs ADD x int": (*SERVICES, "compute_backup"),
        "DROP TABLE jobs": (*SERVICES, "compute_backup"),
        "COPY (SELECT 1) TO PROGRAM 'id'": ROLES,
        "CREATE ROLE x": ROLES,
        "SELECT rolpassword FROM pg_authid": ROLES,
        "SET SESSION AUTHORIZATION compute": ROLES,
        "DELETE FROM jobs WHERE id = 'x'": ("compute_backup",),
    }
    tried = 0
    for role in ROLES:
        statements = [statement for statement, refused in forbidden.items() if role in refused]
        # psql goes on after an error, and says each
        done = world.execute("postgres", "psql", "-U", role, "-d", "compute", stdin=";\n".join([*statements, ""]), check=False)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR:" in line]
        if len(errors) != len(statements) or not all("permission denied" in error or "must be" in error for error in errors):
            raise Failure(f"{role}: {statements}: {done}")
        tried += len(statements)
    return f"{tried} statements refused; connected {', '.join(sorted(connected))}"


# from stdin: how to speak, and a path; to stdout: a line of status, path and body for each
CURL = """while read -r version path; do
  body=$(curl -sS -k -m 20 --path-as-is -w ' %{http_code}' "$version" "https://proxy$path") || exit 1
  printf '%s %s %s\\n' "${body##* }" "$path" "$(tr -d '\\n' <<<"${body% *}")"
done"""


def no_spelling_opens_what_is_inside(world):
    asked = []
    for word in INSIDE:
        first, *rest = (f"%{ord(letter):x}" for letter in word)
        for spelled in (word, word.upper(), word.title(), first + word[1:], first + "".join(rest)):
            asked += [f"{version} {spelling.format(spelled)}" for spelling in SPELLINGS for version in ("--http1.1", "--http2")]
    lines = world.execute("hub", "bash", "-c", CURL, stdin="".join(f"{one}\n" for one in asked)).splitlines()
    if len(lines) != len(asked):
        raise Failure(f"{len(asked)} requests, {len(lines)} answers")
    for line in lines:
        status, _, body = line.split(" ", 2)
        if int(status) < 400 or any(sign in body for sign in ("cybergis_", '"ready"', '"live"')) or "error" not in json.loads(body):
            raise Failure(line[:500])
    large = ["curl", "-sS", "-k", "-m", "20", "-X", "POST", "--data-binary", "@-", "https://proxy/v2/job"]
    answer = world.execute("hub", *large, stdin="x" * (2 << 20))
    if "error" not in json.loads(answer):
        raise Failure(f"a body of 2 MiB: {answer[:300]}")
    return f"{len(lines)} requests"
