//! A parsed part of a pattern: its text for the regex crate, and its measures for Go's limits.

/// Maximum nesting in Go.
const MAX_HEIGHT: u32 = 1000;
/// Maximum number of instructions in Go: 128 MiB of 40 bytes each.
const MAX_SIZE: i64 = (128 << 20) / 40;
/// Maximum number of copies in Go; nested repetitions multiply.
pub const MAX_COPIES: i64 = 1000;

/// The properties that following operators and neighbouring items need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One character; with or without case.
    Literal {
        fold: bool,
    },
    /// Binds like a character.
    Atom,
    Repeat,
    Concat,
    Alternate,
}

#[derive(Debug)]
pub struct Item {
    text: String,
    kind: Kind,
    height: u32,
    /// Instructions in Go's program.
    size: i64,
    /// Copies of the innermost part.
    copies: i64,
}

/// `{min,max}`; None: no maximum.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub min: i64,
    pub max: Option<i64>,
}

/// A limit of Go that the whole pattern exceeds.
#[derive(Debug, PartialEq, Eq)]
pub enum Excess {
    Nesting,
    Size,
}

impl Item {
    pub fn atom(text: impl Into<String>) -> Item {
        Item { text: text.into(), kind: Kind::Atom, height: 1, size: 1, copies: 1 }
    }

    pub fn literal(text: String, fold: bool) -> Item {
        Item { kind: Kind::Literal { fold }, ..Item::atom(text) }
    }

    /// The text, which may contain a `|` outside groups.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Parentheses that count towards Go's nesting limit.
    pub fn capture(self, is_kept: bool) -> Result<Item, Excess> {
        let text = if is_kept { format!("({})", self.text) } else { format!("(?:{})", self.text) };
        Item { text, kind: Kind::Atom, height: self.height + 1, size: self.size + 2, ..self }.checked()
    }

    /// The third value is true if there are too many copies.
    pub fn repeat(self, operator: &str, count: Option<Count>, lazy: bool) -> Result<(Item, bool), Excess> {
        let (size, copies) = match count {
            None if operator == "*" => (2 + self.size, self.copies),
            None => (1 + self.size, self.copies),
            Some(Count { min: 0, max: None }) => (2 + self.size, self.copies),
            Some(Count { min, max: None }) => (1 + min * self.size, min * self.copies),
            Some(Count { min, max: Some(max) }) => ((max * self.size + max - min).max(1), max * self.copies),
        };
        let mut text = match self.kind {
            Kind::Literal { .. } | Kind::Atom => self.text,
            Kind::Repeat | Kind::Concat | Kind::Alternate => format!("(?:{})", self.text),
        };
        text.push_str(operator);
        if lazy {
            text.push('?');
        }
        let item = Item { text, kind: Kind::Repeat, height: self.height + 1, size, copies }.checked()?;
        let counts = count.is_some_and(|count| count.min >= 2 || count.max.is_some_and(|max| max >= 2));
        let too_many = counts && item.copies > MAX_COPIES;
        Ok((item, too_many))
    }

    pub fn concat(items: Vec<Item>) -> Result<Item, Excess> {
        let mut pieces = 0;
        let mut last = None;
        for item in &items {
            // Go stores a run of characters as one node.
            if !(matches!(item.kind, Kind::Literal { .. }) && last == Some(item.kind)) {
                pieces += 1;
            }
            last = Some(item.kind);
        }
        let join = |mut text: String, item: &Item| {
            match item.kind {
                Kind::Alternate => text.extend(["(?:", &item.text, ")"]),
                _ => text.push_str(&item.text),
            }
            text
        };
        Item::join(items, Kind::Concat, pieces > 1, join)
    }

    pub fn alternate(items: Vec<Item>) -> Result<Item, Excess> {
        let bars = items.len().saturating_sub(1) as i64;
        let mut first = true;
        let join = |mut text: String, item: &Item| {
            if !std::mem::take(&mut first) {
                text.push('|');
            }
            text.push_str(&item.text);
            text
        };
        let item = Item::join(items, Kind::Alternate, bars > 0, join)?;
        Item { size: item.size + bars, ..item }.checked()
    }

    /// Joins several items of one kind; nested items of the same kind are flattened and add no height.
    fn join(
        mut items: Vec<Item>,
        kind: Kind,
        nests: bool,
        join: impl FnMut(String, &Item) -> String,
    ) -> Result<Item, Excess> {
        if items.len() < 2 {
            let nothing = || Item { kind: Kind::Concat, ..Item::atom("") };
            return Ok(items.pop().unwrap_or_else(nothing));
        }
        let height = |item: &Item| item.height - u32::from(item.kind == kind && item.height > 1);
        let below = items.iter().map(height).max().unwrap_or(0);
        Item {
            kind,
            height: below + u32::from(nests),
            size: items.iter().map(|item| item.size).sum(),
            copies: items.iter().map(|item| item.copies).max().unwrap_or(1),
            text: items.iter().fold(String::new(), join),
        }
        .checked()
    }

    fn checked(self) -> Result<Item, Excess> {
        match (self.size > MAX_SIZE, self.height > MAX_HEIGHT) {
            (true, _) => Err(Excess::Size),
            (_, true) => Err(Excess::Nesting),
            _ => Ok(self),
        }
    }
}
