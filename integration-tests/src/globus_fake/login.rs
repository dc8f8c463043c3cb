//! The operator's login, at a terminal and in a browser.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use anyhow::Context as _;

use super::GlobusFake;
use crate::World;

impl GlobusFake {
    /// Runs `globus login` in that world for `identity`, and gives consent.
    ///
    /// # Errors
    /// If it cannot be started or fails.
    pub async fn log_in(&self, world: &World, identity: &str) -> anyhow::Result<()> {
        let mut login = world
            .command(&["globus", "login", identity])?
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let stderr = login.stderr.take().into_iter();
        let page = stderr
            .flat_map(|stderr| BufReader::new(stderr).lines())
            .find_map(|line| {
                Some(line.ok()?.trim().to_owned()).filter(|l| l.starts_with(self.base()))
            })
            .context("no address of a page")?;
        let shown = reqwest::get(page).await?.text().await?;
        let code = shown
            .split_once("<code>")
            .and_then(|(_, rest)| rest.split_once('<'))
            .map_or("", |(code, _)| code);
        let stdin = login.stdin.as_mut().context("no stdin")?;
        writeln!(stdin, "{code}")?;
        let status = tokio::task::spawn_blocking(move || login.wait()).await??;
        anyhow::ensure!(status.success(), "login: {status}");
        Ok(())
    }
}
