//! Rejections of a job, a value, a login or a download, with the texts for the client.

use compute_domain::{
    ids::{FolderId, JobId},
    job::{Cause, OutsideRoots},
    manifest::SoftwareError,
    site::PlaceError,
};
use compute_globus::{GlobusError, OutOfFolder};

/// Why a request with an `Idempotency-Key` is not answered.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub enum IdempotencyRejection {
    /// The header holds no key, or several.
    #[error(
        "the header Idempotency-Key must hold one string of 1 to 255 characters, for example a UUID \
         in quotes"
    )]
    Malformed,
    /// The first request with the key has no answer yet.
    #[error("a request with this Idempotency-Key is in progress: try again in {retry_after} s")]
    InProgress {
        /// Seconds.
        retry_after: u64,
    },
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for another request: use a new key for each request")]
    OtherRequest,
}

/// Why a job is not changed or submitted.
#[derive(Debug, thiserror::Error)]
pub enum JobRejection {
    /// A change that names nothing to change.
    #[error("nothing to update")]
    NothingToUpdate,
    /// A change of a job that is submitted.
    #[error("the job is submitted: nothing would read the change")]
    IsSubmitted,
    /// The owner's change came between check and submit.
    #[error("the job was changed while it was being submitted: submit it again")]
    JobChanged,
    /// The operator's change came between check and submit.
    #[error(
        "the job's template was changed by the operator while it was being submitted: submit it \
         again"
    )]
    TemplateChanged,
    /// A folder of the job is not the caller's, or not the job's if its token is shown.
    #[error("unknown folder with id {0}")]
    UnknownFolder(FolderId),
    /// Another active job may write to a folder of this one, or the other way round.
    #[error("{}", Cause::folder_shared_with(.0).as_str())]
    FolderInUse(JobId),
    /// Globus reads a folder that the job may write to.
    #[error(
        "Globus is transferring the folder {0}, which the job may write to: submit it again once the \
         transfer is over"
    )]
    FolderInTransfer(FolderId),
    /// Globus cannot say whether it still reads a folder that the job may write to.
    #[error("it is not known whether Globus still transfers the folder {folder}: {reason}")]
    TransferUnknown {
        /// The folder.
        folder: FolderId,
        /// What failed.
        reason: TransferFailure,
    },
    /// `localExecutableFolder` names no template.
    #[error(
        "the job names no template: set localExecutableFolder to {{\"type\": \"git\", \"gitId\": \
         NAME}}"
    )]
    NoTemplate,
    /// The template is not approved, or cannot be read.
    #[error("template {0} is not available: see the list of templates")]
    TemplateUnavailable(String),
    /// The template runs outside of a container.
    #[error(
        "template {id} runs outside of a container ({stage}) and is not approved for that: ask the \
         operator to read it and to say `cybergis-compute template approve {id} --raw-sbatch`"
    )]
    NotApprovedForRawStages {
        /// Its id.
        id: String,
        /// What runs outside.
        stage: &'static str,
    },
    /// The template's container or kernel is not set up on the HPC.
    #[error(transparent)]
    Software(#[from] SoftwareError),
    /// `localDataFolder` does not say where the data is.
    #[error("{0}")]
    InvalidDataFolder(String),
    /// Local data outside of the operator's folders.
    #[error(transparent)]
    LocalData(#[from] OutsideRoots),
    /// Data from Globus for a folder that exists.
    #[error(
        "data from Globus goes into a folder of its own: leave out remoteDataFolder, or \
         localDataFolder"
    )]
    TwoDataFolders,
    /// The place at Globus is not the user's.
    #[error(transparent)]
    GlobusPlace(#[from] PlaceError),
    /// Globus cannot reach the HPC.
    #[error(transparent)]
    Globus(#[from] GlobusUnavailable),
    /// A job's token does not open its owner's files.
    #[error("a job's token does not open files on the JupyterHub")]
    HubFilesByJobToken,
    /// A password for a job on an HPC with a community account.
    #[error("jobs on {0} need no password")]
    NoPasswordNeeded(String),
    /// A password for a job that has ended.
    #[error("the job is over")]
    IsOver,
    /// A password of another account than the job's.
    #[error("the job runs as {0}: for another account make another job")]
    OtherAccount(String),
}

/// Why a value of a body is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ValueRejection {
    /// More values than [`crate::legacy::body`] reads.
    #[error("the body holds more than {0} values: put them into a file")]
    TooManyValues(usize),
    /// The name of a job or folder, characters.
    #[error("name is longer than {0} characters")]
    LongName(usize),
    /// The name of a job or folder.
    #[error("name holds control characters")]
    ControlCharactersInName,
    /// Names in one object.
    #[error("{field} holds more than {limit} names")]
    TooManyNames {
        /// The object.
        field: &'static str,
        /// Names.
        limit: usize,
    },
    /// A name in an object.
    #[error("{field} holds a name of more than {limit} characters")]
    LongKey {
        /// The object.
        field: &'static str,
        /// Characters.
        limit: usize,
    },
    /// A name in an object.
    #[error("{field} holds a name with control characters")]
    ControlCharactersInKey {
        /// The object.
        field: &'static str,
    },
    /// One value of an object.
    #[error("{field} {name} is larger than {limit} bytes: put it into a file")]
    LargeValue {
        /// The object.
        field: &'static str,
        /// Name of the value.
        name: String,
        /// Bytes of JSON.
        limit: usize,
    },
    /// A whole object.
    #[error("{field} is larger than {limit} bytes: put large values into a file")]
    LargeObject {
        /// The object.
        field: &'static str,
        /// Bytes of JSON.
        limit: usize,
    },
}

/// Why a login on an HPC with private accounts is rejected.
#[derive(Debug, thiserror::Error)]
pub enum CredentialRejection {
    /// User or password is missing.
    #[error("{0} has private accounts: user and password of your own account there are needed")]
    Missing(String),
    /// The user is no account name.
    #[error("user is not the name of an account: small letters, digits, _ and -, not more than 32")]
    NotAnAccount,
    /// The user has tried too many logins.
    #[error("at most {limit} logins a minute may be tried on {hpc}: try again in {retry_after} s")]
    TooManyAttempts {
        /// Logins.
        limit: u32,
        /// The HPC.
        hpc: String,
        /// Seconds.
        retry_after: u64,
    },
    /// Too many logins of the account have failed, of all users.
    #[error(
        "{limit} logins to {account} on {hpc} have failed within a minute: try again in \
         {retry_after} s"
    )]
    TooManyFailures {
        /// Logins.
        limit: u32,
        /// The account.
        account: String,
        /// The HPC.
        hpc: String,
        /// Seconds.
        retry_after: u64,
    },
    /// The HPC refuses the login, in the connector's words.
    #[error("{0}")]
    Refused(String),
}

/// Which service does not respond.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The connector or the login node.
    #[error("{hpc} cannot be logged in to now: try again in a moment")]
    Hpc {
        /// The HPC.
        hpc: String,
        /// The connector's words.
        reason: String,
    },
    /// Redis, which keeps logins.
    #[error("logins cannot be kept now: try again in a moment")]
    CredentialStore,
}

impl Unavailable {
    pub(super) fn messages(&self) -> Vec<String> {
        match self {
            Self::Hpc { reason, .. } => vec![reason.clone()],
            Self::CredentialStore => Vec::new(),
        }
    }
}

/// Why Globus cannot transfer to or from an HPC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobusUnavailable {
    /// The configuration has no Globus client.
    #[error("Globus is not set up on this server")]
    NotConfigured,
    /// The configuration names no identity or endpoint of the HPC.
    #[error("Globus is not set up for {0}")]
    NotConfiguredForHpc(String),
    /// The operator has not logged in.
    #[error(
        "there is no Globus token of {0}: the operator has to run `cybergis-compute globus login {0}`"
    )]
    NoToken(String),
}

/// Why a folder is not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadRejection {
    /// The caller has no such folder.
    #[error("cannot find folder with id {0}")]
    UnknownFolder(FolderId),
    /// The folder's HPC is not configured any more.
    #[error("cannot find hpc {0}")]
    UnknownHpc(String),
    /// The path leads out of the folder.
    #[error(transparent)]
    Path(#[from] OutOfFolder),
    /// The destination is not the user's.
    #[error(transparent)]
    Destination(#[from] PlaceError),
    /// Another transfer of the folder runs.
    #[error("a globus transfer of this folder is running")]
    TransferRunning,
    /// A job may write to the folder.
    #[error("job {0} is not over and may write to the folder: wait for its end")]
    FolderInUse(JobId),
    /// Globus, or a look at the folder before Globus is asked, failed.
    #[error("failed to {doing} globus with error: {reason}")]
    Failed {
        /// `init` or `query`.
        doing: &'static str,
        /// What failed.
        reason: TransferFailure,
    },
}

/// What failed while a transfer was begun or asked about.
#[derive(Debug, thiserror::Error)]
pub enum TransferFailure {
    /// Globus refuses or does not respond.
    #[error(transparent)]
    Globus(#[from] GlobusError),
    /// Globus cannot reach the HPC.
    #[error(transparent)]
    Unavailable(#[from] GlobusUnavailable),
    /// The destination is not the user's any more.
    #[error(transparent)]
    Destination(#[from] PlaceError),
    /// The folder on the HPC cannot be read.
    #[error(transparent)]
    Source(#[from] SourceRejection),
    /// The folder's HPC is not configured any more.
    #[error("cannot find hpc {0}")]
    UnknownHpc(String),
    /// The recorded transfer is of another folder.
    #[error("{path} is not in the folder {folder}")]
    OutOfFolder {
        /// Its source.
        path: String,
        /// The folder.
        folder: FolderId,
    },
    /// Globus has never confirmed the transfer.
    #[error("its latest download was not confirmed: ask for the download once more")]
    NotConfirmed,
    /// The recorded transfer cannot be read.
    #[error("the transfer cannot be read: {0}")]
    Unreadable(serde_json::Error),
}

/// Why a folder on an HPC cannot be the source of a transfer.
#[derive(Debug, thiserror::Error)]
pub enum SourceRejection {
    /// Nobody can log in to a private account now.
    #[error("folders on {0} are their owners': transfer them with your own account")]
    PrivateAccount(String),
    /// The HPC is not configured.
    #[error("there is no HPC {0}")]
    UnknownHpc(String),
    /// The connector rejects the path, in its words.
    #[error("{0}")]
    NoFolder(String),
    /// The HPC does not respond.
    #[error("{0} does not answer: try again in a moment")]
    HpcAway(String),
}
