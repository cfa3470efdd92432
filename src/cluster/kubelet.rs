//! The kubelet's words that control the code: errors and reasons known only by their text.
//!
//! A kubelet that fails within a log writes its error as a line, with status 200, and ends the log; one that fails
//! before answering uses a status that has many meanings. No message is part of an API: if a new Kubernetes changes
//! one, it is treated like any other error. The same holds for the reasons in a container's status.
//!
//! Each error and reason names where its text was seen: on a real cluster of that version, or in the source of those versions.

/// An error known by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "each variant names what is missing")]
pub enum KubeletError {
    /// The node has no inotify instances left; each followed log needs one. Cluster 1.36; source 1.31 to 1.37
    /// (`k8s.io/cri-client/pkg/logs`).
    NoWatcher,
    /// The container and its log were removed, or the runtime does not answer. Cluster 1.36; source
    /// (`pkg/kubelet/kuberuntime`) of unknown versions.
    NoContainer,
    /// The log has no file: normal only if it was removed after its container ended. Source 1.31 to 1.37
    /// (`k8s.io/cri-client/pkg/logs`).
    NoFile,
    /// There is no known instance before the current one. Source (`pkg/kubelet/kubelet_pods.go`) of unknown versions.
    NoPrevious,
}

impl KubeletError {
    /// `text`: a line without a timestamp, or the message of a refusal.
    pub fn of(text: &str) -> Option<KubeletError> {
        match text {
            _ if text.contains("failed to create fsnotify watcher") => Some(KubeletError::NoWatcher),
            _ if text.starts_with("unable to retrieve container logs for ") => {
                Some(KubeletError::NoContainer)
            }
            _ if text.contains("previous terminated container") => Some(KubeletError::NoPrevious),
            _ if text.ends_with("no such file or directory") => Some(KubeletError::NoFile),
            _ => None,
        }
    }
}

/// Whether a container that waits for this reason is starting as usual: every new container waits for its volumes and
/// image, or for the init containers of its pod. Source (`pkg/kubelet/kubelet_pods.go`) of unknown versions.
pub fn is_starting(reason: &str) -> bool {
    matches!(reason, "ContainerCreating" | "PodInitializing")
}

/// The apiserver's reason for a missing answer from a kubelet, which follows the requested address. Cluster 1.36; the
/// quotes around the address are Go's, since 1.14.
pub(super) fn unreachable(message: &str) -> Option<&str> {
    let (_, address) = message.split_once("/containerLogs/")?;
    address.split_once("\": ").map(|(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_is_known() {
        let file = "/var/log/pods/shop_web-1_4f0c/app/0.log";
        let sentences = [
            ("failed to create fsnotify watcher: too many open files".to_owned(), KubeletError::NoWatcher),
            (
                format!("unable to retrieve container logs for containerd://{:064x}", 1),
                KubeletError::NoContainer,
            ),
            (
                format!(
                    "failed to try resolving symlinks in path {file:?}: lstat {file}: no such file or directory"
                ),
                KubeletError::NoFile,
            ),
            (
                format!("failed to open log file {file:?}: open {file}: no such file or directory"),
                KubeletError::NoFile,
            ),
            (
                "previous terminated container \"app\" in pod \"web-1\" not found".into(),
                KubeletError::NoPrevious,
            ),
        ];
        for (text, error) in sentences {
            assert_eq!(KubeletError::of(&text), Some(error), "{text}");
        }
    }

    #[test]
    fn other_words_mean_nothing() {
        for text in [
            "",
            "failed to watch file: no space left on device",
            "rpc error: code = Unavailable desc = error reading from server: EOF",
            "container \"app\" in pod \"web-1\" is waiting to start: ContainerCreating",
            "container \"app\" in pod \"web-1\" is terminated",
        ] {
            assert_eq!(KubeletError::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_container_that_starts_is_known_by_its_reason() {
        assert!(is_starting("ContainerCreating") && is_starting("PodInitializing"));
        for reason in ["", "CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError"] {
            assert!(!is_starting(reason), "{reason}");
        }
    }

    #[test]
    fn a_kubelet_that_cannot_be_reached_is_known_by_its_address() {
        let dial =
            "Get \"https://node-1:10250/containerLogs/shop/web-1/app?follow=true\": dial tcp: i/o timeout";
        assert_eq!(unreachable(dial), Some("dial tcp: i/o timeout"));
        assert_eq!(unreachable("etcdserver: leader changed"), None);
    }
}
