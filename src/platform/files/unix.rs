//! Paths are walked by descriptors, so that no link that appears meanwhile leads elsewhere.

use std::{
    borrow::Cow,
    fs::{File, Metadata},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{FileExt, FileTypeExt},
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Dev, FileType, Mode, OFlags, Stat, fstat, lstat, mkdirat, openat, statat},
    io::Errno,
};

/// A file whatever its name is: its device, and its number there.
pub type Id = (Dev, u64);

/// Takes all, and gives nothing.
pub const NULL: &str = "/dev/null";

pub fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(buffer, at)
}

pub fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(buffer, at)
}

pub fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

/// Whether another program may write into it, for as long as it likes.
pub fn is_pipe(file: &Metadata) -> bool {
    file.file_type().is_fifo()
}

/// Of the file at this path, and not of one to which it leads.
pub fn id_at(path: &Path) -> io::Result<Id> {
    Ok(id(&lstat(path)?))
}

fn id(stat: &Stat) -> Id {
    (stat.st_dev, stat.st_ino)
}

/// The name for a file that is called so.
pub fn allowed(name: &str) -> Cow<'_, str> {
    name.into()
}

/// A directory that is open.
pub struct Directory(OwnedFd);

impl Directory {
    pub fn open(path: &Path) -> io::Result<Directory> {
        let opened = openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        Ok(Directory(opened?))
    }

    /// A directory in it, which is made if need be. A symbolic link is refused.
    pub fn below(&self, name: &str) -> io::Result<Directory> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || openat(&self.0, name, flags, Mode::empty());
        let opened = match open() {
            Err(Errno::NOENT) => match mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
                // Another run was first.
                Ok(()) | Err(Errno::EXIST) => open(),
                Err(error) => Err(error),
            },
            opened => opened,
        };
        opened.map(Directory).map_err(|error| unless_link(&self.0, name, error))
    }

    /// A file in it to append to, which is made if need be. A symbolic link is refused.
    pub fn append(&self, name: &str) -> io::Result<(File, Id)> {
        // A pipe without a reader would block.
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = openat(&self.0, name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666));
        let file = File::from(file.map_err(|error| unless_link(&self.0, name, error))?);
        let stat = fstat(&file)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((file, id(&stat))),
            _ => Err(io::Error::other("it is not a regular file")),
        }
    }
}

fn unless_link(folder: impl AsFd, name: &str, error: Errno) -> io::Error {
    let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    match found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_symlink()) {
        true => io::Error::other("a symbolic link is in its path, and is not followed"),
        false => error.into(),
    }
}
