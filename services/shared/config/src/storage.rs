//! `redis`, `database` and the older `mysql` of `config.json`.

use std::fs;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Place, reader::Reader, server::port};

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

pub(super) fn redis(r: &mut Reader<'_>, place: &Place<'_>) -> Option<Redis> {
    r.ignore(&["username"]);
    Some(Redis {
        host: r.text("host").unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: port(r.number("port", 1..=65535), 6379),
        password: password(r, place, place.stores.have_redis()),
        prefix: r.text("prefix").unwrap_or_default(),
    })
}

/// `password`, or the content of the file that `password_file` names, which is not
/// opened unless it `is_used`.
fn password(r: &mut Reader<'_>, place: &Place<'_>, is_used: bool) -> Option<SecretString> {
    let given = r.secret("password");
    let Some(file) = r.text("password_file") else {
        return given;
    };
    if !is_used {
        return None;
    }
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
pub(super) fn database(r: &mut Reader<'_>, place: &Place<'_>) -> Option<Database> {
    let is_used = place.stores.have_database();
    let url = r.inside("database", |r| {
        let file = r.text("url_file");
        if file.is_some() && !is_used {
            return Some(String::new());
        }
        let from_file = file.and_then(|file| {
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
    let password = password(r, place, place.stores.have_database());
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
