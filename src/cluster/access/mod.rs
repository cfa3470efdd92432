//! Selects the cluster and the user: kubeconfig, service account, flags and environment become a server, its trusted
//! authorities, and credentials that are kept fresh. This module sends nothing, and knows nothing of connections and
//! requests.
//!
//! `settings` combines the others for the transport; `auth` keeps the credentials from `exec` or a file.

pub mod auth;
pub mod certificate;
pub mod credential;
mod exec;
pub mod kubeconfig;
pub mod proxy;
pub mod settings;
