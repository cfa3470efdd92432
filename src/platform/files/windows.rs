//! Paths are walked by name: a directory has no descriptor here below which others could be opened.

use std::{
    borrow::Cow,
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::windows::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use winapi_util::file::information;

/// A file whatever its name is: its volume, and its number there.
pub type Id = (u64, u64);

/// Takes all, and gives nothing.
#[cfg(test)]
pub const NULL: &str = "NUL";

/// `FILE_FLAG_OPEN_REPARSE_POINT`: opens a link itself.
const NO_FOLLOW: u32 = 0x0020_0000;

/// `FILE_FLAG_BACKUP_SEMANTICS`: opens a directory too.
const ANY: u32 = 0x0200_0000;

/// Names that are devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

pub fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(buffer, at)
}

pub fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.seek_read(buffer, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}

pub fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.seek_write(bytes, at)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => {
                bytes = &bytes[written..];
                at += written as u64;
            }
        }
    }
    Ok(())
}

/// Whether another program may write into it, for as long as it likes. No file of a path is such a pipe here.
pub fn is_pipe(_: &Metadata) -> bool {
    false
}

/// Of the file at this path, and not of one to which it leads.
pub fn id_at(path: &Path) -> io::Result<Id> {
    id(&OpenOptions::new().access_mode(0).custom_flags(NO_FOLLOW | ANY).open(path)?)
}

fn id(file: &File) -> io::Result<Id> {
    let found = information(file)?;
    Ok((found.volume_serial_number(), found.file_index()))
}

/// A directory that was there.
pub struct Directory(PathBuf);

impl Directory {
    pub fn open(path: &Path) -> io::Result<Directory> {
        match fs::metadata(path)?.is_dir() {
            true => Ok(Directory(path.to_owned())),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// A directory in it, which is made if need be. A symbolic link is refused.
    pub fn below(&self, name: &str) -> io::Result<Directory> {
        let path = self.0.join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        refuse_link(&path)?;
        Directory::open(&path)
    }

    /// A file in it to append to, which is made if need be. A symbolic link is refused.
    pub fn append(&self, name: &str) -> io::Result<(File, Id)> {
        let path = self.0.join(name);
        let file =
            OpenOptions::new().read(true).append(true).create(true).custom_flags(NO_FOLLOW).open(&path)?;
        refuse_link(&path)?;
        match file.metadata()?.is_file() {
            true => id(&file).map(|id| (file, id)),
            false => Err(io::Error::other("it is not a regular file")),
        }
    }
}

fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.file_type().is_symlink() {
        true => Err(io::Error::other("a symbolic link is in its path, and is not followed")),
        false => Ok(()),
    }
}

/// The name for a file that is called so: `con_.log` for `con.log`, which would be the console.
pub fn allowed(name: &str) -> Cow<'_, str> {
    let (stem, ending) = name.split_at(name.find('.').unwrap_or(name.len()));
    let lower = stem.to_ascii_lowercase();
    let is_port = |kind: &str| lower.strip_prefix(kind).is_some_and(|number| number.len() == 1);
    match DEVICES.contains(&lower.as_str()) || is_port("com") || is_port("lpt") {
        true => format!("{stem}_{ending}").into(),
        false => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_are_changed() {
        for (name, expected) in [
            ("con.log", "con_.log"),
            ("aux", "aux_"),
            ("COM1.2.log.gz", "COM1_.2.log.gz"),
            ("com.log", "com.log"),
            ("com10.log", "com10.log"),
            ("console.log", "console.log"),
        ] {
            assert_eq!(allowed(name), expected);
        }
    }
}
