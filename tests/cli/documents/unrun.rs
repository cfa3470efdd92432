//! Commands of the pages that no test can run, each with the reason.

/// The start of a command, and why it is not run.
const UNRUN: &[(&str, &str)] = &[
    ("cargo install ", "installs, and builds for minutes"),
    ("cargo binstall ", "needs a release"),
    ("cargo ", "builds or checks the source, as `.ci/run` does"),
    ("ROUND_TRIP_MS=50 cargo ", "the same"),
    ("STERN_RS_E2E_KUBECONFIG=", "needs a cluster"),
    (".ci/", "is a step of `.ci/run`"),
    ("fuzz/run ", "fuzzes for minutes"),
    ("benches/", "measures for minutes"),
    ("git clone ", "needs the network"),
    ("brew ", "needs a release and Homebrew"),
    ("kubectl krew ", "needs a release and krew"),
    ("scoop ", "needs a release and Windows"),
    ("winget ", "needs a release and Windows"),
    ("nix ", "needs a release and Nix"),
    ("yay ", "needs a release and Arch Linux"),
    ("sudo ", "changes the machine"),
    ("docker ", "needs a release and docker"),
    ("tar -xzf stern-rs-", "needs a release"),
    ("cd stern-rs-", "needs a release"),
    ("sha256sum ", "needs a release"),
    ("gh attestation ", "needs a release and GitHub"),
    ("ln -s ", "makes links in the home directory"),
    ("source <(", "is for an interactive shell; tests/shells has completion"),
    ("alias ", "is for an interactive shell; tests/shells has completion"),
    ("complete ", "is for an interactive shell; tests/shells has completion"),
];

/// A page of such commands only, and why none is run.
pub const PAGES: &[(&str, &str)] = &[("RELEASING.md", "makes and checks a release")];

/// Why a command is not run; None if it is.
pub fn reason(command: &str) -> Option<&'static str> {
    UNRUN.iter().find(|(start, _)| command.starts_with(start)).map(|(_, reason)| *reason)
}
