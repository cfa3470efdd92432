//! One of three variables, chosen as in client-go.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The variable that names it.
pub const VARIABLE: &str = "%USERPROFILE%";

/// The first with a kubeconfig, else the first that is a directory, else the first that is set.
pub fn of(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    chosen(variable, |path| path.join(".kube").join("config").exists(), |path| path.is_dir())
}

fn chosen(
    variable: &dyn Fn(&str) -> Option<OsString>,
    has_kubeconfig: impl Fn(&Path) -> bool,
    is_directory: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let path = |name| set(name).map(PathBuf::from);
    let drive = || {
        let mut drive = set("HOMEDRIVE")?;
        drive.push(set("HOMEPATH")?);
        Some(PathBuf::from(drive))
    };
    let with_kubeconfig = [path("HOME"), drive(), path("USERPROFILE")].into_iter().flatten();
    let mut others: Vec<PathBuf> =
        [path("HOME"), path("USERPROFILE"), drive()].into_iter().flatten().collect();
    let found = with_kubeconfig.into_iter().find(|path| has_kubeconfig(path));
    found.or_else(|| {
        let at = others.iter().position(|path| is_directory(path)).unwrap_or(0);
        (!others.is_empty()).then(|| others.swap_remove(at))
    })
}

/// The same of this process.
pub fn of_user() -> Option<PathBuf> {
    of(&|name| env::var_os(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, &str); 4] =
        [("HOME", "home"), ("HOMEDRIVE", "H:"), ("HOMEPATH", "drive"), ("USERPROFILE", "profile")];

    fn home(set: &[(&str, &str)], with_kubeconfig: &[&str], directories: &[&str]) -> Option<PathBuf> {
        let variable =
            |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        let is_in = |path: &Path, list: &[&str]| list.iter().any(|one| path == Path::new(one));
        chosen(&variable, |path| is_in(path, with_kubeconfig), |path| is_in(path, directories))
    }

    #[test]
    fn the_first_with_a_kubeconfig_is_chosen() {
        let everywhere = ["home", "H:drive", "profile"];
        assert_eq!(home(&ALL, &everywhere, &everywhere), Some("home".into()));
        assert_eq!(home(&ALL, &everywhere[1..], &everywhere), Some("H:drive".into()));
        assert_eq!(home(&ALL, &everywhere[2..], &everywhere), Some("profile".into()));
    }

    #[test]
    fn without_a_kubeconfig_the_first_directory_is_chosen() {
        assert_eq!(home(&ALL, &[], &["H:drive", "profile"]), Some("profile".into()));
        assert_eq!(home(&ALL, &[], &["H:drive"]), Some("H:drive".into()));
        assert_eq!(home(&ALL, &[], &[]), Some("home".into()));
        assert_eq!(home(&[("HOMEDRIVE", "H:"), ("USERPROFILE", "")], &[], &[]), None);
    }
}
