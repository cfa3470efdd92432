//! The program against a real cluster, whose kubeconfig `STERN_RS_E2E_KUBECONFIG` names.
//!
//! The tests need `kubectl` and `jq` on the PATH, and a node that has `busybox:1.35` or can pull it. Every test works
//! in namespaces of its own, which it deletes.
#![allow(clippy::print_stderr, reason = "a test that fails shows what the program printed")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod completing;
mod ending;
mod following;
mod harness;
mod history;
mod output;
mod rights;
mod selection;
mod structured;
mod timeline;
