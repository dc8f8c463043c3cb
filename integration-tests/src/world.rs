//! The services of one scenario: gateway, connector and maintainers on the
//! shared parts, with a database, a configuration and a Redis prefix of their own.

mod commands;
mod options;

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use compute_runtime::tls::Role;

use self::commands::{run, run_with};
pub use self::options::WorldOptions;

use crate::{
    Client, Parts, Template,
    account::Account,
    certificates::Certificates,
    service::{Service, binaries},
    site,
};

/// How long a maintainer can take to finish its steps when a scenario ends.
const LAST_STEP: Duration = Duration::from_secs(5);

/// Running services. Stopped when dropped.
#[derive(Debug)]
pub struct World {
    /// The parts that it runs on.
    pub parts: Parts,
    /// The gateway.
    pub gateway: Service,
    /// The connector.
    pub connector: Service,
    /// The maintainers.
    pub maintainers: Vec<Service>,
    /// The certificates of its services.
    pub certificates: Certificates,
    folder: tempfile::TempDir,
}

impl World {
    /// Starts a world with default settings and these templates.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn with<const N: usize>(templates: [Template; N]) -> anyhow::Result<Self> {
        Self::start(WorldOptions {
            templates: templates.to_vec(),
            ..WorldOptions::default()
        })
        .await
    }

    /// Starts everything and waits until the gateway shows the templates.
    ///
    /// # Errors
    /// If a part is missing or a service does not start.
    pub async fn start(options: WorldOptions) -> anyhow::Result<Self> {
        compute_runtime::tls::install_provider();
        let parts = Parts::of_this_run()?;
        let folder = tempfile::Builder::new().prefix("world").tempdir()?;
        let path = folder.path();
        site::write(&path.join("config"), path, &parts, &options)?;
        let args = vec![
            "--config".to_owned(),
            path.join("config").display().to_string(),
        ];
        let binaries = options.binaries.clone().map_or_else(binaries, Ok)?;
        run(path, &binaries, "compute-migrate", &["up"])?;
        let certificates = Certificates::of(path, options.mutual_tls)?;
        let control = (
            "CYBERGIS_CONTROL_DIRECTORY".to_owned(),
            path.display().to_string(),
        );
        let format = if options.json_logs { "json" } else { "pretty" };
        let logs = ("CYBERGIS_LOG_FORMAT".to_owned(), format.to_owned());
        let own = vec![control, logs.clone()];
        let envs = [certificates.envs(Role::Connector, None), own].concat();
        let connector = Service::start(
            path,
            "connector",
            &binaries.join("compute-connector"),
            &args,
            &envs,
        )?;
        let envs_of = |role| {
            let envs = certificates.envs(role, Some(connector.address()));
            [envs, vec![logs.clone()]].concat()
        };
        let maintainers = (1..=options.maintainers)
            .map(|n| {
                let name = format!("maintainer-{n}");
                Service::start(
                    path,
                    &name,
                    &binaries.join("compute-maintainer"),
                    &args,
                    &envs_of(Role::Maintainer),
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        for template in &options.templates {
            let address = template.write(&path.join("templates"))?;
            let add = ["template", "add", &template.id, &address];
            let mut args = [&add[..], &["--approve", "--raw-sbatch"]].concat();
            args.extend(template.is_for_mpi.then_some("--mpi"));
            run(path, &binaries, "cybergis-compute", &args)?;
        }
        let envs = envs_of(Role::Gateway);
        let gateway = Service::start(
            path,
            "gateway",
            &binaries.join("compute-gateway"),
            &args,
            &envs,
        )?;
        let world = Self {
            parts,
            gateway,
            connector,
            maintainers,
            certificates,
            folder,
        };
        world.wait_for_templates(&options.templates).await?;
        Ok(world)
    }

    async fn wait_for_templates(&self, templates: &[Template]) -> anyhow::Result<()> {
        let client = self.client("alice")?;
        crate::eventually(
            "templates in GET /git",
            Duration::from_secs(120),
            async || {
                let git = client.get("/git").await?.body;
                let shown = |template: &Template| {
                    git.get("git")
                        .and_then(|git| git.get(&template.id))
                        .is_some()
                };
                Ok(templates.iter().all(shown).then_some(()))
            },
        )
        .await
    }

    /// The name of this deployment in the comments of its Slurm jobs.
    pub fn deployment(&self) -> String {
        site::deployment(self.folder())
    }

    /// The world's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A REST client that is logged in as `user` of the hub.
    ///
    /// # Errors
    /// If the hub has no such user.
    pub fn client(&self, user: &str) -> anyhow::Result<Client> {
        let host = self.parts.text("hub", "host")?;
        let token = self.parts.hub_token(user)?;
        Ok(Client::new(
            &format!("http://{}", self.gateway.address()),
            &host,
            &token,
        ))
    }

    /// The community account on the login node.
    ///
    /// # Errors
    /// If the HPC is not running.
    pub fn account(&self) -> anyhow::Result<Account> {
        Account::of(&self.parts)
    }

    /// Runs the operator's command in this world.
    ///
    /// # Errors
    /// If it cannot be started or fails.
    pub fn operator(&self, args: &[&str]) -> anyhow::Result<Output> {
        let connector = Some(self.connector.address());
        let envs = self.certificates.envs(Role::Operator, connector);
        run_with(
            self.folder(),
            &binaries()?.join("cybergis-compute"),
            args,
            &envs,
        )
    }

    /// Replaces all services by those in the folder `binaries`, in the order of a
    /// deployment: schema, connector, maintainers, gateway.
    ///
    /// # Errors
    /// If one does not stop or start.
    pub fn upgrade(&mut self, binaries: &Path) -> anyhow::Result<()> {
        run(self.folder.path(), binaries, "compute-migrate", &["up"])?;
        self.connector.replace(binaries)?;
        for maintainer in &mut self.maintainers {
            maintainer.replace(binaries)?;
        }
        self.gateway.replace(binaries)
    }

    /// The operator's command in this world, not started yet.
    ///
    /// # Errors
    /// If the binaries do not exist.
    pub fn command(&self, args: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(binaries()?.join("cybergis-compute"));
        command
            .arg("--config")
            .arg(self.folder().join("config"))
            .args(args);
        Ok(command)
    }

    /// The last lines of all logs, for the message of a failed scenario.
    pub fn logs(&self) -> String {
        let services = self
            .maintainers
            .iter()
            .chain([&self.gateway, &self.connector]);
        let tail = |service: &Service| {
            let log = service.log();
            let lines: Vec<_> = log.lines().collect();
            let from = lines.len().saturating_sub(40);
            lines.get(from..).unwrap_or_default().join("\n")
        };
        services.map(tail).collect::<Vec<_>>().join("\n-----\n")
    }
}

impl Drop for World {
    #[expect(
        clippy::print_stderr,
        reason = "a scenario that fails shows what its services logged"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
            let queue = self.account().and_then(|of| of.slurm("squeue", &[]));
            eprintln!("{}", queue.unwrap_or_else(|error| error.to_string()));
        }
        // Jobs that still run would take the places of other scenarios' jobs. Maintainers
        // finish their current steps first, so that nothing is submitted afterwards.
        let maintainers = self.maintainers.iter_mut();
        let stopped: Vec<_> = maintainers.map(|one| one.stop_within(LAST_STEP)).collect();
        let stopped: anyhow::Result<()> = stopped.into_iter().collect();
        let ended = self
            .account()
            .and_then(|account| account.end_jobs_of(&self.deployment()));
        if let Err(error) = stopped.and(ended) {
            eprintln!("jobs of this scenario may still run: {error}");
        }
    }
}
