//! `config.json`: the server's own settings.

use std::{fs, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Place, reader::Reader};

/// Where the SQL database is.
#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite://`, `postgres://` or `mysql://`, with its password.
    pub url: SecretString,
}

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct Redis {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Password, if it wants one.
    pub password: Option<SecretString>,
    /// Put before every key, so that deployments may share a Redis.
    pub prefix: String,
}

/// How Globus is reached.
#[derive(Debug, Clone)]
pub struct GlobusService {
    /// Client id of this deployment; without it there are no transfers.
    pub client_id: Option<String>,
    /// Base of the Auth service.
    pub auth_url: String,
    /// Base of the Transfer API, with its version.
    pub transfer_url: String,
    /// How often a transfer that a job waits for is looked at.
    pub poll: Duration,
}

/// What one user may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute, of each gateway.
    pub requests_per_minute: u32,
    /// Jobs that are submitted and not over; also jobs made in a day and not
    /// submitted.
    pub open_jobs: u64,
}

/// Settings of the services themselves.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address that the gateway listens on.
    pub listen: (String, u16),
    /// The SQL database.
    pub database: Database,
    /// Redis.
    pub redis: Redis,
    /// Folder for the mirrors of templates.
    pub cache_path: PathBuf,
    /// Largest upload, MiB.
    pub upload_limit_mb: u64,
    /// The Globus services.
    pub globus: GlobusService,
    /// Key that seals Globus refresh tokens; made at the first use.
    pub seal_key_file: PathBuf,
    /// Key that seals passwords of private accounts; the connector's alone.
    pub credential_key_file: PathBuf,
    /// How long a sealed password is kept after the last sign of life of its job.
    pub credential_time: Duration,
    /// Connector of the HPCs that name none.
    pub connector_address: String,
    /// Folders from which `file://` templates may come.
    pub template_local_roots: Vec<PathBuf>,
    /// Largest template, MiB.
    pub template_size_limit_mb: u64,
    /// How often templates are fetched.
    pub template_refresh: Duration,
    /// How long a maintainer that died keeps its jobs.
    pub lease: Duration,
    /// How often abandoned jobs are looked for.
    pub sweep: Duration,
    /// How this deployment marks its Slurm jobs: letters, digits, `_` and `-`.
    pub deployment: String,
    /// What one user may ask for.
    pub limits: Limits,
    /// Whether jobs may be made with tokens of their own (deprecated).
    pub job_tokens: bool,
    /// Folders on the services' machines below which data may be taken for jobs.
    pub local_data_roots: Vec<PathBuf>,
    /// How long a folder is kept at least before its owner's `PUT /clean` removes it.
    pub folder_retention: Duration,
    /// Kept from the older server.
    pub is_testing: bool,
}

const DAY: Duration = Duration::from_hours(24);
const PORT: std::ops::RangeInclusive<u64> = 0..=65535;

pub(super) fn read(r: &mut Reader<'_>, place: &Place<'_>) -> Option<Server> {
    r.ignore(&["local_key", "queue_consume_time_period_in_seconds"]);
    let database = database(r, place);
    let redis = r.inside("redis", |r| redis(r, place));
    let (cache_path, upload_limit_mb) = r.inside("local_file_system", |r| {
        r.ignore(&["root_path"]);
        let cache = r.text("cache_path").unwrap_or_else(|| "cache".to_owned());
        (
            place.path(&cache),
            r.number("limit_in_mb", 1..=1_000_000).unwrap_or(100),
        )
    });
    let seconds = |r: &mut Reader<'_>, key: &str, default: u64| {
        Duration::from_secs(r.number(key, 1..=86_400).unwrap_or(default))
    };
    let listen = (
        r.text("server_ip")
            .unwrap_or_else(|| "127.0.0.1".to_owned()),
        port(r.number("server_port", PORT), 3030),
    );
    let server = Server {
        listen,
        database: database?,
        redis: redis?,
        cache_path,
        upload_limit_mb,
        globus: globus(r),
        seal_key_file: key_file(r, place, "seal_key_file", "seal.key"),
        credential_key_file: key_file(r, place, "credential_key_file", "credential.key"),
        credential_time: Duration::from_secs(
            3600 * r.number("credential_hours", 1..=24 * 366).unwrap_or(72),
        ),
        connector_address: r
            .text("connector_address")
            .unwrap_or_else(|| "http://127.0.0.1:7100".to_owned()),
        template_local_roots: r
            .texts("template_local_roots")
            .iter()
            .map(|root| place.path(root))
            .collect(),
        template_size_limit_mb: r
            .number("template_size_limit_mb", 1..=100_000)
            .unwrap_or(500),
        template_refresh: seconds(r, "template_refresh_seconds", 60),
        lease: seconds(r, "lease_seconds", 30),
        sweep: seconds(r, "sweep_seconds", 10),
        deployment: deployment(r),
        limits: r.inside("limits", limits),
        job_tokens: r.flag("job_tokens").unwrap_or(true),
        local_data_roots: r
            .texts("local_data_roots")
            .iter()
            .map(|root| place.path(root))
            .collect(),
        folder_retention: DAY * days(r, "folder_retention_days", 30),
        is_testing: r.flag("is_testing").unwrap_or(false),
    };
    r.warn_of_unknown_keys();
    Some(server)
}

fn limits(r: &mut Reader<'_>) -> Limits {
    let requests = r.number("requests_per_minute", 1..=10_000_000);
    Limits {
        requests_per_minute: requests
            .and_then(|requests| u32::try_from(requests).ok())
            .unwrap_or(6000),
        open_jobs: r.number("open_jobs", 1..=1_000_000).unwrap_or(1000),
    }
}

fn days(r: &mut Reader<'_>, key: &str, default: u32) -> u32 {
    r.number(key, 0..=36_500)
        .and_then(|days| u32::try_from(days).ok())
        .unwrap_or(default)
}

fn globus(r: &mut Reader<'_>) -> GlobusService {
    let client_id = r.text("globus_client_id").filter(|id| !id.is_empty());
    let (auth_url, transfer_url, poll) = r.inside("globus", |r| {
        let poll = r.number("poll_seconds", 1..=3600);
        (url(r, "auth_url"), url(r, "transfer_url"), poll)
    });
    GlobusService {
        client_id,
        auth_url: auth_url.unwrap_or_else(|| "https://auth.globus.org".to_owned()),
        transfer_url: transfer_url
            .unwrap_or_else(|| "https://transfer.api.globus.org/v0.10".to_owned()),
        poll: Duration::from_secs(poll.unwrap_or(10)),
    }
}

fn url(r: &mut Reader<'_>, key: &str) -> Option<String> {
    let url = r.text(key)?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        r.wrong(key, "must begin with https:// or http://");
    }
    Some(url.trim_end_matches('/').to_owned())
}

fn key_file(r: &mut Reader<'_>, place: &Place<'_>, key: &str, default: &str) -> PathBuf {
    place.path(&r.text(key).unwrap_or_else(|| default.to_owned()))
}

fn port(number: Option<u64>, default: u16) -> u16 {
    number
        .and_then(|number| u16::try_from(number).ok())
        .unwrap_or(default)
}

fn deployment(r: &mut Reader<'_>) -> String {
    let name = r
        .text("deployment")
        .unwrap_or_else(|| "cybergis-compute".to_owned());
    let good = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || !name.chars().all(good) {
        r.wrong("deployment", "must be made of letters, digits, _ and -");
    }
    name
}

fn redis(r: &mut Reader<'_>, place: &Place<'_>) -> Option<Redis> {
    r.ignore(&["username"]);
    Some(Redis {
        host: r.text("host").unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: port(r.number("port", 1..=65535), 6379),
        password: password(r, place),
        prefix: r.text("prefix").unwrap_or_default(),
    })
}

/// `password`, or the content of the file that `password_file` names.
fn password(r: &mut Reader<'_>, place: &Place<'_>) -> Option<SecretString> {
    let given = r.secret("password");
    let Some(file) = r.text("password_file") else {
        return given;
    };
    match fs::read_to_string(place.path(&file)) {
        Ok(secret) => Some(SecretString::from(secret.trim_end().to_owned())),
        Err(error) => {
            r.wrong("password_file", &format!("cannot be read: {error}"));
            None
        }
    }
}

/// `database.url`, else what the older `mysql` section says, else a file beside
/// the configuration.
fn database(r: &mut Reader<'_>, place: &Place<'_>) -> Option<Database> {
    let url = r.inside("database", |r| {
        let from_file = r.text("url_file").and_then(|file| {
            fs::read_to_string(place.path(&file))
                .map_err(|error| r.wrong("url_file", &format!("cannot be read: {error}")))
                .ok()
        });
        let url = from_file
            .map(|url| url.trim_end().to_owned())
            .or_else(|| Some(r.secret("url")?.expose_secret().to_owned()));
        let known = ["sqlite:", "postgres:", "postgresql:", "mysql:", "mariadb:"];
        if url
            .as_deref()
            .is_some_and(|url| !known.iter().any(|scheme| url.starts_with(scheme)))
        {
            r.wrong("url", "must begin with sqlite:, postgres: or mysql:");
        }
        url
    });
    let older = r.get("mysql").is_some();
    let of_older = r.inside("mysql", |r| older.then(|| mysql(r, place)));
    let url = url.or(of_older.flatten()).unwrap_or_else(|| {
        format!(
            "sqlite://{}?mode=rwc",
            place.path("compute.sqlite").display()
        )
    });
    Some(Database {
        url: SecretString::from(url),
    })
}

fn mysql(r: &mut Reader<'_>, place: &Place<'_>) -> Option<String> {
    let host = r.needed_text("host");
    let port = port(r.number("port", 1..=65535), 3306);
    let (database, user) = (r.needed_text("database"), r.needed_text("username"));
    let password = password(r, place);
    let secret = password
        .as_ref()
        .map(|password| password.expose_secret())
        .unwrap_or_default();
    Some(format!(
        "mysql://{}:{}@{}:{port}/{}",
        percent_encoded(&user?),
        percent_encoded(secret),
        host?,
        percent_encoded(&database?)
    ))
}

/// RFC 3986, 2.1: everything but unreserved letters.
fn percent_encoded(text: &str) -> String {
    let encode = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(b).to_string()
        }
        b => format!("%{b:02X}"),
    };
    text.bytes().map(encode).collect()
}
