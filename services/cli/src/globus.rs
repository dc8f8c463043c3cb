//! `globus`: in whose name data is transferred.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::Path,
};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use compute_config::Site;
use compute_globus::login::Login;
use compute_runtime::seal::{SealingKey, globus_purpose};
use secrecy::SecretString;
use serde_json::json;

use crate::{
    Output,
    output::{printable, table},
    site,
};

/// Commands about Globus.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in to Globus, and keep the token sealed
    Login {
        /// As in hpc.json, e.g. somebody@example.org; may be left out if it names one only
        identity: Option<String>,
    },
    /// Forget a token
    Logout {
        /// As in hpc.json
        identity: String,
    },
    /// Identities that hpc.json names, and whether there is a token
    List,
}

pub(crate) async fn run(command: Command, folder: &Path) -> anyhow::Result<Output> {
    let site = site::load(folder)?;
    let store = site::store(&site.server).await?;
    match command {
        Command::Login { identity } => {
            let identity = wanted(identity, &site)?;
            let token = log_in(&site, &identity).await?;
            let key = SealingKey::load_or_create(&site.server.seal_key_file)?;
            let sealed = key.seal(&token, &globus_purpose(&identity))?;
            store.keep_globus_token(&identity, &sealed).await?;
            Ok(Output::good(
                json!({"identity": identity}),
                format!("Globus transfers in the name of {identity} now."),
            ))
        }
        Command::Logout { identity } => {
            if !store.forget_globus_token(&identity).await? {
                bail!("there is no token of {identity}");
            }
            let text = format!("The token of {identity} is forgotten.");
            Ok(Output::good(json!({"identity": identity}), text))
        }
        Command::List => {
            let kept = store.globus_identities().await?;
            let mut all = identities(&site);
            all.extend(kept.iter().cloned());
            all.sort();
            all.dedup();
            let has_token = |identity: &String| kept.contains(identity);
            let json = all
                .iter()
                .map(|identity| json!({"identity": identity, "token": has_token(identity)}));
            let json = json!(json.collect::<Vec<_>>());
            let rows = all.iter().map(|identity| {
                let token = if has_token(identity) { "yes" } else { "no" };
                [identity.clone(), token.to_owned()]
            });
            Ok(Output::good(
                json,
                table(["identity", "token"], rows.collect()),
            ))
        }
    }
}

fn identities(site: &Site) -> Vec<String> {
    let named = site
        .hpcs
        .values()
        .filter_map(|hpc| hpc.globus.identity.clone());
    let mut identities: Vec<_> = named.collect();
    identities.sort();
    identities.dedup();
    identities
}

fn wanted(given: Option<String>, site: &Site) -> anyhow::Result<String> {
    if let Some(identity) = given {
        return Ok(identity);
    }
    match identities(site).as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("hpc.json names no globus.identity"),
        many => bail!("hpc.json names {}: say which", many.join(", ")),
    }
}

/// The page is shown, the code is read: nothing of it is ever an argument.
async fn log_in(site: &Site, identity: &str) -> anyhow::Result<SecretString> {
    let options = site.server.globus.clone();
    let login = Login::begin(options.context("config.json has no globus_client_id")?);
    let mut out = io::stderr();
    let words = format!(
        "Open this page, log in as {identity}, and agree:\n\n  {}\n",
        login.url()
    );
    // At once: whoever reads it may stop at the address.
    let words = format!("{}\n", printable(&words, true));
    out.write_all(words.as_bytes())?;
    if io::stdin().is_terminal() {
        write!(out, "The code that it shows: ")?;
        out.flush()?;
    }
    let mut code = String::new();
    io::stdin().lock().read_line(&mut code)?;
    let code = SecretString::from(code.trim());
    Ok(login.finish(identity, &code).await?)
}
