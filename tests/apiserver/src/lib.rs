//! A double of the Kubernetes apiserver.
#![forbid(unsafe_code)]
