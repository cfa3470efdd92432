//! Settles which cluster is meant and who asks: kubeconfig, service account, flags and environment become a server, whom
//! to trust, and credentials that stay fresh. It sends nothing, and knows nothing of connections and requests.
//!
//! `settings` joins the others into what a transport needs; `auth` keeps the credentials that `exec` or a file gives.

pub mod auth;
pub mod certificate;
pub mod credential;
mod exec;
pub mod kubeconfig;
pub mod proxy;
pub mod settings;
