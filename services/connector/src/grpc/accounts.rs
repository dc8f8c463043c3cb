//! Calls about an account itself.

use compute_proto::wire::{CheckLoginRequest, CheckLoginResponse, CheckResponse, Target};
use secrecy::SecretString;

use super::record_job;
use crate::{check, error::Error, hpc_registry::HpcRegistry};

pub(super) async fn check(registry: &HpcRegistry, target: &Target) -> Result<CheckResponse, Error> {
    let items = if target.credential.is_none() && registry.is_private(&target.hpc) {
        check::private()
    } else {
        let account = registry.account(target)?;
        check::check(&account.remote, &account.hpc).await
    };
    let items = items.into_iter().map(Into::into).collect();
    Ok(CheckResponse { items })
}

pub(super) async fn check_login(
    registry: &HpcRegistry,
    hpc: &str,
    request: CheckLoginRequest,
) -> Result<CheckLoginResponse, Error> {
    let CheckLoginRequest {
        job_id,
        user,
        password,
        ..
    } = request;
    record_job(&job_id);
    let password = SecretString::from(password);
    let sealed = registry.check_login(hpc, &job_id, &user, password).await?;
    tracing::info!(hpc, account = user, "login checked");
    Ok(CheckLoginResponse { sealed })
}
