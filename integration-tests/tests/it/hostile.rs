//! Attacks of an ordinary hub user on other users, the account and the operator. Each
//! test prints what was tried and what stopped it (`attack::report`).

mod cancel;
mod checked;
mod deployment;
mod floods;
mod globus;
mod identity;
mod job_tokens;
mod launcher;
mod names;
mod operator_routes;
mod planted_files;
mod proxy;
mod shared_folders;
mod terminal;
