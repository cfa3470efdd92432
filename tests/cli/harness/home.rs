//! A temporary home directory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

pub struct Home(TempDir);

impl Home {
    pub fn new() -> Home {
        Home(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the home directory")).expect("folders can be made");
        fs::write(&path, text).expect("temporary files can be written");
        path.into_os_string().into_string().expect("the path is UTF-8")
    }
}
