//! A database of the legacy server, with rows of all the kinds that such a database
//! has after some years.

use std::fmt::Write as _;

use compute_testing::{Database, Facts, Kind};
use secrecy::ExposeSecret as _;

/// What the legacy server made its tables with.
const SCHEMA: &str = include_str!("../fixtures/legacy_schema.sql");

pub(crate) const AT: i64 = 1_795_457_000_000;
pub(crate) const JOBS: usize = 252;
pub(crate) const FOLDERS: usize = 60;

/// The database, and how it is reached.
pub(crate) struct Legacy {
    database: Database,
    /// Without the password.
    pub(crate) address: String,
    pub(crate) password: String,
}

impl Legacy {
    pub(crate) async fn empty() -> Self {
        let database = Database::empty(Kind::MariaDb).await;
        let password = Facts::of("mariadb").text("password").to_owned();
        let url = database.url.expose_secret();
        let legacy = Self {
            address: url.replace(&format!(":{password}@"), "@"),
            database,
            password,
        };
        // In the order of the file, folders come after events.
        legacy
            .execute(&format!("SET FOREIGN_KEY_CHECKS=0;{SCHEMA}"))
            .await;
        legacy
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.database.execute(sql).await;
    }

    pub(crate) async fn filled() -> Self {
        let legacy = Self::empty().await;
        let mut sql = String::new();
        for n in 0..FOLDERS {
            folder(&mut sql, n);
        }
        for n in 0..JOBS {
            job(&mut sql, n);
        }
        sql.push_str(
            "INSERT INTO gits VALUES
             ('hello_world','https://example.org/hello.git',NULL,1,1795457000000,NULL,NULL),
             ('pinned','https://example.org/pinned.git','0123456789abcdef0123456789abcdef01234567',1,1795457000000,1795457000001,NULL),
             ('waiting','git@example.org:waiting.git','',0,1795457000000,NULL,0),
             ('removed','https://example.org/removed.git',NULL,1,1795457000000,20261123181836,20261123181836);
             INSERT INTO globus_transfer_refresh_token VALUES
             ('alice@example.org','Ag-refresh-of-alice',1795457000000,NULL,NULL),
             ('bob@example.org','Ag-refresh-of-bob',1795457000000,NULL,NULL),
             ('gone@example.org','Ag-refresh-of-gone',1795457000000,NULL,2026);",
        );
        legacy.execute(&sql).await;
        legacy
    }
}

/// Every tenth is nobody's, every tenth deleted, with what stood in that column.
fn folder(sql: &mut String, n: usize) {
    let user = if n % 10 == 7 { "NULL" } else { "'alice@hub'" };
    let deleted = if n % 10 == 3 { "2026" } else { "NULL" };
    writeln!(
        sql,
        "INSERT INTO folders VALUES ('folder{n:03}','dossier été {n}','local_hpc','/scratch/folder{n:03}',
         '/folder{n:03}',{user},1,{AT},NULL,{deleted});"
    )
    .unwrap();
}

/// One of twelve kinds, in turn.
pub(crate) fn job(sql: &mut String, n: usize) {
    let kind = n % 12;
    let id = id(n);
    let at = AT + i64::try_from(n).unwrap() * 1000;
    let user = match kind {
        4 => "NULL",
        5 => "'bob@hub'",
        _ => "'alice@hub'",
    };
    let param = match kind {
        6 => "'{\"broken\": '",
        7 => "'{\"ville\":\"Zürich 🗻\",\"n\":1}'",
        8 => "NULL",
        _ => "'{\"a\":1}'",
    };
    let deleted = if kind == 9 { "999999" } else { "NULL" };
    let was_submitted = kind != 0;
    let is_over = was_submitted && !matches!(kind, 1 | 10);
    let number = |set: bool, after: i64| {
        if set {
            (at + after).to_string()
        } else {
            "NULL".to_owned()
        }
    };
    let result = n % FOLDERS;
    writeln!(
        sql,
        "INSERT INTO jobs VALUES ('{id}',{user},'job {n}','community_contribution','local_hpc',
         '{{\"type\":\"git\",\"gitId\":\"hello_world\"}}',NULL,{param},'{{}}','{{\"time\":\"01:00:00\"}}',
         {slurm_id},NULL,{at},NULL,{deleted},{initialized},{finished},{queued},{failed},
         1,2,3,4,5,6,NULL,NULL,'folder{result:03}');",
        slurm_id = if is_over { format!("'{n}'") } else { "NULL".to_owned() },
        initialized = number(is_over, 300),
        finished = number(is_over, 500),
        queued = number(was_submitted, 10),
        failed = u8::from(kind == 2),
    )
    .unwrap();
    let mut event = |name: &str, after: i64| {
        writeln!(
            sql,
            "INSERT INTO events (jobId,type,message,createdAt) VALUES ('{id}','{name}','{name} of {n} 🗻',{});",
            at + after
        )
        .unwrap();
    };
    if was_submitted {
        // Written in this order, though they happened in the other one.
        event("JOB_REGISTERED", 20);
        event("JOB_QUEUED", 10);
    }
    match kind {
        2 => event("JOB_FAILED", 500),
        3 => {
            event("JOB_CANCELLED", 490);
            event("JOB_ENDED", 500);
        }
        // finished, and no event says so
        11 => {}
        _ if is_over => event("JOB_ENDED", 500),
        _ => {}
    }
    if is_over {
        for part in ["out", "err"] {
            writeln!(
                sql,
                "INSERT INTO logs (jobId,message,createdAt) VALUES ('{id}','std{part} of {n}\\nété',{});",
                at + 480
            )
            .unwrap();
        }
    }
}

pub(crate) fn id(n: usize) -> String {
    format!("{}J{n:04}", AT / 1000)
}
