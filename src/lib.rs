//! The log tailer for Kubernetes. The modules in the order in which data flows through them.
#![forbid(unsafe_code)]

pub mod plan;

pub mod cluster;

pub mod select;

pub mod notice;
pub mod tail;
