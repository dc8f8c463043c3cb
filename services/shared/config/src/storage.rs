//! `redis`, `database` and the legacy `mysql` of `config.json`.

use std::{fs, net::IpAddr};

use compute_domain::site::RedisOptions;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{Place, reader::Reader, server::port};

/// Where the SQL database is.
#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite://`, `postgres://` or `mysql://`, with its password.
    pub url: SecretString,
}

pub(super) fn redis(r: &mut Reader<'_>, place: &Place<'_>) -> Option<RedisOptions> {
    r.ignore(&["username"]);
    Some(RedisOptions {
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

/// `database.url`, else what the legacy `mysql` section says, else a file beside
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
    let has_legacy = r.get("mysql").is_some();
    let legacy = r.inside("mysql", |r| has_legacy.then(|| mysql(r, place)));
    let url = url.or(legacy.flatten()).unwrap_or_else(|| {
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
    let (host, database, user) = (host?, database?, user?);
    let url = mysql_url(&host, port, &database, &user, password.as_ref());
    if url.is_none() {
        r.wrong("host", "must be a host name or an address");
    }
    url
}

/// The address with its parts encoded; `None` if `host` cannot be one.
fn mysql_url(
    host: &str,
    port: u16,
    database: &str,
    user: &str,
    password: Option<&SecretString>,
) -> Option<String> {
    let mut url = Url::parse("mysql://localhost").ok()?;
    match host.parse::<IpAddr>() {
        Ok(address) => url.set_ip_host(address).ok()?,
        // It would be cut there.
        Err(_) if host.contains(':') => return None,
        Err(_) => url.set_host(Some(host)).ok()?,
    }
    url.set_port(Some(port)).ok()?;
    // These two leave `%` as it is: a password may have it, and is decoded by its reader.
    let encoded = |text: &str| text.replace('%', "%25");
    url.set_username(&encoded(user)).ok()?;
    let password = password.map(|password| encoded(password.expose_secret()));
    url.set_password(password.as_deref()).ok()?;
    url.path_segments_mut().ok()?.push(database);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_an_address_is_read_as_another() {
        let password = SecretString::from("p@ss:w/ord %41?#");
        let url = mysql_url("db", 3307, "c/g%41", "a:b@c%41", Some(&password)).unwrap();
        let url = Url::parse(&url).unwrap();
        assert_eq!((url.host_str(), url.port()), (Some("db"), Some(3307)));
        assert_eq!(url.username(), "a%3Ab%40c%2541");
        assert_eq!(url.password(), Some("p%40ss%3Aw%2Ford%20%2541%3F%23"));
        assert_eq!(url.path(), "/c%2Fg%2541");
        let address = mysql_url("fd00::5", 3306, "c", "u", None).unwrap();
        assert_eq!(address, "mysql://u@[fd00::5]:3306/c");
        for wrong in ["", "a b", "db/x", "db:3307", "[fd00::5"] {
            assert_eq!(mysql_url(wrong, 3306, "c", "u", None), None, "{wrong:?}");
        }
    }
}
