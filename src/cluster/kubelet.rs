//! The kubelet's words that control the code: errors and reasons known only by their text.
//!
//! A kubelet that fails within a log writes its error as a line, with status 200, and ends the log; one that fails
//! before answering uses a status that has many meanings. No message is part of an API: if a new Kubernetes changes
//! one, it is treated like any other error. The same holds for the reasons in a container's status.
//!
//! Each error and reason names where its text was seen: on a real cluster of that version, or in the source of those
//! versions.

/// An error known by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The log, or the rest of it, cannot be read for another reason.
    Unreadable,
}

impl KubeletError {
    /// The error of a sentence that a kubelet or a runtime is known to write: in place of lines, or as the message of a
    /// refusal. A line of a program may be the same; it has a timestamp, as a rule.
    pub fn of(text: &str) -> Option<KubeletError> {
        let text = text.strip_prefix("Error: ").unwrap_or(text);
        let is_missing = || text.ends_with("no such file or directory");
        match text {
            _ if text.contains("failed to create fsnotify watcher") => Some(KubeletError::NoWatcher),
            _ if text.starts_with("unable to retrieve container logs for ") => {
                Some(KubeletError::NoContainer)
            }
            _ if text.contains("previous terminated container") => Some(KubeletError::NoPrevious),
            _ if begins_like(text, FILES) && is_missing() => Some(KubeletError::NoFile),
            _ if begins_like(text, FILES) || begins_like(text, OTHERS) => Some(KubeletError::Unreadable),
            _ => None,
        }
    }
}

/// Beginnings of sentences about the file of a log, each with a later part if the beginning alone is too common. Source
/// 1.31 to 1.37 (`k8s.io/cri-client/pkg/logs`), and the errors of Go for a path.
const FILES: &[(&str, &str)] = &[
    ("failed to try resolving symlinks in path ", ""),
    ("failed to open log file ", ""),
    ("failed to tail ", " lines of log file "),
    ("failed to seek ", " in log file "),
    ("failed to reset seek in log file ", ""),
    ("failed to read log file ", ""),
    ("failed to watch directory", ": "),
    ("failed to watch file", ": "),
    ("lstat /", ": "),
    ("open /", ": "),
];

/// The same for other sentences: of the kubelet (`pkg/kubelet`, `k8s.io/cri-client`), of runtimes through gRPC, and of
/// Docker.
const OTHERS: &[(&str, &str)] = &[
    ("rpc error: code = ", " desc = "),
    ("unable to retrieve ", ""),
    ("Unable to retrieve ", ""),
    ("failed to get parse function: ", ""),
    ("failed to get container status ", ""),
    ("unsupported log format: ", ""),
    ("container status is nil", ""),
    ("pod ", " cannot be found - no logs available"),
    ("context cancelled", ""),
    ("context canceled", ""),
    ("context deadline exceeded", ""),
    ("fsnotify: ", ""),
    ("No such container: ", ""),
    ("Error response from daemon: ", ""),
    ("configured logging driver does not support reading", ""),
];

fn begins_like(text: &str, sentences: &[(&str, &str)]) -> bool {
    sentences.iter().any(|(start, later)| text.strip_prefix(start).is_some_and(|rest| rest.contains(later)))
}

/// Whether a container that waits for this reason is starting as usual: every new container waits for its volumes and
/// image, or for the init containers of its pod. Source (`pkg/kubelet/kubelet_pods.go`) of unknown versions.
pub fn is_starting(reason: &str) -> bool {
    matches!(reason, "ContainerCreating" | "PodInitializing")
}

/// Whether a refusal says that a container has ended and its log is gone. Source (`pkg/kubelet/kubelet_pods.go`) of
/// unknown versions.
pub(super) fn is_terminated(message: &str) -> bool {
    message.starts_with("container ") && message.ends_with(" is terminated")
}

/// Whether a refusal says that the kubelet does not know the container: it forgets those of a pod that it evicts. Cluster
/// 1.20.
pub(super) fn is_unknown(message: &str) -> bool {
    message.starts_with("container ") && message.ends_with(" is not available")
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
    fn each_sentence_in_place_of_lines_is_known() {
        for text in [
            "failed to try resolving symlinks in path \"/l/0.log\": lstat /l: permission denied",
            "failed to open log file \"/l/0.log\": open /l/0.log: too many open files",
            "failed to tail 10 lines of log file \"/l/0.log\": read /l/0.log: input/output error",
            "failed to seek 4096 in log file \"/l/0.log\": seek /l/0.log: invalid argument",
            "failed to reset seek in log file \"/l/0.log\": seek /l/0.log: invalid argument",
            "failed to read log file \"/l/0.log\": read /l/0.log: stale NFS file handle",
            "failed to watch directory \"/l\": no space left on device",
            "failed to watch file \"/l/0.log\": no space left on device",
            "failed to get parse function: unsupported log format: \"\\x00\\x00\"",
            "rpc error: code = Unavailable desc = error reading from server: EOF",
            "rpc error: code = NotFound desc = an error occurred when try to find container \"1f\": not found",
            "unable to retrieve container log for x",
            "Unable to retrieve pod logs",
            "container status is nil",
            "pod \"web-1\" cannot be found - no logs available",
            "context deadline exceeded",
            "fsnotify: queue or buffer overflow",
            "Error response from daemon: configured logging driver does not support reading",
            "Error: No such container: 1f",
        ] {
            assert_eq!(KubeletError::of(text), Some(KubeletError::Unreadable), "{text}");
        }
    }

    #[test]
    fn other_words_mean_nothing() {
        for text in [
            "",
            "failed to open the shop",
            "rpc error",
            "cat: /etc/motd: no such file or directory",
            "Error: no such user",
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
    fn a_container_that_has_ended_is_known_by_its_refusal() {
        assert!(is_terminated("container \"app\" in pod \"web-1\" is terminated"));
        for message in
            ["", "container \"app\" in pod \"web-1\" is waiting to start", "the server is terminated"]
        {
            assert!(!is_terminated(message), "{message}");
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
