//! Services that show each other what they are, with certificates as
//! `deploy/certificates` makes them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use compute_config::TlsFiles;
use compute_domain::{ErrorKind, ids::JobId};
use compute_proto::{
    RemoteError, notice,
    wire::{
        NoticeRequest, NoticeResponse,
        maintainer_server::{Maintainer, MaintainerServer},
    },
};
use compute_runtime::{
    grpc::{self, Callers, Transport},
    tls::{self, Credentials, Role},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// A deployment's certificates.
struct Authority(TempDir);

impl Authority {
    fn new() -> Self {
        tls::install_provider();
        let authority = Self(tempfile::tempdir().unwrap());
        authority.run(&[], &[]);
        authority
    }

    fn run(&self, arguments: &[&str], envs: &[(&str, &str)]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/certificates");
        let me = Command::new("id").arg("-u").output().unwrap();
        let me = String::from_utf8(me.stdout).unwrap();
        let made = Command::new(script)
            .arg(self.0.path())
            .args(arguments)
            .env("CERTIFICATE_OWNER", me.trim())
            .envs(envs.iter().copied())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    fn file(&self, role: Role, name: &str) -> PathBuf {
        self.0.path().join(role.name()).join(name)
    }

    fn files(&self, role: Role) -> TlsFiles {
        TlsFiles {
            authority: self.file(role, "ca.crt"),
            certificate: self.file(role, "service.crt"),
            key: self.file(role, "service.key"),
        }
    }

    fn transport(&self, role: Role) -> Transport {
        Transport::Mutual(Credentials::load(&self.files(role)).unwrap())
    }
}

#[derive(Clone)]
struct Service;

#[tonic::async_trait]
impl Maintainer for Service {
    async fn notice(&self, _: Request<NoticeRequest>) -> Result<Response<NoticeResponse>, Status> {
        Ok(Response::new(NoticeResponse { carried: true }))
    }
}

const CALLERS: Callers = Callers(&[("Notice", &[Role::Gateway, Role::Operator])]);

/// A maintainer that answers until the test is over; its `ip:port`.
async fn serve(transport: Transport, callers: Callers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(grpc::serve(
        listener,
        transport,
        MaintainerServer::new(Service),
        callers,
        compute_proto::FILE_DESCRIPTOR_SET,
        CancellationToken::new(),
    ));
    address
}

async fn call(as_whom: &Transport, address: &str) -> Result<bool, RemoteError> {
    let address = format!("{}://{address}", as_whom.scheme());
    let channel = as_whom.channel(&address, Role::Maintainer).unwrap();
    notice(channel, &JobId::from_text("1700000000aaaaa".to_owned())).await
}

#[tokio::test]
async fn a_method_is_for_its_roles_only() {
    let authority = Authority::new();
    let address = serve(authority.transport(Role::Maintainer), CALLERS).await;
    for role in Role::ALL {
        let answer = call(&authority.transport(role), &address).await;
        match role {
            Role::Gateway | Role::Operator => assert_eq!(answer, Ok(true), "{role:?}"),
            Role::Maintainer | Role::Connector => {
                let refused = answer.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{role:?}");
                assert!(refused.message.contains("gateway, operator"), "{refused}");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_listed_is_for_nobody() {
    let authority = Authority::new();
    let address = serve(authority.transport(Role::Maintainer), Callers(&[])).await;
    for role in Role::ALL {
        let refused = call(&authority.transport(role), &address)
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{role:?}");
    }
}

#[tokio::test]
async fn strangers_do_not_get_in_and_are_not_called() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let address = serve(ours.transport(Role::Maintainer), CALLERS).await;
    // Somebody else's certificate, and none at all.
    for stranger in [theirs.transport(Role::Gateway), Transport::Plain] {
        call(&stranger, &address).await.unwrap_err();
    }
    // Whoever answers has to be what the caller wants.
    let impostor = serve(ours.transport(Role::Gateway), CALLERS).await;
    let refused = call(&ours.transport(Role::Gateway), &impostor).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    assert!(refused.message.contains("certificate"), "{refused}");
    // And those who may still can.
    let gateway = ours.transport(Role::Gateway);
    assert_eq!(call(&gateway, &address).await, Ok(true));
}

#[tokio::test]
async fn a_slow_stranger_keeps_nobody_waiting() {
    let authority = Authority::new();
    let address = serve(authority.transport(Role::Maintainer), CALLERS).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    let gateway = authority.transport(Role::Gateway);
    let answer = tokio::time::timeout(Duration::from_secs(2), call(&gateway, &address)).await;
    assert_eq!(answer.unwrap(), Ok(true));
}

#[tokio::test]
async fn new_certificates_are_taken_up_without_a_restart() {
    let authority = Authority::new();
    // Good until yesterday.
    authority.run(&["--renew"], &[("CERTIFICATE_DAYS", "-1")]);
    let server = Credentials::load(&authority.files(Role::Maintainer)).unwrap();
    let client = Credentials::load(&authority.files(Role::Gateway)).unwrap();
    let address = serve(Transport::Mutual(server.clone()), CALLERS).await;
    let gateway = Transport::Mutual(client.clone());
    let refused = call(&gateway, &address).await.unwrap_err();
    assert!(refused.message.contains("xpired"), "{refused}");

    authority.run(&["--renew"], &[]);
    let before = server.expires();
    for credentials in [&server, &client] {
        assert!(credentials.refresh().unwrap());
        assert!(!credentials.refresh().unwrap(), "nothing has changed since");
    }
    assert!(server.expires() > before);
    assert_eq!(call(&gateway, &address).await, Ok(true));
}

#[tokio::test]
async fn a_new_authority_is_believed_beside_the_former_one() {
    let authority = Authority::new();
    let server = Credentials::load(&authority.files(Role::Maintainer)).unwrap();
    let former = authority.transport(Role::Gateway);
    let address = serve(Transport::Mutual(server.clone()), CALLERS).await;
    authority.run(&["--new-authority"], &[]);
    assert!(server.refresh().unwrap());
    assert_eq!(call(&former, &address).await, Ok(true));
    // The gateway is renewed first: the maintainer believes it already.
    authority.run(&["--renew"], &[]);
    let renewed = authority.transport(Role::Gateway);
    assert_eq!(call(&renewed, &address).await, Ok(true));
    assert!(server.refresh().unwrap());
    assert_eq!(call(&renewed, &address).await, Ok(true));
}

#[test]
fn files_that_cannot_be_used_are_named_and_what_was_good_is_kept() {
    let authority = Authority::new();
    let files = authority.files(Role::Gateway);
    let credentials = Credentials::load(&files).unwrap();
    let good = credentials.expires();
    let write = |path: &Path, text: &[u8]| {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, text).unwrap();
    };
    // Half of a renewal: the key of another certificate.
    let key = std::fs::read(authority.file(Role::Connector, "service.key")).unwrap();
    write(&files.key, &key);
    let error = credentials.refresh().unwrap_err().to_string();
    assert!(error.contains("gateway/service.crt"), "{error}");
    write(&files.certificate, b"nothing");
    let error = credentials.refresh().unwrap_err().to_string();
    assert!(
        error.contains("service.crt contains no certificate"),
        "{error}"
    );
    std::fs::remove_file(&files.authority).unwrap();
    let error = credentials.refresh().unwrap_err().to_string();
    assert!(error.contains("ca.crt cannot be read"), "{error}");
    assert_eq!(credentials.expires(), good);
}

#[test]
fn an_address_of_the_other_kind_is_refused() {
    let authority = Authority::new();
    let mutual = authority.transport(Role::Gateway);
    for (transport, address) in [
        (&mutual, "http://connector:7100"),
        (&Transport::Plain, "https://connector:7100"),
        (&Transport::Plain, "connector at home"),
        (&Transport::Plain, "http://connector at home"),
    ] {
        let refused = transport.channel(address, Role::Connector).unwrap_err();
        assert!(refused.to_string().contains(address), "{refused}");
    }
}
