//! Selects the cluster and the user: kubeconfig, service account, flags and environment become a server, its trusted
//! authorities, and credentials that are kept fresh. This module sends nothing, and knows nothing of connections and
//! requests.
//!
//! `kubeconfig` finds the files and selects entries, which `entry` reads key by key, from JSON made by `yaml`, into a
//! `cluster` and a `user`. `settings` combines them for the transport, and decides whether secrets may be sent; `auth`
//! keeps the credentials from `exec` or a file fresh.

pub mod auth;
mod auth_provider;
pub mod certificate;
mod cluster;
pub mod credential;
mod entry;
mod exec;
#[cfg(fuzzing)]
pub mod fuzz;
mod impersonate;
pub mod kubeconfig;
pub mod proxy;
pub mod settings;
mod user;
mod yaml;
