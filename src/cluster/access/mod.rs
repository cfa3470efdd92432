//! Selects the cluster and the user: kubeconfig, service account, flags and environment become a server, its trusted
//! authorities, and credentials that are kept fresh. This module sends nothing, and knows nothing of connections and
//! requests.
//!
//! `settings` combines the others for the transport; `auth` keeps the credentials from `exec` or a file.

pub mod auth;
mod auth_provider;
pub mod certificate;
mod cluster;
pub mod credential;
mod entry;
mod exec;
mod impersonate;
pub mod kubeconfig;
pub mod proxy;
pub mod settings;
mod user;
