//! Finds the matches of patterns in time linear in the text, though a search for each next match would look to the
//! end of the text again.
//!
//! One pass from the end of the text notes for each position the set of states of the NFA from which a match can still
//! be completed. From then on no search fails: a match begins where the start is in the set, and is followed to its end
//! by the first alternative that is in the set, without a way back. The sets are built as they are needed, like the
//! states of a lazy DFA, and their number is bounded: [`Exhausted`].

use std::collections::HashMap;

use foldhash::fast::FixedState;
use regex_automata::{
    nfa::thompson::{NFA, State},
    util::{look::Look, primitives::StateID},
};

/// Most edges that are looked at for one text while sets are built; some tenths of a second.
const MOST_EDGES: usize = 32 << 20;

/// Most states in all sets that are kept, and most entries of the tables that lead from set to set.
const MOST_KEPT: usize = 4 << 20;

/// The longest text: four bytes are needed for each of its bytes.
const LONGEST: usize = 16 << 20;

/// The patterns and the text need more work or memory than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

pub struct Linear {
    nfa: NFA,
    /// The edges that lead to each state.
    into: Vec<Into>,
    looks: Vec<Look>,
    /// The states at which a match ends.
    ends: Vec<StateID>,
    cache: Cache,
    /// The set at each position of the text.
    at: Vec<u32>,
}

#[derive(Default)]
struct Into {
    /// Without a byte, some under the condition of a look-around.
    free: Vec<(StateID, Option<Look>)>,
    /// For the bytes of a range.
    bytes: Vec<(u8, u8, StateID)>,
}

/// The sets so far.
#[derive(Default)]
struct Cache {
    /// In order.
    sets: Vec<Box<[StateID]>>,
    /// Whether a match begins there.
    begins: Vec<bool>,
    ids: HashMap<Box<[StateID]>, u32, FixedState>,
    /// The look-arounds that hold at a position; usually all or none of few.
    contexts: Vec<u32>,
    /// By context: from a set and the class of the byte before it to the set there; [`UNKNOWN`].
    tables: Vec<Vec<u32>>,
    /// From a set and one of its states to the next state that takes a byte, or where the match ends.
    leaves: HashMap<(u32, StateID), StateID, FixedState>,
    kept: usize,
}

const UNKNOWN: u32 = u32::MAX;

impl Linear {
    pub fn new(nfa: NFA) -> Linear {
        let mut into: Vec<Into> = Vec::new();
        into.resize_with(nfa.states().len(), Into::default);
        let mut ends = Vec::new();
        for (id, state) in nfa.states().iter().enumerate() {
            // The NFA has no more states than can be counted so.
            let id = StateID::new(id).unwrap_or_default();
            match state {
                State::ByteRange { trans } => into[trans.next].bytes.push((trans.start, trans.end, id)),
                State::Sparse(sparse) => {
                    for trans in &*sparse.transitions {
                        into[trans.next].bytes.push((trans.start, trans.end, id));
                    }
                }
                State::Dense(dense) => {
                    for byte in 0..=u8::MAX {
                        if let Some(next) = dense.matches_byte(byte) {
                            into[next].bytes.push((byte, byte, id));
                        }
                    }
                }
                State::Look { look, next } => into[*next].free.push((id, Some(*look))),
                State::Capture { next, .. } => into[*next].free.push((id, None)),
                State::Union { alternates } => {
                    alternates.iter().for_each(|next| into[*next].free.push((id, None)));
                }
                State::BinaryUnion { alt1, alt2 } => {
                    [alt1, alt2].into_iter().for_each(|next| into[*next].free.push((id, None)));
                }
                State::Match { .. } => ends.push(id),
                State::Fail => {}
            }
        }
        let looks = nfa.look_set_any().iter().collect();
        Linear { nfa, into, looks, ends, cache: Cache::default(), at: Vec::new() }
    }

    /// Whether a match begins anywhere.
    pub fn is_match(&mut self, text: &[u8]) -> Result<bool, Exhausted> {
        self.backwards(text, 0, |_, begins| begins).map(|found| found.is_some())
    }

    /// Prepares [`Linear::next`] for this text from `from` on.
    pub fn prepare(&mut self, text: &[u8], from: usize) -> Result<(), Exhausted> {
        if text.len() > LONGEST {
            return Err(Exhausted);
        }
        let mut at = std::mem::take(&mut self.at);
        at.clear();
        at.resize(text.len() + 1, UNKNOWN);
        let mut position = text.len() + 1;
        let done = self.backwards(text, from, |set, _| {
            position -= 1;
            at[position] = set;
            false
        });
        self.at = at;
        done.map(|_| ())
    }

    /// The first match at or behind `from` in the text that was prepared.
    pub fn next(&mut self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let begins = &self.cache.begins;
        let start = (from..=text.len()).find(|&at| begins[self.at[at] as usize])?;
        let mut end = start;
        let mut state = self.leaf(self.at[start], self.nfa.start_anchored())?;
        while let Some(&byte) = text.get(end) {
            let next = match self.nfa.state(state) {
                State::ByteRange { trans } => Some(trans.next),
                State::Sparse(sparse) => sparse.matches_byte(byte),
                State::Dense(dense) => dense.matches_byte(byte),
                _ => None,
            };
            let Some(next) = next else { break };
            end += 1;
            state = self.leaf(self.at[end], next)?;
        }
        Some((start, end))
    }

    /// Gives the set at each position and whether a match begins there, from the end of the text down to `from`, or
    /// until `enough`.
    fn backwards(
        &mut self,
        text: &[u8],
        from: usize,
        mut enough: impl FnMut(u32, bool) -> bool,
    ) -> Result<Option<usize>, Exhausted> {
        if self.cache.kept > MOST_KEPT {
            self.cache = Cache::default();
        }
        let classes = self.nfa.byte_classes();
        let stride = classes.alphabet_len();
        let classes: [u8; 256] = std::array::from_fn(|byte| classes.get(byte as u8));
        let mut work = MOST_EDGES;
        let context = self.context(text, text.len());
        let mut set = self.build(None, context, &mut work)?;
        let mut at = text.len();
        loop {
            if enough(set, self.cache.begins[set as usize]) {
                return Ok(Some(at));
            }
            if at == from {
                return Ok(None);
            }
            at -= 1;
            let context = self.context(text, at);
            let place = set as usize * stride + usize::from(classes[usize::from(text[at])]);
            let table = self.cache.table(context);
            set = match table.get(place) {
                Some(&known) if known != UNKNOWN => known,
                _ => {
                    let next = self.build(Some((set, text[at])), context, &mut work)?;
                    self.cache.learn(context, place, next, stride);
                    next
                }
            };
        }
    }

    /// The number of the look-arounds that hold here.
    fn context(&mut self, text: &[u8], at: usize) -> usize {
        if self.looks.is_empty() {
            return 0;
        }
        let matcher = self.nfa.look_matcher();
        let mut holds = 0;
        for (index, look) in self.looks.iter().enumerate() {
            holds |= u32::from(matcher.matches(*look, text, at)) << index;
        }
        let contexts = &mut self.cache.contexts;
        contexts.iter().position(|context| *context == holds).unwrap_or_else(|| {
            contexts.push(holds);
            contexts.len() - 1
        })
    }

    /// The set at a position: `after` is the set and the byte behind it.
    fn build(
        &mut self,
        after: Option<(u32, u8)>,
        context: usize,
        work: &mut usize,
    ) -> Result<u32, Exhausted> {
        let holds = self.cache.contexts.get(context).copied().unwrap_or_default();
        let mut has = vec![false; self.into.len()];
        let mut set = Vec::new();
        let mut spend = |edges: usize| {
            *work = work.checked_sub(edges).ok_or(Exhausted)?;
            Ok(())
        };
        spend(self.into.len() / 64)?;
        let add = |has: &mut Vec<bool>, set: &mut Vec<StateID>, state: StateID| {
            if !std::mem::replace(&mut has[state], true) {
                set.push(state);
            }
        };
        for end in &self.ends {
            add(&mut has, &mut set, *end);
        }
        if let Some((after, byte)) = after {
            for state in &self.cache.sets[after as usize] {
                let edges = &self.into[*state].bytes;
                spend(1 + edges.len())?;
                for (_, _, from) in edges.iter().filter(|(low, high, _)| (*low..=*high).contains(&byte)) {
                    add(&mut has, &mut set, *from);
                }
            }
        }
        let mut done = 0;
        while let Some(&state) = set.get(done) {
            done += 1;
            spend(1 + self.into[state].free.len())?;
            for (from, look) in &self.into[state].free {
                let index = look.and_then(|look| self.looks.iter().position(|known| *known == look));
                if index.is_none_or(|index| holds & 1 << index != 0) {
                    add(&mut has, &mut set, *from);
                }
            }
        }
        set.sort_unstable();
        self.cache.number(set, has[self.nfa.start_anchored()])
    }

    /// The first state in the set, by the order of alternatives from `state` on, that takes a byte or ends the match.
    fn leaf(&mut self, set: u32, state: StateID) -> Option<StateID> {
        if let Some(leaf) = self.cache.leaves.get(&(set, state)) {
            return Some(*leaf);
        }
        let members = &self.cache.sets[set as usize];
        let (mut stack, mut seen) = (vec![state], vec![false; members.len()]);
        while let Some(next) = stack.pop() {
            let Ok(member) = members.binary_search(&next) else { continue };
            if std::mem::replace(&mut seen[member], true) {
                continue;
            }
            match self.nfa.state(next) {
                State::Look { next, .. } | State::Capture { next, .. } => stack.push(*next),
                State::Union { alternates } => stack.extend(alternates.iter().rev()),
                State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
                State::Fail => {}
                _ => {
                    self.cache.kept += 4;
                    self.cache.leaves.insert((set, state), next);
                    return Some(next);
                }
            }
        }
        // A state in a set leads to a leaf.
        None
    }
}

impl Cache {
    fn table(&mut self, context: usize) -> &mut Vec<u32> {
        if self.tables.len() <= context {
            self.tables.resize_with(context + 1, Vec::new);
        }
        &mut self.tables[context]
    }

    fn learn(&mut self, context: usize, place: usize, set: u32, stride: usize) {
        let table = &mut self.tables[context];
        if table.len() <= place {
            let more = (place / stride + 1) * stride - table.len();
            self.kept += more;
            table.resize(table.len() + more, UNKNOWN);
        }
        table[place] = set;
    }

    /// The number of a set, which is kept from now on.
    fn number(&mut self, set: Vec<StateID>, begins: bool) -> Result<u32, Exhausted> {
        let set = set.into_boxed_slice();
        if let Some(known) = self.ids.get(&set) {
            return Ok(*known);
        }
        if self.kept > MOST_KEPT {
            return Err(Exhausted);
        }
        self.kept += 2 * set.len() + 16;
        let number = u32::try_from(self.sets.len()).map_err(|_| Exhausted)?;
        self.sets.push(set.clone());
        self.begins.push(begins);
        self.ids.insert(set, number);
        Ok(number)
    }
}
