//! The home directory, with the user's kubeconfig in it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{VARIABLE, of, of_user};
#[cfg(windows)]
pub use windows::{VARIABLE, of, of_user};
