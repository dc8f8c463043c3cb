//! The scripted connector keeps the contract that the real one keeps.

use compute_proto::ConnectorClient;
use compute_runtime::{grpc::Transport, tls::Role};
use compute_testing::connector_contract::{cancels, refuses_odd_ids, shows_each_job, submits_once};

use crate::{
    fake_connector::{FakeConnector, Shown},
    world::HPC,
};

#[tokio::test]
async fn the_scripted_connector_keeps_it() {
    let (connector, address) = FakeConnector::start().await;
    connector.show(Shown::running());
    let channel = Transport::Plain.channel(&address, Role::Connector);
    let client = ConnectorClient::for_hpc(channel.unwrap(), HPC);
    refuses_odd_ids(&client).await;
    let job = submits_once(&client).await;
    shows_each_job(&client, &job).await;
    cancels(&client, &job).await;
}
