//! Flags of kubectl that few users need here, with the same meaning.

use super::{Complete, File, Flag, Group, List, Scope, Switch, Text, flag};

flags! {
    Group { hidden: true, ..Group::new("Hidden options", Scope::Selection) };

    /// Impersonate this user.
    pub static AS: Flag<Text> = flag("as", "USER").help("Impersonate this user");

    /// Impersonate this group; repeatable.
    pub static AS_GROUP: Flag<List> = flag("as-group", "GROUP").help("Impersonate this group; repeatable");

    /// Impersonate this UID.
    pub static AS_UID: Flag<Text> = flag("as-uid", "UID").help("Impersonate this UID");

    /// Impersonate with this extra value; repeatable.
    pub static AS_USER_EXTRA: Flag<List> = flag("as-user-extra", "KEY=VALUE")
        .help("Impersonate with this extra value; repeatable");

    /// Send this bearer token in place of the token, password or plugin of the kubeconfig. It is not sent to an address that
    /// is not encrypted.
    pub static TOKEN: Flag<Text> = flag("token", "TOKEN").help("Send this bearer token");

    /// Use the apiserver at this address. An address without `https://` is not encrypted.
    pub static SERVER: Flag<Text> = flag("server", "URL").help("Use the apiserver at this address");

    /// Verify the apiserver's certificate with this certificate authority; not with `--insecure-skip-tls-verify`.
    pub static CERTIFICATE_AUTHORITY: Flag<File> = flag("certificate-authority", "FILE")
        .help("Verify the apiserver with this authority");

    /// Use this client certificate.
    pub static CLIENT_CERTIFICATE: Flag<File> = flag("client-certificate", "FILE").help("Use this client certificate");

    /// Use this key of the client certificate.
    pub static CLIENT_KEY: Flag<File> = flag("client-key", "FILE").help("Use this key of the client certificate");

    /// Use this cluster of the kubeconfig.
    pub static CLUSTER: Flag<Text> = flag("cluster", "NAME")
        .help("Use this cluster of the kubeconfig")
        .completes(Complete::Clusters);

    /// Use this user of the kubeconfig.
    pub static USER: Flag<Text> = flag("user", "NAME")
        .help("Use this user of the kubeconfig")
        .completes(Complete::Users);

    /// Accept any certificate of the apiserver. Default: false
    pub static INSECURE_SKIP_TLS_VERIFY: Flag<Switch> = flag("insecure-skip-tls-verify", "")
        .help("Accept any certificate of the apiserver");

    /// Expect this name in the apiserver's certificate.
    pub static TLS_SERVER_NAME: Flag<Text> = flag("tls-server-name", "NAME")
        .help("Expect this name in the apiserver certificate");

    /// Wait at most this long for a list, with all of its pages and retries, and for the start of a log; a running log has
    /// no limit. A plain number is in seconds. A request that times out is sent again while logs are followed. Default: 0,
    /// which limits silence only: one minute within a list, half a minute until a followed log starts, one minute until
    /// another log starts. `--request-timeout 5m`
    pub static REQUEST_TIMEOUT: Flag<Text> = flag("request-timeout", "DURATION")
        .help("Wait at most this long for a response (default 0: until a minute of silence)");

    /// Has no effect, since nothing is cached.
    pub static CACHE_DIR: Flag<File> = flag("cache-dir", "DIR").help("Accept kubectl's flag; nothing is cached");

    /// Do not ask for compressed lists of pods. Compression makes a long list about ten times shorter, at little cost for
    /// the apiserver; without it a list comes sooner over a network that is faster than some 100 MB a second. Logs are never
    /// compressed.
    pub static DISABLE_COMPRESSION: Flag<Switch> =
        flag("disable-compression", "").help("Do not ask for compressed lists");
}
