//! The words of others: they are shown whole, on one line, with who said them; and the exit code that follows from
//! them.

mod kubelet;
mod refusals;
mod templates;
