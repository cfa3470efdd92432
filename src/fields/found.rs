//! The level and the roles of a record, found while its fields are read.

use super::{
    Kind, Role,
    keys::{Entry, Known, LAST, Marks, Rank},
    level::{Level, Scale},
    strip,
    unescape::unescape,
};

/// How many fields can wait for another one that tells how they are meant.
const WAITING: usize = 4;
/// The longest value with escapes or colours that can be a level.
const LONGEST_ESCAPED: usize = 128;

/// What was found so far in one message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) level: Option<Level>,
    /// By role: the index of its field.
    pub(super) roles: [Option<u32>; 8],
    /// Of the level and the fields above.
    ranks: [Rank; 8],
    waiting: [Option<Waiting>; WAITING],
    marks: Marks,
    /// The number of klog's `v`.
    verbosity: u32,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    needs: Marks,
    role: Role,
    rank: Rank,
    index: u32,
    level: Option<Level>,
}

impl Default for Found {
    fn default() -> Found {
        Found {
            level: None,
            roles: [None; 8],
            ranks: [LAST; 8],
            waiting: [None; WAITING],
            marks: Marks::NONE,
            verbosity: 0,
        }
    }
}

impl Found {
    /// Takes a field with a known key. Whether the level is known for sure.
    pub(super) fn take(
        &mut self,
        known: &Known,
        (entry, exact): (&Entry, bool),
        kind: Kind,
        value: &[u8],
        index: u32,
    ) -> bool {
        let other_case = Rank::from(!exact);
        for &(role, rank, needs) in &entry.uses {
            let rank = rank + other_case;
            let level = match role {
                Role::Level if is_string(kind) => level(known, needs, kind, value),
                _ => None,
            };
            let usable =
                if role == Role::Level { level.is_some() } else { is_usable(role, needs, kind, value) };
            if usable {
                self.offer(Waiting { needs, role, rank, index, level });
                if role == Role::Level && rank == known.first {
                    return true;
                }
            }
        }
        if let Some((scale, rank)) = entry.scale {
            self.number(known, scale, rank + other_case, kind, value, index);
        }
        if entry.marks != Marks::NONE {
            self.mark(entry.marks, kind, value);
        }
        false
    }

    /// Takes a level that is a number.
    fn number(&mut self, known: &Known, scale: Scale, rank: Rank, kind: Kind, value: &[u8], index: u32) {
        // Python may write 20.0.
        let value = value.strip_suffix(b".0").unwrap_or(value);
        let Some(number) = Some(value).filter(|_| kind == Kind::Number || is_string(kind)).and_then(whole)
        else {
            return;
        };
        let level = known.own(value).map(|level| (level, false)).or_else(|| scale.level(number));
        if let Some((level, gelf)) = level {
            let needs = if gelf { Marks::GELF } else { Marks::NONE };
            self.offer(Waiting { needs, role: Role::Level, rank, index, level: Some(level) });
        }
    }

    fn mark(&mut self, marks: Marks, kind: Kind, value: &[u8]) {
        let fits = |mark: Marks| match mark {
            Marks::TS => kind == Kind::Number,
            Marks::ERR => kind != Kind::Null,
            Marks::VERBOSITY => kind == Kind::Number && whole(value).is_some(),
            _ => true,
        };
        if fits(marks) {
            self.marks.add(marks);
            if marks == Marks::VERBOSITY {
                self.verbosity = whole(value).unwrap_or(0);
            }
        }
    }

    /// The first of the lowest rank gets the role.
    fn offer(&mut self, offer: Waiting) {
        let role = offer.role as usize;
        if offer.rank >= self.ranks[role] {
            return;
        }
        if !self.marks.has(offer.needs) {
            if let Some(free) = self.waiting.iter_mut().find(|waiting| waiting.is_none()) {
                *free = Some(offer);
            }
            return;
        }
        self.ranks[role] = offer.rank;
        self.roles[role] = Some(offer.index);
        if offer.role == Role::Level {
            self.level = offer.level;
        }
    }

    /// Gives a role to a part of a text; no key takes it away.
    pub(super) fn set(&mut self, role: Role, index: u32) {
        if self.roles[role as usize].is_none() {
            self.roles[role as usize] = Some(index);
            self.ranks[role as usize] = 0;
        }
    }

    /// Judges what all fields together tell.
    pub(super) fn finish(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for offer in waiting.into_iter().flatten() {
            if self.marks.has(offer.needs) {
                self.offer(offer);
            }
        }
        if self.level.is_some() {
            return;
        }
        let mut kubernetes = Marks::MSG;
        kubernetes.add(Marks::TS);
        if self.marks.has(Marks::CLEF_TIME) && self.marks.has(Marks::CLEF_MESSAGE) {
            self.level = Some(Level::Info);
        } else if self.marks.has(kubernetes) {
            self.level = match self.verbosity {
                _ if !self.marks.has(Marks::VERBOSITY) => self.marks.has(Marks::ERR).then_some(Level::Error),
                0 => Some(Level::Info),
                1..4 => Some(Level::Debug),
                4.. => Some(Level::Trace),
            };
        }
    }
}

/// The level of a string, which may have escapes and colours.
fn level(known: &Known, needs: Marks, kind: Kind, value: &[u8]) -> Option<Level> {
    if let Some(level) = known.level(value) {
        return Some(level);
    }
    match value {
        // MongoDB
        [b'D', b'1'..=b'5'] => return (needs == Marks::MONGO).then_some(Level::Debug),
        _ if value.len() > LONGEST_ESCAPED => return None,
        _ => {}
    }
    let text = match kind {
        Kind::String { escaped: true } => unescape(value),
        _ if value.contains(&b'\x1b') => value.to_vec(),
        _ => return None,
    };
    known.level(&strip::without_colors(&text))
}

fn is_string(kind: Kind) -> bool {
    matches!(kind, Kind::String { .. } | Kind::Bare)
}

fn is_usable(role: Role, needs: Marks, kind: Kind, value: &[u8]) -> bool {
    match role {
        Role::Level => false,
        Role::Time => match kind {
            Kind::Number => value.len() >= 9 && value[0] != b'-',
            Kind::Object => true,
            kind => is_string(kind) && is_time(value),
        },
        Role::Message => is_string(kind) || matches!(kind, Kind::Number | Kind::Bool),
        // An object within has the message.
        Role::Error => is_string(kind) || matches!(kind, Kind::Number | Kind::Bool),
        Role::Stack => is_string(kind) || kind == Kind::Array,
        Role::Caller => {
            kind == Kind::Object || is_string(kind) && (needs != Marks::NONE || value.contains(&b':'))
        }
        Role::Logger => is_string(kind),
        Role::Trace => is_string(kind) || kind == Kind::Number,
    }
}

/// Whether a text can be a time; it is not read yet.
fn is_time(text: &[u8]) -> bool {
    let digits = text.iter().take(64).filter(|byte| byte.is_ascii_digit()).count();
    digits >= 4 && text.len() <= 64 && (digits >= 9 || text.contains(&b':'))
}

/// The value of some digits.
pub(super) fn whole(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}
