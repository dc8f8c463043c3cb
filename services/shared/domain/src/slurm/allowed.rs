//! What an HPC allows to name: its lists of modules and of mail domains.

use super::{SlurmOptions, ValidationError, names::domain_of};
use crate::site::Hpc;

/// Checks the modules and the mail address of `options` against the lists of `hpc`
/// (`modules`, `mail_domains`); without a list everything is allowed.
///
/// # Errors
/// The first that is not in its list.
pub fn check_allowed(hpc: &Hpc, options: &SlurmOptions) -> Result<(), ValidationError> {
    if let Some(allowed) = &hpc.modules {
        for module in &options.modules {
            if !allowed.contains(module) {
                return Err(error(&hpc.name, "modules", "be", allowed, module));
            }
        }
    }
    if let Some(allowed) = &hpc.mail_domains {
        for address in &options.mail_user {
            let of = |domain: &String| domain.eq_ignore_ascii_case(domain_of(address));
            if !allowed.iter().any(of) {
                let words = "be an address of";
                return Err(error(&hpc.name, "mail_user", words, allowed, address));
            }
        }
    }
    Ok(())
}

fn error(hpc: &str, option: &str, words: &str, allowed: &[String], value: &str) -> ValidationError {
    let which = match allowed {
        [] => "is not allowed at all".to_owned(),
        allowed => format!("must {words} one of {}", allowed.join(", ")),
    };
    ValidationError(format!(
        "slurm config {option} {which} on {hpc} (current value {value})"
    ))
}
