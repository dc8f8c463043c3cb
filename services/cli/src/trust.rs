//! `hpc trust`: the operator compares fingerprints with those that the site has
//! published, and pins the keys.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use compute_domain::site::Hpc;
use serde_json::json;

use crate::{
    Output,
    host_keys::{self, HostKey},
    output::{printable, table},
};

/// Whether keys may be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The operator has said so.
    Given,
    /// The operator is asked, if there is a terminal.
    Asked,
    /// Keys are only shown.
    Withheld,
}

/// How a key that the HPC shows stands to those that are pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Pinned,
    New,
    /// Another key of the same type is pinned.
    Changed,
}

impl Standing {
    fn of(key: &HostKey, pinned: &[HostKey]) -> Self {
        if pinned.contains(key) {
            return Self::Pinned;
        }
        let changed = pinned.iter().any(|other| other.kind == key.kind);
        if changed { Self::Changed } else { Self::New }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::New => "new",
            Self::Changed => "CHANGED",
        }
    }
}

pub(crate) async fn run(hpc: &Hpc, consent: Consent, replace: bool) -> anyhow::Result<Output> {
    let (file, name) = (&hpc.known_hosts, host_keys::name_in_file(&hpc.ip, hpc.port));
    let shown = host_keys::fetch(&hpc.ip, hpc.port).await?;
    let pinned = host_keys::pinned(file, &name).await?;
    let (mut rows, mut entries, mut unpinned) = (Vec::new(), Vec::new(), Vec::new());
    let mut changed = false;
    for key in shown {
        let standing = Standing::of(&key, &pinned);
        let fingerprint = key.fingerprint().await?;
        entries.push(json!({
            "type": key.kind, "fingerprint": fingerprint, "standing": standing.as_str(),
        }));
        rows.push([key.kind.clone(), fingerprint, standing.as_str().to_owned()]);
        changed |= standing == Standing::Changed;
        if standing != Standing::Pinned || replace {
            unpinned.push(key);
        }
    }
    let keys = format!("{}\n", table(["type", "fingerprint", "standing"], rows));
    let output = |text: String, written: bool, is_good: bool| Output {
        json: json!({"hpc": hpc.name, "knownHosts": file, "keys": entries, "written": written}),
        text,
        is_good,
    };
    if unpinned.is_empty() {
        return Ok(output(
            format!("{keys}\nall keys of {} are pinned", hpc.name),
            false,
            true,
        ));
    }
    if changed && !replace {
        let advice = format!(
            "{} shows another key than the one that is pinned. Unless the site has announced a new \
             one, somebody may be between you and it. Nothing was changed; to replace the key, \
             compare the fingerprint with the site's and run this with --replace",
            hpc.name
        );
        return Ok(output(format!("{keys}\n{advice}"), false, false));
    }
    if !agreed(consent, &keys, &hpc.name)? {
        let advice = "nothing was pinned: compare the fingerprints with those that the site has \
                      published, and run this with --yes";
        return Ok(output(format!("{keys}\n{advice}"), false, false));
    }
    if replace && !pinned.is_empty() {
        host_keys::forget(file, &name).await?;
    }
    let written = host_keys::pin(file, &name, &unpinned);
    written.with_context(|| format!("{} cannot be written", file.display()))?;
    let text = format!(
        "{keys}\n{} keys are pinned in {}",
        unpinned.len(),
        file.display()
    );
    Ok(output(text, true, true))
}

fn agreed(consent: Consent, keys: &str, hpc: &str) -> anyhow::Result<bool> {
    match consent {
        Consent::Given => return Ok(true),
        Consent::Withheld => return Ok(false),
        Consent::Asked if !std::io::stdin().is_terminal() => return Ok(false),
        Consent::Asked => {}
    }
    let mut terminal = std::io::stderr();
    let question =
        format!("{keys}\nAre these the fingerprints that {hpc} has published? (yes/no) ");
    write!(terminal, "{}", printable(&question, true))?;
    terminal.flush()?;
    let mut said = String::new();
    std::io::stdin().lock().read_line(&mut said)?;
    match said.trim() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => bail!("nothing was pinned: the answer is yes or no"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standings() {
        let key = |kind: &str, key: &str| HostKey {
            kind: kind.to_owned(),
            key: key.to_owned(),
        };
        let pinned = [key("ssh-rsa", "A")];
        assert_eq!(
            Standing::of(&key("ssh-rsa", "A"), &pinned),
            Standing::Pinned
        );
        assert_eq!(
            Standing::of(&key("ssh-rsa", "B"), &pinned),
            Standing::Changed
        );
        assert_eq!(
            Standing::of(&key("ssh-ed25519", "C"), &pinned),
            Standing::New
        );
    }
}
