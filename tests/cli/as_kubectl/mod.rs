//! Decides as kubectl does, on the same files and the same server.

mod clients;
mod proxies;
mod trust;
