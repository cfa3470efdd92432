//! Finds the kubeconfig files and selects the entries of one context, as kubectl does. Only the selected entries are
//! judged: what is wrong with another one does not matter.

use std::{
    env,
    ffi::OsString,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    cluster::Cluster,
    entry::{Entry, kind},
    user::User,
    yaml::parse,
};
use crate::{
    cluster::error::{Error, root_cause},
    machine::Machine,
    plan::{Connect, name},
    platform::home,
    small_file,
};

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

    /// A simulated machine has no variables.
    pub fn of(machine: &Machine) -> Host<'static> {
        match machine.simulation() {
            Some(_) => Host { var: &|_| None, ..Host::of_process() },
            None => Host::of_process(),
        }
    }

    /// A variable that is set, not empty, and valid UTF-8.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.var)(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
    }
}

/// The files in order. They are not merged: for each name, the first file that contains it is used.
pub struct Kubeconfigs {
    files: Vec<Kubeconfig>,
    /// The searched paths, for messages.
    pub searched: String,
}

struct Kubeconfig {
    path: PathBuf,
    content: Value,
}

/// One cluster, one user and one namespace.
#[derive(Debug, Default)]
pub struct Chosen {
    pub cluster: Cluster,
    pub user: User,
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
        let files = Kubeconfigs::load(connect.kubeconfig.as_deref(), &Host::of_process())?;
        let names = |list: &List| files.names(list).map(str::to_owned).collect();
        Ok(Named { contexts: names(&CONTEXTS), clusters: names(&CLUSTERS), users: names(&USERS) })
    }
}

/// A list of named entries in a kubeconfig: `contexts: [{name: …, context: {…}}]`
struct List {
    key: &'static str,
    entry: &'static str,
}

const CONTEXTS: List = List { key: "contexts", entry: "context" };
const CLUSTERS: List = List { key: "clusters", entry: "cluster" };
const USERS: List = List { key: "users", entry: "user" };

/// An entry, and the directory to which its paths are relative.
type Found<'a> = (Entry<'a>, &'a Path);

impl Kubeconfigs {
    /// A file given by `--kubeconfig` must exist; files of `$KUBECONFIG` and `~/.kube/config` may be missing.
    pub fn load(flag: Option<&Path>, host: &Host) -> Result<Kubeconfigs, Error> {
        if let Some(path) = flag {
            let file = Kubeconfig::read(path).map_err(|error| cannot_read(path, &error))??;
            return Ok(Kubeconfigs { files: vec![file], searched: shown([path]) });
        }
        let listed = (host.var)("KUBECONFIG").filter(|list| !list.is_empty());
        let paths: Vec<PathBuf> = match &listed {
            Some(list) => env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
            None => {
                let home = home::of(host.var);
                home.map(|home| home.join(".kube").join("config")).into_iter().collect()
            }
        };
        let mut files = Vec::new();
        for path in &paths {
            match Kubeconfig::read(path) {
                Ok(file) => files.push(file?),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(cannot_read(path, &error)),
            }
        }
        let searched = match (&listed, paths.is_empty()) {
            (Some(_), true) => "$KUBECONFIG (which names no file)".into(),
            (None, true) => format!("~/.kube/config ({} is not set)", home::VARIABLE),
            (Some(_), false) => format!("$KUBECONFIG ({})", shown(paths.iter().map(PathBuf::as_path))),
            (None, false) => shown(paths.iter().map(PathBuf::as_path)),
        };
        Ok(Kubeconfigs { files, searched })
    }

    /// One file with this text.
    #[cfg(fuzzing)]
    pub fn of(path: PathBuf, text: &[u8]) -> Result<Kubeconfigs, Error> {
        let searched = shown([&*path]);
        Ok(Kubeconfigs { files: vec![Kubeconfig::parse(path, text)?], searched })
    }

    /// Whether the files have no entries at all, as `/dev/null`.
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(Kubeconfig::is_empty)
    }

    pub fn choose(&self, connect: &Connect) -> Result<Chosen, Error> {
        let name = match &connect.context {
            Some(name) => Some(name.clone()),
            None => self.current_context()?,
        };
        if let Some(name) = &name {
            // It is the same each time.
            let _ = connect.context_in_use.set(name.clone());
        }
        let context =
            name.map(|name| self.required(&CONTEXTS, &name)).transpose()?.map(|(context, _)| context);
        let of_context = |key| context.as_ref().map_or(Ok(None), |context| context.text(key));
        Ok(Chosen {
            cluster: self.cluster(connect, context.as_ref(), of_context("cluster")?)?,
            user: self.user(connect, of_context("user")?)?,
            namespace: context.as_ref().map_or(Ok(None), namespace)?,
        })
    }

    /// `--server` needs no cluster, unless one is named by `--cluster`.
    fn cluster(
        &self,
        connect: &Connect,
        context: Option<&Entry>,
        of_context: Option<String>,
    ) -> Result<Cluster, Error> {
        let found = match (&connect.cluster, of_context) {
            (Some(name), _) => Some(self.required(&CLUSTERS, name)?),
            (None, Some(name)) if connect.server.is_some() => self.find(&CLUSTERS, &name)?,
            (None, Some(name)) => Some(self.required(&CLUSTERS, &name)?),
            (None, None) if connect.server.is_some() => None,
            (None, None) => {
                return Err(match context {
                    Some(context) => context.invalid("cluster", "is missing: name one, or give --cluster"),
                    None => Error::invalid(format!(
                        "no current context in {}: choose one with --context; contexts there: {}",
                        self.shown(),
                        self.known(&CONTEXTS),
                    )),
                });
            }
        };
        found.map_or_else(|| Ok(Cluster::default()), |(entry, dir)| Cluster::read(&entry, dir))
    }

    /// A context may name a user that does not exist: flags may give the credentials, or none may be needed.
    fn user(&self, connect: &Connect, of_context: Option<String>) -> Result<User, Error> {
        let found = match (&connect.user, &of_context) {
            (Some(name), _) => Some(self.required(&USERS, name)?),
            (None, Some(name)) => self.find(&USERS, name)?,
            (None, None) => None,
        };
        match (found, of_context) {
            (Some((entry, dir)), _) => User::read(&entry, dir),
            (None, Some(name)) => Ok(User::missing(self.does_not_exist(&USERS, &name))),
            (None, None) => Ok(User::anonymous()),
        }
    }

    /// The first that is not empty.
    fn current_context(&self) -> Result<Option<String>, Error> {
        for file in &self.files {
            if let Some(name) = file.entry()?.text("current-context")? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    fn required<'a>(&'a self, list: &List, name: &str) -> Result<Found<'a>, Error> {
        self.find(list, name)?.ok_or_else(|| Error::invalid(self.does_not_exist(list, name)))
    }

    /// The entry of this name in the first file that has it.
    fn find<'a>(&'a self, list: &List, name: &str) -> Result<Option<Found<'a>>, Error> {
        for file in &self.files {
            if let Some(entry) = file.find(list, name)? {
                return Ok(Some((entry, file.path.parent().unwrap_or(Path::new("")))));
            }
        }
        Ok(None)
    }

    fn does_not_exist(&self, list: &List, name: &str) -> String {
        let (there, known) = (self.shown(), self.known(list));
        format!("{} {name:?} does not exist in {there}; {} there: {known}", list.entry, list.key)
    }

    fn names(&self, list: &List) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|file| file.items(list)).filter_map(|item| item["name"].as_str())
    }

    /// `a, b, c`, limited to a readable number.
    fn known(&self, list: &List) -> String {
        const MOST: usize = 20;
        let mut names: Vec<&str> = self.names(list).collect();
        names.sort_unstable();
        names.dedup();
        match names.len() {
            0 => "none".into(),
            count if count > MOST => format!("{} and {} more", names[..MOST].join(", "), count - MOST),
            _ => names.join(", "),
        }
    }

    fn shown(&self) -> String {
        match self.files.is_empty() {
            true => self.searched.clone(),
            false => shown(self.files.iter().map(|file| file.path.as_path())),
        }
    }
}

impl Kubeconfig {
    /// The outer error is the file's, the inner one that of its content.
    fn read(path: &Path) -> io::Result<Result<Kubeconfig, Error>> {
        let text = small_file::read(path)?;
        // Paths in it are relative to it, also if it is given relative to the working directory.
        let path = std::path::absolute(path)?;
        Ok(Kubeconfig::parse(path, &text))
    }

    fn parse(path: PathBuf, text: &[u8]) -> Result<Kubeconfig, Error> {
        let content = parse(text).map_err(|place| {
            Error::invalid(format!(
                "kubeconfig {} is not valid YAML{place}: correct it, or give another file with --kubeconfig",
                path.display()
            ))
        })?;
        Kubeconfig { path, content }.checked()
    }

    /// Rejects a file that is none of Kubernetes' configurations at all.
    fn checked(self) -> Result<Kubeconfig, Error> {
        let file = self.entry()?;
        for (key, expected) in [("kind", "Config"), ("apiVersion", "v1")] {
            if let Some(Value::String(found)) = file.value(key)
                && ![expected, ""].contains(&found.as_str())
            {
                let problem =
                    format!("is {found:?}, and must be {expected}: give another file with --kubeconfig");
                return Err(file.invalid(key, problem));
            }
        }
        Ok(self)
    }

    fn entry(&self) -> Result<Entry<'_>, Error> {
        Entry::new(format!("kubeconfig {}", self.path.display()), Some(&self.content))
    }

    fn find<'a>(&'a self, list: &List, name: &str) -> Result<Option<Entry<'a>>, Error> {
        let file = self.entry()?;
        let List { key, entry } = list;
        let mut found = None;
        for item in file.list(key)? {
            match &item["name"] {
                Value::String(named) if named == name => {}
                odd if !odd.is_string() && parse(name.as_bytes()).is_ok_and(|read| read == *odd) => {
                    let problem = format!("has the name {name}, which is {}: put it in quotes", kind(odd));
                    return Err(file.invalid(key, problem));
                }
                _ => continue,
            }
            if found.replace(item).is_some() {
                return Err(file.invalid(key, format!("has the name {name:?} twice: remove one")));
            }
        }
        let described = || format!("{entry} {name:?} of {}", self.path.display());
        found.map(|item| Entry::new(described(), item.get(entry))).transpose()
    }

    fn items(&self, list: &List) -> &[Value] {
        self.content[list.key].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        let keys = [CONTEXTS.key, CLUSTERS.key, USERS.key, "current-context"];
        keys.into_iter().all(|key| match &self.content[key] {
            Value::Null => true,
            Value::String(name) => name.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        })
    }
}

/// It becomes a part of requests' paths, so it is checked as `--namespace` is.
fn namespace(context: &Entry) -> Result<Option<String>, Error> {
    match context.text("namespace")? {
        Some(name) if !name::is_label(&name) => {
            Err(context.invalid("namespace", format!("is {name:?}, and must be the name of a namespace")))
        }
        namespace => Ok(namespace),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Error {
    Error::invalid(format!("cannot read kubeconfig {}: {}", path.display(), root_cause(error)))
}

fn shown<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    paths.into_iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
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
        let missing = std::fs::read("/nope/config").unwrap_err().to_string();
        assert_eq!(error, format!("cannot read kubeconfig /nope/config: {}", crate::words(&missing)));
    }

    #[test]
    fn the_first_file_to_name_a_thing_wins() {
        let (a, b) = (kubeconfig("x", "server: 'https://a'", ""), kubeconfig("x", "server: 'https://b'", ""));
        let c = kubeconfig("z", "server: 'https://c'", "");
        let machine = machine(&[("a", Some(&a)), ("b", Some(&b)), ("c", Some(&c))]);
        assert_eq!(server(&machine, &Connect::default()), "https://a/");
        assert_eq!(server(&machine, &context("z")), "https://c/");
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
            "users:\n- name: a\n  user: {token: [secret-1}\n",
            "users:\n- name: a\n  user:\n\ttoken: secret-1\n",
            "a: \"secret-1\n",
        ] {
            let machine = machine(&[("config", Some(text))]);
            let error = machine.error(&Connect::default());
            let start =
                format!("kubeconfig {} is not valid YAML near line ", machine.path("config").display());
            assert!(error.starts_with(&start) && !error.contains("secret-1"), "{error}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_is_named() {
        for name in ["y", "7", "true"] {
            let text =
                kubeconfig("x", "server: 'https://a'", "").replace("name: x", &format!("name: {name}"));
            let error = machine(&[("a", Some(&text))]).error(&context(name));
            assert!(error.contains(&format!("contexts has the name {name}, which is ")), "{error}");
        }
    }

    #[test]
    fn where_no_file_is_named_the_error_says_so() {
        let error = machine(&[("", None), ("", None)]).error(&Connect::default());
        assert!(
            error.contains("no kubeconfig with entries in $KUBECONFIG (which names no file), "),
            "{error}"
        );
        let error = Machine::new().error(&Connect::default());
        assert!(
            error.contains(&format!(
                "no kubeconfig with entries in ~/.kube/config ({} is not set), ",
                home::VARIABLE
            )),
            "{error}"
        );
    }

    #[test]
    fn an_empty_file_is_as_none() {
        let error = machine(&[("config", Some(""))]).error(&context("a"));
        assert!(error.contains("context \"a\" does not exist"), "{error}");
        let error = machine(&[("config", Some(""))]).error(&Connect::default());
        assert!(error.starts_with("no cluster configured"), "{error}");
    }
}
