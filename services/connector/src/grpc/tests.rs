//! The edge in this process: targets, errors and statuses, without a login node.

use std::{future::ready, path::Path, sync::Arc};

use compute_domain::{
    ErrorKind, SystemClock,
    ids::JobId,
    job::JobFile,
    site::{CommunityLogin, Hpc},
};
use compute_proto::{ConnectorClient, FILE_DESCRIPTOR_SET, RemoteError};
use compute_runtime::{grpc::Transport, seal::SealingKey, tls::Role};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use rstest::rstest;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Code, transport::Channel};
use wire::{CheckFolderRequest, Credential, connector_client::ConnectorClient as Generated};

use super::*;
use crate::{account::AccountDeps, paths::PathError};

fn community(name: &str, login: Option<CommunityLogin>) -> Hpc {
    Hpc {
        name: name.to_owned(),
        is_community_account: true,
        community_login: login,
        // Nobody listens there.
        port: 1,
        ..compute_testing::private_hpc()
    }
}

/// `community_hpc`, `private_hpc`, and `closed_hpc`, to which nobody can log in.
fn hpcs() -> [Hpc; 3] {
    let login = CommunityLogin {
        user: "cigi".to_owned(),
        private_key_path: "/keys/id".into(),
        passphrase: None,
    };
    [
        community("community_hpc", Some(login)),
        community("closed_hpc", None),
        compute_testing::private_hpc(),
    ]
}

fn key(folder: &Path) -> SealingKey {
    SealingKey::load_or_create(&folder.join("credential.key")).unwrap()
}

fn service() -> ConnectorService {
    let folder = tempfile::tempdir().unwrap();
    let deps = AccountDeps {
        clock: Arc::new(SystemClock),
        control_directory: folder.path().to_owned(),
        tasks: TaskTracker::new(),
    };
    let key = Arc::new(key(folder.path()));
    ConnectorService::new(Arc::new(HpcRegistry::new(hpcs(), &deps, Some(&key))))
}

fn for_target(hpc: &str, credential: Option<Credential>) -> Request<CheckFolderRequest> {
    let mut request = CheckFolderRequest::default();
    let hpc = hpc.to_owned();
    request.set_target(&Target {
        hpc,
        credential,
        fence: None,
    });
    Request::new(request)
}

fn not_sealed_here() -> Option<Credential> {
    Some(Credential {
        job_id: "1795457659sRX9w".to_owned(),
        sealed: "v1:AAAA".to_owned(),
    })
}

/// Responds with the HPC of the account.
async fn name_of(service: &ConnectorService, request: Request<CheckFolderRequest>) -> String {
    let named = service.on_account(request, |account, _| ready(Ok(account.hpc.name.clone())));
    named.await.unwrap().into_inner()
}

#[rstest]
#[case::unknown_hpc(Error::UnknownHpc("x".into()), Code::NotFound)]
#[case::missing(Error::Missing("x".into()), Code::NotFound)]
#[case::path(Error::Path(PathError::Relative("x".into())), Code::InvalidArgument)]
#[case::argument(Error::Argument("x".into()), Code::InvalidArgument)]
#[case::no_login(Error::NoLogin("x".into()), Code::FailedPrecondition)]
#[case::outside(Error::Outside("x".into()), Code::FailedPrecondition)]
#[case::refused(Error::Refused("x".into()), Code::FailedPrecondition)]
#[case::password(Error::Password("x".into()), Code::Unauthenticated)]
#[case::login(Error::Login { node: "u@h:22".into(), reason: "x".into() }, Code::Unavailable)]
#[case::trouble(Error::Trouble("x".into()), Code::Unavailable)]
#[case::busy(Error::Busy("x".into()), Code::ResourceExhausted)]
#[case::cut(Error::Cut { what: "check", reason: "x".into() }, Code::Aborted)]
#[case::uncertain(Error::Uncertain("x".into()), Code::Aborted)]
#[case::internal(Error::Internal("x".into()), Code::Internal)]
#[tokio::test]
async fn an_error_of_an_operation_has_its_status(#[case] error: Error, #[case] code: Code) {
    let message = error.to_string();
    let request = for_target("community_hpc", None);
    let service = service();
    let failed = service.on_account(request, |_, _| ready(Err::<(), _>(error)));
    let status = failed.await.unwrap_err();
    assert_eq!(status.code(), code);
    assert_eq!(status.message(), message);
}

#[rstest]
#[case::unknown_hpc("constructor", None, Code::NotFound)]
#[case::no_hpc("", None, Code::NotFound)]
#[case::nobody_can_log_in("closed_hpc", None, Code::FailedPrecondition)]
#[case::missing_credential("private_hpc", None, Code::FailedPrecondition)]
#[case::needless_credential("community_hpc", not_sealed_here(), Code::InvalidArgument)]
#[case::broken_credential("private_hpc", not_sealed_here(), Code::Unauthenticated)]
#[tokio::test]
async fn a_target_without_an_account_is_rejected(
    #[case] hpc: &str,
    #[case] credential: Option<Credential>,
    #[case] code: Code,
) {
    let request = for_target(hpc, credential);
    let service = service();
    let failed = service.on_account(request, |_, _| ready(Ok(())));
    assert_eq!(failed.await.unwrap_err().code(), code);
}

#[tokio::test]
async fn an_operation_runs_on_the_account_of_the_target() {
    let request = for_target("community_hpc", None);
    assert_eq!(name_of(&service(), request).await, "community_hpc");
}

#[tokio::test]
async fn a_request_of_the_version_before_finds_its_account() {
    #[expect(deprecated, reason = "as the version before sends it")]
    let request = Request::new(CheckFolderRequest {
        hpc: "community_hpc".to_owned(),
        ..Default::default()
    });
    assert_eq!(name_of(&service(), request).await, "community_hpc");
}

#[test]
fn every_request_carries_a_target() {
    let contract = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let files = contract.file.iter();
    let connector = files
        .flat_map(|file| file.service.iter().map(move |service| (file, service)))
        .find(|(_, service)| service.name() == "Connector");
    let (file, connector) = connector.unwrap();
    for method in &connector.method {
        let name = method.input_type().rsplit('.').next().unwrap();
        let message = file.message_type.iter().find(|one| one.name() == name);
        // The header of an upload has it for the whole stream.
        let message = match message.unwrap() {
            upload if upload.name() == "UploadFolderRequest" => &upload.nested_type[0],
            request => request,
        };
        let target = message.field.iter().find(|field| field.name() == "target");
        let target = target.unwrap_or_else(|| panic!("{name} has no target"));
        assert_eq!(target.number(), 16, "{name}");
        assert_eq!(target.type_name(), ".cybergis.compute.v1.Target", "{name}");
    }
}

/// A connector that serves until this is dropped.
struct Served {
    channel: Channel,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Served {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, tasks) = (Arc::new(SystemClock), TaskTracker::new());
        let key = Some(key(folder.path()));
        let connector = crate::build(hpcs(), clock, folder.path(), &tasks, key).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tasks.spawn(async move {
            let connector = connector.unwrap();
            connector.serve(listener, Transport::Plain, stopped).await
        });
        let channel = Transport::Plain.channel(&address, Role::Connector);
        Self {
            channel: channel.unwrap(),
            stop,
            _folder: folder,
        }
    }

    fn client(&self, hpc: &str) -> ConnectorClient {
        ConnectorClient::for_hpc(self.channel.clone(), hpc)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn kind<T>(result: Result<T, RemoteError>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

#[tokio::test]
async fn arguments_are_checked_before_anybody_logs_in() {
    let served = Served::start().await;
    let client = served.client("community_hpc");
    let job = JobId::from_text("1795457659sRX9w".to_owned());
    let no_job = JobId::from_text("../x".to_owned());
    let too_large = vec![0; compute_proto::MAX_WRITE_BYTES + 1];
    let rejected = [
        kind(client.make_folder("relative").await),
        kind(client.copy_folder("/scratch/a", "/scratch/../b").await),
        kind(client.read_file("/etc/passwd", 0, 0).await),
        kind(client.write_file("/scratch/a", too_large.clone()).await),
        kind(
            client
                .write_job_file(&job, JobFile::Script, too_large)
                .await,
        ),
        kind(
            client
                .write_job_file(&job, JobFile::Stdout, Vec::new())
                .await,
        ),
        kind(client.read_job_file(&no_job, JobFile::Stdout, 0).await),
        kind(client.store_logs(&job, "/scratch").await),
        kind(client.remove_job(&no_job).await),
        kind(client.upload_folder("/scratch/.cgc/x", &b""[..]).await),
    ];
    assert_eq!(rejected, [ErrorKind::InvalidArgument; 10]);
}

#[tokio::test]
async fn a_login_node_that_is_down_is_unavailable() {
    let served = Served::start().await;
    let client = served.client("community_hpc");
    let failed = client.make_folder("/scratch/1").await;
    assert_eq!(kind(failed), ErrorKind::Unavailable);
    let items = client.check().await.unwrap();
    assert!(!items[0].ok, "{items:?}");
}

#[tokio::test]
async fn a_private_hpc_is_checked_without_a_credential() {
    let served = Served::start().await;
    let items = served.client("private_hpc").check().await.unwrap();
    assert!(items[0].detail.starts_with("private accounts"));
    let job = JobId::from_text("1795457659sRX9w".to_owned());
    let community = served.client("community_hpc");
    let login = community.check_login(&job, "alice", &"p".into()).await;
    assert_eq!(kind(login), ErrorKind::InvalidArgument);
    let client = served
        .client("private_hpc")
        .with_credential(&job, "v1:AAAA");
    assert_eq!(kind(client.check().await), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn an_upload_begins_with_its_header() {
    let served = Served::start().await;
    let mut raw = Generated::new(served.channel.clone());
    let chunk = wire::upload_folder_request::Part::Chunk(vec![1].into());
    let chunk = UploadFolderRequest { part: Some(chunk) };
    for parts in [vec![chunk], Vec::new()] {
        let status = raw.upload_folder(futures::stream::iter(parts)).await;
        let status = status.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
}
