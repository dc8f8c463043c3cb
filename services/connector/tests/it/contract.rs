//! The contract that the scripted connector of the maintainer's tests keeps, too.

use compute_testing::connector_contract::{cancels, refuses_odd_ids, shows_each_job, submits_once};

use crate::parts::Site;

#[tokio::test]
async fn a_real_connector_keeps_it() {
    let site = Site::start().await;
    refuses_odd_ids(&site.client).await;
    let job = submits_once(&site.client).await;
    shows_each_job(&site.client, &job).await;
    cancels(&site.client, &job).await;
    site.stop().await;
}
