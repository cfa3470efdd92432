//! Decides as kubectl does, on the same files and the same server.

mod clients;
#[cfg(unix)]
mod exec;
mod kubeconfig;
mod plain_text;
mod proxies;
mod server;
mod trust;
