//! Searches for secrets in every place where a world leaves data.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use crate::{World, parts::fact_in};

/// Everything in a Redis, as text.
///
/// # Errors
/// If Redis does not respond.
pub fn redis_dump(redis: &Path) -> anyhow::Result<String> {
    let mut dump = String::new();
    for key in redis_cli(redis, &["--scan"])?.lines() {
        let kind = redis_cli(redis, &["TYPE", key])?;
        let value = match kind.trim() {
            "string" => redis_cli(redis, &["GET", key])?,
            "zset" => redis_cli(redis, &["ZRANGE", key, "0", "-1", "WITHSCORES"])?,
            "stream" => redis_cli(redis, &["XRANGE", key, "-", "+"])?,
            // The key was removed meanwhile.
            "none" => String::new(),
            other => anyhow::bail!("{key} is a {other}, which is not looked into"),
        };
        dump.push_str(&format!("{key}\n{value}\n"));
    }
    Ok(dump)
}

fn redis_cli(redis: &Path, args: &[&str]) -> anyhow::Result<String> {
    let password = fact_in(redis, "password")?;
    let output = Command::new("redis-cli")
        .args(["-p", &fact_in(redis, "port")?.to_string()])
        .args(args)
        .env("REDISCLI_AUTH", password.as_str().unwrap_or_default())
        .output()
        .context("no redis-cli")?;
    anyhow::ensure!(output.status.success(), "redis-cli {args:?}: {output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Every table of the world's database, as SQL.
///
/// # Errors
/// If it cannot be read.
pub fn database_dump(world: &World) -> anyhow::Result<String> {
    let config = fs::read(world.folder().join("config/config.json"))?;
    let config: serde_json::Value = serde_json::from_slice(&config)?;
    let url = config.pointer("/database/url").and_then(|url| url.as_str());
    let url = url.context("the world has no database")?;
    let output = if url.starts_with("postgres") {
        Command::new("pg_dump").args(["--dbname", url]).output()?
    } else {
        let program = "import sqlite3, sys\n\
            for line in sqlite3.connect(sys.argv[1], timeout=30).iterdump(): print(line)";
        Command::new("python3")
            .args(["-c", program])
            .arg(world.folder().join("compute.sqlite"))
            .output()?
    };
    anyhow::ensure!(output.status.success(), "{output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Files below `folder` that hold one of `secrets`: logs, configuration, control
/// sockets' folders, databases as they are on disk.
///
/// # Errors
/// If the folder cannot be searched.
pub fn files_with(folder: &Path, secrets: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let mut grep = Command::new("grep");
    grep.args(["-r", "-l", "-a", "-F", "--devices=skip", "-f", "-"]);
    let mut child = grep
        .arg(folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    std::io::Write::write_all(&mut stdin, secrets.join("\n").as_bytes())?;
    drop(stdin);
    let found = child.wait_with_output()?;
    Ok(String::from_utf8_lossy(&found.stdout)
        .lines()
        .map(PathBuf::from)
        .collect())
}

/// A process as other users of the machine see it.
#[derive(Debug)]
pub struct Process {
    /// Its id.
    pub id: String,
    /// Its command line.
    pub command: String,
    /// Its environment.
    pub environment: String,
}

/// All processes of this machine.
///
/// # Errors
/// If there is no `/proc`.
pub fn processes() -> anyhow::Result<Vec<Process>> {
    let words = |path: PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let all = fs::read_dir("/proc")?.flatten().map(|entry| Process {
        id: entry.file_name().to_string_lossy().into_owned(),
        command: words(entry.path().join("cmdline")),
        environment: words(entry.path().join("environ")),
    });
    Ok(all.filter(|process| !process.command.is_empty()).collect())
}
