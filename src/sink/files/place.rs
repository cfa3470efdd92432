//! Opens the file of an origin, below the directory and nowhere else, for this run alone.

use std::{
    collections::HashSet,
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

use super::{Named, member};
use crate::platform::files::{Directory, Id, allowed, id_at};

/// The most runs that write the lines of one container at the same time.
const MOST_RUNS: u32 = 9;

/// A directory for files with this ending.
pub struct Place {
    pub dir: PathBuf,
    pub ending: &'static str,
}

/// The file with the name of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Free,
    /// Another run writes it.
    Locked,
    /// It ends within a compressed member, behind which nothing can be read.
    Cut,
}

/// An open file of this run.
pub struct Opened {
    pub file: File,
    pub path: PathBuf,
    /// Whether no other run writes to it. Some file systems have no locks.
    pub is_locked: bool,
    /// Unless it was free, this file has a number.
    pub first: Taken,
    pub id: Id,
}

impl Place {
    /// The names of its directories, and its own without the ending.
    fn parts(named: &Named) -> io::Result<(Vec<&str>, &str)> {
        if !named.0.is_named() {
            return Ok((Vec::new(), "stdin"));
        }
        let [namespace, pod, container] = named.names();
        for name in [namespace, pod, container] {
            // The names were checked at the border; a file must not depend on that.
            if matches!(name, "" | "." | "..") || name.contains(['/', '\\', ':', '\0']) {
                return Err(io::Error::other("its name is none of a file"));
            }
        }
        Ok((vec![namespace, pod], container))
    }

    /// The path of the file, for messages.
    pub fn path(&self, named: &Named) -> PathBuf {
        match Place::parts(named) {
            Ok((folders, stem)) => self.path_of(&folders, &format!("{stem}{}", self.ending)),
            Err(_) => self.dir.clone(),
        }
    }

    fn path_of(&self, folders: &[&str], name: &str) -> PathBuf {
        let names = folders.iter().chain([&name]);
        names.fold(self.dir.clone(), |path, name| path.join(&*allowed(name)))
    }

    /// The file to append to. It is made if need be, with its directories. Those that are `known` are not cut.
    pub fn open(&self, named: &Named, known: &HashSet<Id>) -> io::Result<Opened> {
        let (folders, stem) = Place::parts(named)?;
        let mut folder = self.root()?;
        for name in &folders {
            folder = folder.below(&allowed(name))?;
        }
        let mut first = Taken::Free;
        for run in 1..=MOST_RUNS {
            let number = if run > 1 { format!(".{run}") } else { String::new() };
            let name = format!("{stem}{number}{}", self.ending);
            let (file, id) = folder.append(&allowed(&name))?;
            let (is_locked, taken) = match file.try_lock() {
                Err(TryLockError::WouldBlock) => (false, Taken::Locked),
                lock => match known.contains(&id) || self.can_be_continued(&file)? {
                    true => (lock.is_ok(), Taken::Free),
                    false => (false, Taken::Cut),
                },
            };
            if taken == Taken::Free {
                return Ok(Opened { file, path: self.path_of(&folders, &name), is_locked, first, id });
            }
            first = if run == 1 { taken } else { first };
        }
        Err(io::Error::other(format!("{MOST_RUNS} files of it are written by other runs, or cut")))
    }

    fn can_be_continued(&self, file: &File) -> io::Result<bool> {
        if self.ending.ends_with(".gz") { member::ends_whole(file) } else { Ok(true) }
    }

    fn root(&self) -> io::Result<Directory> {
        match Directory::open(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(link) = self.dir.ancestors().find(|path| path.is_symlink() && !path.exists()) {
                    let text = format!("{} is a symbolic link to nothing", link.display());
                    return Err(io::Error::other(text));
                }
                fs::create_dir_all(&self.dir)?;
                Directory::open(&self.dir)
            }
            opened => opened,
        }
    }
}

impl Opened {
    /// Whether the path still leads to it: it may have been removed, or renamed by a rotation.
    pub fn is_in_place(&self) -> bool {
        id_at(&self.path).is_ok_and(|found| found == self.id)
    }

    /// Whether its last line has no end, as after a crash of the system.
    pub fn ends_within_line(&self) -> io::Result<bool> {
        let mut file = &self.file;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(last != *b"\n")
    }

    /// Removes the last bytes, which this run has written.
    pub fn take_back(&self, bytes: u64) {
        // Without a lock the next write begins with a newline.
        let Some(found) = self.file.metadata().ok().filter(|_| self.is_locked) else { return };
        match found.len().saturating_sub(bytes) {
            // An empty file is no compressed one.
            0 if self.is_in_place() => drop(fs::remove_file(&self.path)),
            length => drop(self.file.set_len(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::{origin::Origin, render::testing::origin};

    fn place() -> Place {
        Place { dir: "logs".into(), ending: ".log" }
    }

    #[test]
    fn a_file_has_the_names_of_its_container() {
        let web = Named(origin("shop", "web-0", "app"));
        assert_eq!(place().path(&web), Path::new("logs/shop/web-0/app.log"));
        assert_eq!(place().path(&Named(Arc::new(Origin::stdin()))), Path::new("logs/stdin.log"));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir: dir.path().join("logs"), ending: ".log" };
        for name in ["", ".", "..", "../..", "a/b", "/etc", "a\0b", "a\\b", "c:"] {
            for origin in
                [origin(name, "web", "app"), origin("shop", name, "app"), origin("shop", "web", name)]
            {
                let error = place.open(&Named(origin), &HashSet::new()).err().unwrap();
                assert_eq!(error.to_string(), "its name is none of a file", "{name:?}");
            }
        }
        assert!(!dir.path().join("logs").exists());
    }
}
