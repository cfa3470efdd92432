//! Finds the kubeconfig files and selects the entries of one context, as kubectl does.
//!
//! kube's `Config::infer` is not used: it obeys debugging variables, fails on a missing file in `$KUBECONFIG`, and
//! lets an empty `current-context` override a later one.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError};

use crate::{
    cluster::error::{Error, root_cause},
    plan::Connect,
};

/// The user of requests without credentials, for messages.
pub const ANONYMOUS: &str = "an anonymous user";

/// The environment of the process; tests replace it.
pub struct Host<'a> {
    pub var: &'a dyn Fn(&str) -> Option<OsString>,
    /// The directory where Kubernetes mounts a pod's credentials.
    pub service_account: &'a Path,
}

impl Host<'_> {
    pub fn of_process() -> Host<'static> {
        let service_account = Path::new("/var/run/secrets/kubernetes.io/serviceaccount");
        Host { var: &|name| env::var_os(name), service_account }
    }

    /// A variable that is set, not empty, and valid UTF-8.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.var)(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
    }
}

/// The files in order. They are not merged: for each name, the first file that contains it is used.
pub struct Kubeconfigs {
    files: Vec<(PathBuf, Kubeconfig)>,
    /// The searched paths, for messages.
    pub searched: String,
}

/// One cluster, one user and one namespace.
#[derive(Debug, Default)]
pub struct Chosen {
    pub cluster: Cluster,
    pub user: AuthInfo,
    /// The user, for messages.
    pub user_described: String,
    pub namespace: Option<String>,
}

/// Names given in flags.
#[derive(Debug, Default)]
pub struct Named {
    pub contexts: Vec<String>,
    pub clusters: Vec<String>,
    pub users: Vec<String>,
}

impl Named {
    pub fn load(connect: &Connect) -> Result<Named, Error> {
        let mut named = Named::default();
        for (_, file) in Kubeconfigs::load(connect.kubeconfig.as_deref(), &Host::of_process())?.files {
            named.contexts.extend(file.contexts.into_iter().map(|context| context.name));
            named.clusters.extend(file.clusters.into_iter().map(|cluster| cluster.name));
            named.users.extend(file.auth_infos.into_iter().map(|user| user.name));
        }
        Ok(named)
    }
}

impl Kubeconfigs {
    /// A file given by `--kubeconfig` must exist; files of `$KUBECONFIG` and `~/.kube/config` may be missing.
    pub fn load(flag: Option<&Path>, host: &Host) -> Result<Kubeconfigs, Error> {
        if let Some(path) = flag {
            return Ok(Kubeconfigs { files: vec![(path.into(), read(path)?)], searched: shown([path]) });
        }
        let listed = (host.var)("KUBECONFIG").unwrap_or_default();
        let mut paths: Vec<PathBuf> =
            env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
        let listed = !paths.is_empty();
        if !listed && let Some(home) = host.text("HOME").or_else(|| host.text("USERPROFILE")) {
            paths.push(Path::new(&home).join(".kube").join("config"));
        }
        let files = paths
            .iter()
            .filter(|path| path.exists())
            .map(|path| Ok((path.clone(), read(path)?)))
            .collect::<Result<_, Error>>()?;
        let searched = shown(paths.iter().map(PathBuf::as_path));
        Ok(Kubeconfigs {
            files,
            searched: if listed { format!("$KUBECONFIG ({searched})") } else { searched },
        })
    }

    /// Whether the files have no content at all, such as `/dev/null`.
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|(_, file)| {
            file.contexts.is_empty() && file.clusters.is_empty() && file.auth_infos.is_empty()
        })
    }

    pub fn choose(&self, connect: &Connect) -> Result<Chosen, Error> {
        let name = connect.context.as_deref().or_else(|| self.current_context());
        let context = name.map(|name| self.context(name)).transpose()?;
        let cluster = connect.cluster.as_deref().or(context.map(|context| context.cluster.as_str()));
        if cluster.is_none() && connect.server.is_none() {
            return Err(Error::invalid(format!(
                "no current context in {}: choose one with --context; contexts there: {}",
                self.shown(),
                self.contexts(),
            )));
        }
        let user = connect.user.as_deref().or(context.and_then(|context| context.user.as_deref()));
        let (user, user_described) = match user.filter(|user| !user.is_empty()) {
            Some(user) => self.user(user)?,
            None => (AuthInfo::default(), ANONYMOUS.into()),
        };
        Ok(Chosen {
            cluster: cluster.map(|cluster| self.cluster(cluster)).transpose()?.unwrap_or_default(),
            user,
            user_described,
            namespace: context.and_then(|context| context.namespace.clone()),
        })
    }

    fn current_context(&self) -> Option<&str> {
        let mut named = self.files.iter().filter_map(|(_, file)| file.current_context.as_deref());
        named.find(|name| !name.is_empty())
    }

    fn context(&self, name: &str) -> Result<&Context, Error> {
        let mut contexts = self.files.iter().flat_map(|(_, file)| &file.contexts);
        contexts.find(|named| named.name == name).and_then(|named| named.context.as_ref()).ok_or_else(|| {
            let (there, known) = (self.shown(), self.contexts());
            Error::invalid(format!("context {name:?} does not exist in {there}; contexts there: {known}"))
        })
    }

    fn cluster(&self, name: &str) -> Result<Cluster, Error> {
        let mut clusters = self.files.iter().flat_map(|(_, file)| &file.clusters);
        let found = clusters.find(|named| named.name == name).and_then(|named| named.cluster.clone());
        found.ok_or_else(|| {
            let known =
                listed(self.files.iter().flat_map(|(_, file)| &file.clusters).map(|named| &named.name));
            Error::invalid(format!(
                "cluster {name:?} does not exist in {}; clusters there: {known}",
                self.shown()
            ))
        })
    }

    fn user(&self, name: &str) -> Result<(AuthInfo, String), Error> {
        let users =
            self.files.iter().flat_map(|(path, file)| file.auth_infos.iter().map(move |named| (path, named)));
        match users.clone().find(|(_, named)| named.name == name) {
            Some((path, named)) => Ok((
                named.auth_info.clone().unwrap_or_default(),
                format!("user {name:?} of {}", path.display()),
            )),
            None => Err(Error::invalid(format!(
                "user {name:?} does not exist in {}; users there: {}",
                self.shown(),
                listed(users.map(|(_, named)| &named.name)),
            ))),
        }
    }

    fn contexts(&self) -> String {
        listed(self.files.iter().flat_map(|(_, file)| &file.contexts).map(|named| &named.name))
    }

    fn shown(&self) -> String {
        match self.files.is_empty() {
            true => self.searched.clone(),
            false => shown(self.files.iter().map(|(path, _)| path.as_path())),
        }
    }
}

/// Reads one file; kube resolves its paths relative to its directory.
fn read(path: &Path) -> Result<Kubeconfig, Error> {
    Kubeconfig::read_from(path).map_err(|error| {
        let path = path.display();
        match error {
            KubeconfigError::ReadConfig(error, _) => {
                Error::invalid(format!("cannot read kubeconfig {path}: {}", root_cause(&error)))
            }
            // The parser's message quotes the file, which contains secrets: only the position is reported.
            KubeconfigError::Parse(error) => {
                let place = error.location().map(|at| format!(" near line {}, column {}", at.line(), at.column()));
                Error::invalid(format!(
                    "kubeconfig {path} is not valid{}: correct the YAML, or give another file with --kubeconfig",
                    place.unwrap_or_default()
                ))
            }
            error => Error::invalid(format!("kubeconfig {path} is not valid: {error}")),
        }
    })
}

fn shown<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    paths.into_iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// `a, b, c`, limited to a readable number.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    const MOST: usize = 20;
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 => "none".into(),
        count if count > MOST => format!("{} and {} more", names[..MOST].join(", "), count - MOST),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{Machine, kubeconfig};

    /// A machine whose `$KUBECONFIG` lists these files; those without text do not exist.
    fn machine(files: &[(&str, Option<&str>)]) -> Machine {
        let mut machine = Machine::new();
        for (name, text) in files {
            text.map(|text| machine.write(name, text));
        }
        let paths = files.iter().map(|(name, _)| match *name {
            "" => PathBuf::new(),
            name => machine.path(name),
        });
        machine.set("KUBECONFIG", env::join_paths(paths).unwrap());
        machine
    }

    fn server(machine: &Machine, connect: &Connect) -> String {
        machine.settle(connect).unwrap().server.to_string()
    }

    fn context(name: &str) -> Connect {
        Connect { context: Some(name.into()), ..Connect::default() }
    }

    #[test]
    fn missing_files_and_empty_entries_of_the_list_are_skipped() {
        let text = kubeconfig("a", "server: 'https://a'", "");
        let machine = machine(&[("missing", None), ("", None), ("a", Some(&text))]);
        assert_eq!(server(&machine, &Connect::default()), "https://a/");
    }

    #[test]
    fn a_missing_file_of_the_flag_is_an_error() {
        let connect = Connect { kubeconfig: Some("/nope/config".into()), ..Connect::default() };
        let error = machine(&[]).error(&connect);
        assert_eq!(error, "cannot read kubeconfig /nope/config: No such file or directory");
    }

    #[test]
    fn the_first_file_to_name_a_thing_wins() {
        let (a, b) = (kubeconfig("x", "server: 'https://a'", ""), kubeconfig("x", "server: 'https://b'", ""));
        let c = kubeconfig("y", "server: 'https://c'", "");
        let machine = machine(&[("a", Some(&a)), ("b", Some(&b)), ("c", Some(&c))]);
        assert_eq!(server(&machine, &Connect::default()), "https://a/");
        assert_eq!(server(&machine, &context("y")), "https://c/");
    }

    #[test]
    fn an_empty_current_context_does_not_win_over_a_later_one() {
        let text = kubeconfig("a", "server: 'https://a'", "");
        let machine = machine(&[("none", Some("current-context: \"\"\n")), ("a", Some(&text))]);
        assert_eq!(server(&machine, &Connect::default()), "https://a/");
    }

    #[test]
    fn missing_entries_are_named_with_the_existing_ones() {
        let text = kubeconfig("a", "server: 'https://a'", "");
        let machine = machine(&[("config", Some(&text))]);
        let path = machine.path("config").display().to_string();
        let error = machine.error(&context("nope"));
        assert_eq!(error, format!("context \"nope\" does not exist in {path}; contexts there: a"));
        let error = machine.error(&Connect { cluster: Some("nope".into()), ..Connect::default() });
        assert_eq!(error, format!("cluster \"nope\" does not exist in {path}; clusters there: c-a"));
        let error = machine.error(&Connect { user: Some("nope".into()), ..Connect::default() });
        assert_eq!(error, format!("user \"nope\" does not exist in {path}; users there: u-a"));
    }

    #[test]
    fn without_a_current_context_there_is_a_choice_to_make() {
        let text = kubeconfig("a", "server: 'https://a'", "").replace("current-context: a\n", "");
        let error = machine(&[("config", Some(&text))]).error(&Connect::default());
        assert!(error.contains("choose one with --context; contexts there: a"), "{error}");
    }

    #[test]
    fn cluster_and_user_of_the_flags_replace_the_contexts() {
        let (a, b) =
            (kubeconfig("a", "server: 'https://a'", ""), kubeconfig("b", "server: 'https://b'", "token: t"));
        let machine = machine(&[("a", Some(&a)), ("b", Some(&b))]);
        let connect = Connect { cluster: Some("c-b".into()), user: Some("u-b".into()), ..Connect::default() };
        assert_eq!(server(&machine, &connect), "https://b/");
        assert!(machine.settle(&connect).unwrap().user.starts_with("user \"u-b\" of "));
    }

    #[test]
    fn the_namespace_is_the_contexts() {
        let text =
            kubeconfig("a", "server: 'https://a'", "").replace("user: u-a}", "user: u-a, namespace: shop}");
        assert_eq!(machine(&[("a", Some(&text))]).settle(&Connect::default()).unwrap().namespace, "shop");
    }

    #[test]
    fn broken_yaml_is_placed_and_never_quoted() {
        for text in [
            "contexts: []\nusers: secret-1\n",
            "users:\n- name: a\n  user: {token: [secret-1]}\n",
            "a: \"secret-1\n",
        ] {
            let machine = machine(&[("config", Some(text))]);
            let error = machine.error(&Connect::default());
            let start = format!("kubeconfig {} is not valid near line ", machine.path("config").display());
            assert!(error.starts_with(&start) && !error.contains("secret-1"), "{error}");
        }
    }

    #[test]
    fn an_empty_file_is_as_none() {
        let error = machine(&[("config", Some(""))]).error(&context("a"));
        assert!(error.contains("context \"a\" does not exist"), "{error}");
        let error = machine(&[("config", Some(""))]).error(&Connect::default());
        assert!(error.starts_with("no cluster configured"), "{error}");
    }
}
