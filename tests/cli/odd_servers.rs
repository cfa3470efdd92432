//! Servers that answer in odd ways: understood as kubectl understands them, or named.

mod endless;
mod heads;
mod kubelets;
mod lists;
