# Sourced by deploy/local/world: writes the operator's configuration for the parts of one world, and template repositories.
# shellcheck shell=bash

# write_site FOLDER PARTS: the configuration folder of a world whose parts are in PARTS/{redis,hpc,hub}
write_site() {
  local to=$1 parts=$2
  (umask 077 && mkdir -p "$to" && jq -r .password "$parts/redis/facts.json" >"$to/redis-password")
  jq --arg parts "$parts" '{server_ip: "127.0.0.1", server_port: 0,
    redis: {host, port, password_file: "redis-password"},
    database: {url: "sqlite://\($parts)/compute.sqlite?mode=rwc"},
    local_file_system: {cache_path: "\($parts)/cache", limit_in_mb: 100},
    template_local_roots: ["\($parts)/templates"], template_refresh_seconds: 5,
    lease_seconds: 6, sweep_seconds: 2}' "$parts/redis/facts.json" >"$to/config.json"
  jq 'def cluster: {ip, port, is_community_account: true,
    community_login: {user, use_local_key: false, external_key: {private_key_path, passphrase: null}},
    root_path, job_pool_capacity: 10, description: "a private Slurm cluster on this machine",
    globus: {identity: null, endpoint: null, root_path: "/"}, known_hosts, container_runtime: "apptainer",
    poll_interval_seconds: 1, init_sbatch_script: [], init_sbatch_options: [],
    slurm_global_cap: {num_of_task: 8, time: "02:00:00", memory: "8G"}};
    {local_hpc: cluster, private_hpc: (cluster + {is_community_account: false, root_path: .private_root_path,
      description: "the same cluster, with accounts of your own"} | del(.community_login))}' "$parts/hpc/facts.json" >"$to/hpc.json"
  jq '{python: {dockerfile: "", dockerhub: "", hpc_path: {local_hpc: .image_sif, private_hpc: .image_sif}, mount: {}}}' "$parts/hpc/facts.json" >"$to/container.json"
  jq -n '{community_contribution: {hpc: ["local_hpc", "private_hpc"], default_hpc: "local_hpc", job_pool_capacity: 10,
      executable_folder: {from_user: true, allowed_protocol: "git"}, maintainer: "CommunityContributionMaintainer"},
    hello_world_singularity: {hpc: ["local_hpc", "private_hpc"], default_hpc: "local_hpc", job_pool_capacity: 10,
      maintainer: "HelloWorldSingularityMaintainer"}}' >"$to/maintainer.json"
  jq '{(.host): {comment: "the hub of this machine", scheme: "http", endpoint: "00000000-0000-0000-0000-000000000000",
    root_path: "/~/", container_home_path: "/home/jovyan/work/"}}' "$parts/hub/facts.json" >"$to/jupyter-globus-map.json"
}

# make_repository FROM TO: commits the files of FROM to a new git repository TO and prints its address
make_repository() {
  rm -rf "$2" && mkdir -p "$2"
  cp -R "$1/." "$2"
  {
    git -C "$2" -c init.defaultBranch=main init --quiet
    git -C "$2" add --all
    git -C "$2" -c user.name=demo -c user.email=demo@localhost commit --quiet -m "a template"
  } >&2
  echo "file://$2"
}
