//! kubectl on the same files and the same server: the measure for whether a connection can be made.
//!
//! The user of the kubeconfig needs credentials: without any, kubectl asks for a name on standard input.

use std::{collections::BTreeSet, process::Command, sync::LazyLock};

use super::World;

static INSTALLED: LazyLock<bool> = LazyLock::new(|| {
    let found = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
    if !found {
        eprintln!("SKIPPED: kubectl is not installed, so nothing is compared with it");
    }
    found
});

/// The reaction of a client to its kubeconfig, as far as the server and the user see it.
pub struct Decision {
    /// Whether it got the list of pods.
    pub connected: bool,
    /// The distinct credentials that reached the server; none stands for a request without any.
    pub authorization: BTreeSet<Option<String>>,
    /// The words for the user, which are not compared.
    pub err: String,
}

impl World {
    /// kubectl's decision, with these flags; None where kubectl is not installed.
    pub fn kubectl(&self, flags: &str) -> Option<Decision> {
        INSTALLED.then(|| {
            self.forget_requests();
            let path = "get --raw /api/v1/namespaces/default/pods --request-timeout 10s";
            let ran = self.program("kubectl", &format!("{path} {flags}")).run();
            self.decision(ran.succeeded(), ran.err())
        })
    }

    /// The decision of this program, with these flags.
    pub fn ours(&self, flags: &str) -> Decision {
        self.forget_requests();
        let ran = self.run(&format!(". --no-follow --request-timeout 10s {flags}"));
        self.decision(ran.succeeded(), ran.err())
    }

    /// Expects both to decide the same, and gives the decision of this program.
    #[track_caller]
    pub fn as_kubectl(&self, flags: &str) -> Decision {
        let ours = self.ours(flags);
        if let Some(theirs) = self.kubectl(flags) {
            let config = self.home.read("kubeconfig");
            let compared = |decision: &Decision| (decision.connected, decision.authorization.clone());
            assert_eq!(
                compared(&ours),
                compared(&theirs),
                "ours (left): {}\ntheirs (right): {}\nflags {flags:?}\n{config}",
                ours.err,
                theirs.err,
            );
        }
        ours
    }

    /// Expects kubectl to decide otherwise, and gives the decision of this program. The test says why it differs.
    #[track_caller]
    pub fn unlike_kubectl(&self, flags: &str) -> Decision {
        let ours = self.ours(flags);
        if let Some(theirs) = self.kubectl(flags) {
            let differs = ours.connected != theirs.connected || ours.authorization != theirs.authorization;
            assert!(differs, "both decide the same\nflags {flags:?}\n{}", self.home.read("kubeconfig"));
        }
        ours
    }

    fn decision(&self, connected: bool, err: String) -> Decision {
        let requests = self.requests();
        let sent = requests.iter().map(|request| request.header("authorization").map(str::to_owned));
        Decision { connected, authorization: sent.collect(), err }
    }
}
