//! The pages of the documentation, and the blocks of code in them.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub struct Page {
    /// From the root of the repository.
    pub name: String,
    pub text: String,
}

/// A block between fences.
pub struct Block {
    pub language: String,
    /// Its text in the page, without the fences.
    pub range: Range<usize>,
    /// The number of its first line.
    pub line: usize,
}

impl Page {
    pub fn read(name: &str) -> Page {
        let text = fs::read_to_string(Page::path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Page { name: name.to_owned(), text }
    }

    pub fn path(name: &str) -> PathBuf {
        Path::new(ROOT).join(name)
    }

    /// All pages for people: those at the root, and those in `docs`.
    pub fn all() -> Vec<Page> {
        let mut names = Vec::new();
        for folder in ["", "docs/"] {
            for entry in fs::read_dir(Page::path(folder)).expect("the folder exists") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name in ASCII");
                names.extend(name.ends_with(".md").then(|| format!("{folder}{name}")));
            }
        }
        names.sort();
        names.iter().map(|name| Page::read(name)).collect()
    }

    pub fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open, mut at) = (Vec::new(), None::<Block>, 0);
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            let end = at + line.len();
            match (line.trim().strip_prefix("```"), open.take()) {
                (Some(_), Some(block)) => blocks.push(Block { range: block.range.start..at, ..block }),
                (Some(language), None) => {
                    open = Some(Block { language: language.to_owned(), range: end..end, line: number + 2 });
                }
                (None, block) => open = block,
            }
            at = end;
        }
        assert!(open.is_none(), "{}: a block has no end", self.name);
        blocks
    }

    pub fn code(&self, block: &Block) -> &str {
        &self.text[block.range.clone()]
    }

    /// The text without its blocks of code.
    pub fn prose(&self) -> String {
        let (mut prose, mut at) = (String::new(), 0);
        for block in self.blocks() {
            prose += &self.text[at..block.range.start];
            at = block.range.end;
        }
        prose + &self.text[at..]
    }
}
