//! The deployment that faults strike: six services, each with links of its own to its peers.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use compute_domain::{Clock as _, SystemClock};
use serde_json::json;

use super::{
    faults::{Fault, Part, Peer, Process},
    link::{Link, Mode},
    own_parts::OwnParts,
};
use crate::{
    Client, Template, WorldOptions,
    parts::Parts,
    service::{Service, binaries},
    site,
};

/// Settings that make leases and polls short.
const LEASE_SECONDS: u32 = 2;

/// A running deployment.
#[derive(Debug)]
pub struct ChaosWorld {
    // Before the parts: services stop first.
    services: BTreeMap<Process, Mutex<Service>>,
    links: BTreeMap<(Process, Peer), Link>,
    parts: OwnParts,
    log: Mutex<File>,
}

impl ChaosWorld {
    /// Starts everything in `folder`, and waits until the gateways show the templates.
    ///
    /// # Errors
    /// If a part or a service does not start.
    pub async fn start(folder: &Path, templates: &[Template]) -> anyhow::Result<Arc<Self>> {
        compute_runtime::tls::install_provider();
        let parts = OwnParts::up(&folder.join("parts"))?;
        let facts = parts.facts();
        let mut links = BTreeMap::new();
        let mut services = BTreeMap::new();
        let direct = configure(folder, "operator", &facts, &BTreeMap::new())?;
        operator(&direct, "compute-migrate", &["up"])?;
        for template in templates {
            let address = template.write(&folder.join("templates"))?;
            let add = ["template", "add", &template.id, &address];
            let args = [&add[..], &["--approve", "--raw-sbatch"]].concat();
            operator(&direct, "cybergis-compute", &args)?;
        }
        let mut connector = None;
        let order = [
            Process::Connector,
            Process::Maintainer(1),
            Process::Maintainer(2),
            Process::Maintainer(3),
            Process::Gateway(1),
            Process::Gateway(2),
        ];
        for process in order {
            let mut own = BTreeMap::new();
            for &peer in process.peers() {
                let to = match peer {
                    Peer::Clients => continue,
                    Peer::Database => port_of(&facts, "postgres")?,
                    Peer::Redis => port_of(&facts, "redis")?,
                    Peer::Hpc => port_of(&facts, "hpc")?,
                    Peer::Connector => connector.clone().context("the connector is first")?,
                };
                own.insert(peer, Link::to(to).await?);
            }
            let ports = own
                .iter()
                .map(|(peer, link)| (*peer, link.address().port()));
            let config = configure(folder, &process.to_string(), &facts, &ports.collect())?;
            let service = start(folder, process, &config, own.get(&Peer::Connector))?;
            if process == Process::Connector {
                connector = Some(service.address().to_owned());
            }
            if process.peers().contains(&Peer::Clients) {
                own.insert(Peer::Clients, Link::to(service.address().to_owned()).await?);
            }
            links.extend(own.into_iter().map(|(peer, link)| ((process, peer), link)));
            services.insert(process, Mutex::new(service));
        }
        let world = Self {
            services,
            links,
            parts,
            log: Mutex::new(File::create(folder.join("log/chaos.log"))?),
        };
        world.wait_for_templates(templates).await?;
        Ok(Arc::new(world))
    }

    async fn wait_for_templates(&self, templates: &[Template]) -> anyhow::Result<()> {
        for client in self.clients("alice")? {
            let limit = std::time::Duration::from_secs(120);
            crate::eventually("templates in GET /git", limit, async || {
                let git = client.get("/git").await?.body;
                let is_shown = |template: &Template| {
                    git.get("git")
                        .is_some_and(|all| all.get(&template.id).is_some())
                };
                Ok(templates.iter().all(is_shown).then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// A client of each gateway, logged in as `user`.
    ///
    /// # Errors
    /// If the hub has no such user.
    pub fn clients(&self, user: &str) -> anyhow::Result<Vec<Client>> {
        let facts = self.parts.facts();
        let (host, token) = (facts.text("hub", "host")?, facts.hub_token(user)?);
        let doors = self
            .links
            .iter()
            .filter(|((_, peer), _)| *peer == Peer::Clients);
        Ok(doors
            .map(|(_, link)| Client::new(&format!("http://{}", link.address()), &host, &token))
            .collect())
    }

    /// Writes a line into the log of the run.
    pub fn note(&self, text: &str) {
        let now = SystemClock.now().to_iso();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        // The log only explains a failure.
        let _ = writeln!(log, "{now} {text}");
    }

    /// The parts.
    pub fn parts(&self) -> &OwnParts {
        &self.parts
    }

    /// The number of COMMITs whose answers were lost.
    pub fn lost_commits(&self) -> usize {
        self.links.values().map(Link::lost_commits).sum()
    }

    /// Begins a fault. Blocks while a process ends. False if the process is not running, or is just being
    /// started or stopped: then there is nothing to end.
    ///
    /// # Errors
    /// If it cannot be brought about.
    pub fn begin(&self, fault: Fault) -> anyhow::Result<bool> {
        match fault {
            Fault::Kill(process) => return self.if_running(process, Service::kill),
            Fault::Restart(process) => {
                return self.if_running(process, |service| {
                    let limit = std::time::Duration::from_secs(5);
                    // As a container engine does.
                    service.stop_within(limit).or_else(|_| service.kill())
                });
            }
            Fault::Freeze(process) => {
                return self.if_running(process, |service| signal(service, "STOP"));
            }
            Fault::Cut(process, peer) => self.link(process, peer, Mode::Cut),
            Fault::Stall(process, peer) => self.link(process, peer, Mode::Stall),
            Fault::LoseCommits(process) => self.link(process, Peer::Database, Mode::LoseCommits),
            Fault::Stop(part) => self.parts.stop(part),
        }?;
        Ok(true)
    }

    /// Ends a fault. Blocks while a process starts.
    ///
    /// # Errors
    /// If a process does not start.
    pub fn end(&self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(process) | Fault::Restart(process) => self.with(process, start_again),
            // Another fault may have killed it meanwhile.
            Fault::Freeze(process) => self.with(process, |service| match service.has_exited()? {
                true => Ok(()),
                false => signal(service, "CONT"),
            }),
            Fault::Cut(process, peer) | Fault::Stall(process, peer) => {
                self.link(process, peer, Mode::Pass)
            }
            Fault::LoseCommits(process) => self.link(process, Peer::Database, Mode::Pass),
            Fault::Stop(Part::SshSessions) => Ok(()),
            Fault::Stop(part) => self.parts.start(part),
        }
    }

    /// Starts services that have exited by themselves, as a container engine does. Returns their
    /// number.
    ///
    /// # Errors
    /// If one does not start.
    pub fn start_exited(&self) -> anyhow::Result<usize> {
        let mut exited = 0;
        for service in self.services.values() {
            let mut service = service.lock().unwrap_or_else(PoisonError::into_inner);
            if service.has_exited()? {
                exited += 1;
                start_again(&mut service)?;
            }
        }
        Ok(exited)
    }

    fn with(
        &self,
        process: Process,
        work: impl FnOnce(&mut Service) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let service = self.services.get(&process).context("no such service")?;
        work(&mut service.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn if_running(
        &self,
        process: Process,
        work: impl FnOnce(&mut Service) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let service = self.services.get(&process).context("no such service")?;
        let Ok(mut service) = service.try_lock() else {
            return Ok(false);
        };
        if service.has_exited()? {
            return Ok(false);
        }
        work(&mut service)?;
        Ok(true)
    }

    fn link(&self, process: Process, peer: Peer, mode: Mode) -> anyhow::Result<()> {
        let link = self.links.get(&(process, peer)).context("no such link")?;
        link.set(mode);
        Ok(())
    }
}

/// Starts a service that does not run. It can fail to start while the parts that it needs are away.
fn start_again(service: &mut Service) -> anyhow::Result<()> {
    if !service.has_exited()? {
        return Ok(());
    }
    let began = std::time::Instant::now();
    loop {
        match service.restart() {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() > std::time::Duration::from_secs(60) => {
                return Err(error);
            }
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(200)),
        }
    }
}

fn signal(service: &mut Service, name: &str) -> anyhow::Result<()> {
    let pid = service.pid().to_string();
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid])
        .status()?;
    anyhow::ensure!(status.success(), "kill -{name} {pid}");
    Ok(())
}

fn port_of(facts: &Parts, part: &str) -> anyhow::Result<String> {
    Ok(format!("127.0.0.1:{}", facts.fact(part, "port")?))
}

/// Writes the configuration of one service, which reaches its peers at those ports.
fn configure(
    folder: &Path,
    name: &str,
    facts: &Parts,
    ports: &BTreeMap<Peer, u16>,
) -> anyhow::Result<std::path::PathBuf> {
    let own = |peer: Peer, part: &str| match ports.get(&peer) {
        Some(port) => Ok(json!(port)),
        None => facts.fact(part, "port"),
    };
    let postgres = |key: &str| facts.text("postgres", key);
    let (user, password) = (postgres("user")?, postgres("password")?);
    let (database, ssh) = (own(Peer::Database, "postgres")?, own(Peer::Hpc, "hpc")?);
    let config = folder.join("config").join(name);
    std::fs::create_dir_all(&config)?;
    let known_hosts = config.join("known_hosts");
    let host_key = facts.text("hpc", "host_key")?;
    std::fs::write(&known_hosts, format!("[127.0.0.1]:{ssh} {host_key}\n"))?;
    let options = WorldOptions {
        lease_seconds: LEASE_SECONDS,
        capacity: 20,
        config: json!({
            "redis": {"host": "127.0.0.1", "port": own(Peer::Redis, "redis")?,
                "password": facts.fact("redis", "password")?, "prefix": "chaos"},
            "database": {"url": format!("postgres://{user}:{password}@127.0.0.1:{database}/cybergis")},
        }),
        hpc: json!({"port": ssh, "known_hosts": known_hosts}),
        ..WorldOptions::default()
    };
    site::write(&config, folder, facts, &options)?;
    Ok(config)
}

fn start(
    folder: &Path,
    process: Process,
    config: &Path,
    connector: Option<&Link>,
) -> anyhow::Result<Service> {
    let binary = match process {
        Process::Gateway(_) => "compute-gateway",
        Process::Maintainer(_) => "compute-maintainer",
        Process::Connector => "compute-connector",
    };
    let mut envs = Vec::new();
    let mut set = |key: &str, value: String| envs.push((key.to_owned(), value));
    if let Some(link) = connector {
        let address = format!("http://{}", link.address());
        set("CYBERGIS__CONNECTOR_ADDRESS", address);
    }
    set("CYBERGIS_CONTROL_DIRECTORY", folder.display().to_string());
    let args = ["--config".to_owned(), config.display().to_string()];
    Service::start(
        folder,
        &process.to_string(),
        &binaries()?.join(binary),
        &args,
        &envs,
    )
}

fn operator(config: &Path, binary: &str, args: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(binaries()?.join(binary))
        .arg("--config")
        .arg(config)
        .args(args)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{binary} {args:?}: {said}");
    Ok(())
}
