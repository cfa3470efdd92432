//! The binary against a real cluster: the one whose kubeconfig `STERN_RS_E2E_KUBECONFIG` names.
//!
//! It needs `kubectl` and `jq` on the PATH, and a node that has `busybox:1.35` or can pull it. Every test works in
//! namespaces of its own, which it deletes.

mod access;
mod ending;
mod following;
mod harness;
mod history;
mod output;
mod selection;
