//! Flags that select pods and containers.

use super::{Complete, Flag, Group, List, Scope, Switch, Text, flag};

pub const STATES: &[&str] = &["running", "waiting", "terminated", "all"];

/// As the apiserver spells them.
pub const CONDITIONS: [&str; 6] = [
    "ContainersReady",
    "Initialized",
    "Ready",
    "PodScheduled",
    "DisruptionTarget",
    "PodReadyToStartContainers",
];

flags! {
    Group::new("Which pods and containers", Scope::Selection);

    /// Namespaces to search. Default: the namespace of the kubeconfig's context. `-n web,api -n jobs`
    pub static NAMESPACE: Flag<List> = flag("namespace", "NAME,…")
        .short('n')
        .help("Search these namespaces, not the context's")
        .completes(Complete::Namespaces);

    /// Search all namespaces and ignore `-n`. Default: false
    pub static ALL_NAMESPACES: Flag<Switch> = flag("all-namespaces", "")
        .short('A')
        .help("Search all namespaces");

    /// Select pods by label; not with KIND/NAME. The selector may use `=`, `==`, `!=`, `in`, `notin`, `key`, `!key`, `<`
    /// and `>`. `-l app=web,tier!=test`, `-l 'app in (web,api),!canary'`
    pub static SELECTOR: Flag<Text> = flag("selector", "SELECTOR")
        .short('l')
        .help("Select pods by label: app=web,tier!=test");

    /// Select pods by field. The apiserver decides which fields it supports. `--field-selector status.phase=Running`
    pub static FIELD_SELECTOR: Flag<Text> = flag("field-selector", "SELECTOR")
        .help("Select pods by field: status.phase=Running");

    /// Select pods on this node.
    pub static NODE: Flag<Text> = flag("node", "NAME")
        .help("Select pods on this node")
        .completes(Complete::Nodes);

    /// Exclude pods with matching names; repeatable.
    pub static EXCLUDE_POD: Flag<List> = flag("exclude-pod", "REGEX")
        .help("Exclude pods with matching names");

    /// Select containers with matching names. Default: all
    pub static CONTAINER: Flag<Text> = flag("container", "REGEX")
        .short('c')
        .help("Select containers with matching names")
        .completes(Complete::Containers);

    /// Exclude containers with matching names; repeatable. `-E istio-proxy`
    pub static EXCLUDE_CONTAINER: Flag<List> = flag("exclude-container", "REGEX")
        .short('E')
        .help("Exclude containers with matching names")
        .completes(Complete::Containers);

    /// Select the containers that exist at startup by state: `running`, `waiting`, `terminated` or `all`. Containers that
    /// start later are always selected. Default: `all`
    pub static CONTAINER_STATE: Flag<List> = flag("container-state", "STATE,…")
        .help("Select containers by state at startup: running, waiting, terminated or all")
        .completes(Complete::WordList(STATES));

    /// Select pods by condition: `ContainersReady`, `Initialized`, `Ready`, `PodScheduled`, `DisruptionTarget` or
    /// `PodReadyToStartContainers`, in any case. The status is `true` (the default), `false` or `unknown`.
    /// `--condition ready=false`
    pub static CONDITION: Flag<Text> = flag("condition", "NAME[=STATUS]")
        .help("Select pods by condition: ready, ready=false")
        .completes(Complete::Conditions);

    /// Include init containers. Default: true. `--init-containers=false`
    pub static INIT_CONTAINERS: Flag<Switch> = flag("init-containers", "BOOL")
        .help("Include init containers (default true)")
        .absent("true");

    /// Include ephemeral containers. Default: true
    pub static EPHEMERAL_CONTAINERS: Flag<Switch> = flag("ephemeral-containers", "BOOL")
        .help("Include ephemeral containers (default true)")
        .absent("true");

    /// Choose a value of the label `app.kubernetes.io/instance` in a menu. The menu lists the values of the pods that the
    /// other flags select; typing narrows it, Esc or Ctrl-C exits with 130. Not with KIND/NAME. The menu needs a
    /// terminal, but standard output may be a pipe. Default: false. (kubectl's `-p` is `--previous` here.)
    /// `stern-rs -p -A | grep error`
    pub static PROMPT: Flag<Switch> = flag("prompt", "")
        .short('p')
        .help("Choose an app.kubernetes.io/instance in a menu")
        .scope(Scope::Cluster);
}
