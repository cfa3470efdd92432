//! Which lines to show, and up to which length.

use super::{
    Display, Ending, LevelPlan, LinePattern, Rewrites,
    condition::{self, Condition, Literals},
    display::timezone,
    pattern::Room,
    read::{each, error, parsed, wrong},
    size,
    sort::OrderPlan,
};
use crate::{
    cli::{
        Args,
        flags::{
            Flag, Integer, lines as flags,
            structured::{LEVEL, WHERE},
        },
    },
    environment::Environment,
    fields::Vocabulary,
    lines::LineLimit,
    records::Gathering,
    usage_error::UsageError,
};

const MAX_LINE: usize = 1 << 20;
/// Offsets of held lines have 32 bits.
const LONGEST_LINE: usize = 1 << 30;

#[derive(Debug, Default)]
pub struct FilterPlan {
    pub include: Vec<LinePattern>,
    pub exclude: Vec<LinePattern>,
    pub level: Option<LevelPlan>,
    /// All of them hold.
    pub conditions: Vec<Condition>,
    pub vocabulary: Vocabulary,
    pub context: ContextPlan,
}

/// The number of records to show before and after each wanted line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ContextPlan {
    pub before: u64,
    pub after: u64,
}

impl FilterPlan {
    pub(super) fn new(args: &Args, env: &Environment) -> Result<FilterPlan, UsageError> {
        let room = Room::beside([]);
        let pattern = |pattern: &str| room.pattern(pattern);
        let vocabulary = Vocabulary::new(&args.words);
        Ok(FilterPlan {
            include: each(args, &flags::INCLUDE, pattern)?,
            exclude: each(args, &flags::EXCLUDE, pattern)?,
            level: LevelPlan::new(args, &vocabulary)?,
            conditions: conditions(args, env, &room, &vocabulary)?,
            vocabulary,
            context: ContextPlan::new(args)?,
        })
    }

    /// Whether a line must be in memory to decide about it.
    pub fn looks_into_lines(&self) -> bool {
        // A new filter does not compile until it has its answer here.
        let FilterPlan { include, exclude, level, conditions, vocabulary: _, context: _ } = self;
        !include.is_empty() || !exclude.is_empty() || level.is_some() || !conditions.is_empty()
    }

    /// Whether a record must be whole to decide about it: its text may continue behind its first line.
    pub fn needs_whole_records(&self) -> bool {
        self.conditions.iter().any(Condition::needs_whole_records)
    }

    /// All patterns for lines.
    pub fn patterns(&self) -> Vec<&LinePattern> {
        let mut patterns: Vec<_> = self.include.iter().chain(&self.exclude).collect();
        self.conditions.iter().for_each(|condition| condition.root.patterns(&mut patterns));
        patterns
    }
}

/// An empty condition is an absent one.
fn conditions(
    args: &Args,
    env: &Environment,
    room: &Room,
    words: &Vocabulary,
) -> Result<Vec<Condition>, UsageError> {
    let now = env.machine.now().to_zoned(timezone(args, env)?);
    let literals = Literals { now: &now, room, words };
    let given = args.get(&WHERE).into_iter().filter(|text| !text.trim().is_empty());
    let parsed = given.map(|text| condition::parse(text, &literals));
    parsed.collect::<Result<_, _>>().map_err(|reason| wrong(&WHERE, reason))
}

impl ContextPlan {
    fn new(args: &Args) -> Result<ContextPlan, UsageError> {
        let [both, before, after] = [&flags::CONTEXT_LINES, &flags::BEFORE_CONTEXT, &flags::AFTER_CONTEXT];
        let has_none = [&flags::INCLUDE, &LEVEL, &WHERE].into_iter().all(|flag| args.get(flag).is_empty());
        for flag in [both, before, after] {
            let some = lines(args, flag)?.is_some_and(|lines| lines > 0);
            if some && has_none && !args.is_default(&flag.entry) {
                let name = flag.entry.name;
                return Err(error(format!(
                    "--{name} shows lines around those that a filter selects; add --include, --level or --where, or \
                     remove it"
                )));
            }
        }
        if has_none {
            return Ok(ContextPlan::default());
        }
        let both = lines(args, both)?.unwrap_or(0);
        Ok(ContextPlan {
            before: lines(args, before)?.unwrap_or(both),
            after: lines(args, after)?.unwrap_or(both),
        })
    }
}

fn lines(args: &Args, flag: &Flag<Integer>) -> Result<Option<u64>, UsageError> {
    let Some(lines) = args.get(flag) else { return Ok(None) };
    let negative = |_| wrong(flag, format!("{lines} is negative; give a number of lines"));
    u64::try_from(lines).map(Some).map_err(negative)
}

pub fn line_limit(
    args: &Args,
    filter: &FilterPlan,
    rewrites: &Rewrites,
    gathering: Option<Gathering>,
    display: &Display,
    ending: &Ending,
    order: OrderPlan,
) -> Result<LineLimit, UsageError> {
    // Sorted lines must be in memory too.
    let spool = !filter.looks_into_lines()
        && !rewrites.looks_into_lines()
        && gathering.is_none()
        && !display.looks_into_lines()
        && !ending.looks_into_lines()
        && !order.is_by_time();
    Ok(match parsed(args, &flags::MAX_LINE, size::parse)? {
        None => LineLimit { bytes: MAX_LINE, spool },
        Some(0) => LineLimit { bytes: LONGEST_LINE, spool: false },
        Some(bytes) => {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(LONGEST_LINE);
            LineLimit { bytes, spool: false }
        }
    })
}
