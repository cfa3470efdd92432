//! Flags for the connection to the cluster.

use super::{Complete, File, Flag, Group, Integer, Scope, Switch, Text, flag};

flags! {
    Group::new("Connection", Scope::Selection);

    /// Use this kubeconfig. Default: the files in `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account
    pub static KUBECONFIG: Flag<File> = flag("kubeconfig", "FILE")
        .help("Use this kubeconfig (default: $KUBECONFIG, else ~/.kube/config)");

    /// Use this context of the kubeconfig. Default: its current context
    pub static CONTEXT: Flag<Text> = flag("context", "NAME")
        .help("Use this context of the kubeconfig")
        .completes(Complete::Contexts);

    /// Use HTTP/1.1, with one connection for each log. Default: false, with shared connections if the apiserver supports
    /// HTTP/2
    pub static HTTP1: Flag<Switch> = flag("http1", "")
        .help("Use HTTP/1.1, with one connection for each log");

    /// Show each request to the apiserver on standard error if N is 6 or more. Default: 0
    pub static VERBOSITY: Flag<Integer> = flag("verbosity", "N")
        .help("Show requests to the apiserver from N = 6 on");
}
