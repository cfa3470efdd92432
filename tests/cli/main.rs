//! The binary as a user runs it, against a double of the apiserver. One test binary, so that there is one to link.

mod harness;

mod selection;
