//! Attacks of an ordinary hub user on other users, the account and the operator. Each
//! test prints what was tried and what stopped it (`attack::report`).

mod deployment;
mod proxy;
