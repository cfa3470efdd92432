//! The state of a log: whether it was opened, and how its last answer ended.

use super::whereabouts::Log;
use crate::{cluster::Error, event::Instant, schedule::Mode};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// No answer has come yet.
    Unopened {
        /// Whether earlier instances started while the program ran, and their logs were not read.
        unseen: bool,
        /// Whether the log was refused in an unusual way since: its node may be out of reach.
        refused: bool,
    },
    /// The last answer goes on, or broke.
    Open,
    /// The last answer gave all that its file had, and then fell silent.
    Silent,
    /// The last answer came to its end, and nothing contradicts that since.
    Ended,
    /// The same, but lines behind the last one read may be missing.
    EndedShort,
}

/// The end of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Clean,
    /// Before a line of that instant: the last line that was read is not in it, or it is too late to be this
    /// instance's.
    Doubtful(Option<Instant>),
    /// Clean, but within a line: it may have been cut.
    Unfinished,
    /// Before a line that was written after the log was opened, and so was not requested.
    Beyond,
    /// All lines or bytes that were requested have come.
    Enough,
    /// Still open, but the time of the log is over.
    Over,
    /// Still open, but the instance has ended, or the lines since the last tear may be those of the next one.
    Foreign,
    /// Still open, but busy enough to deserve its own connection.
    Busy,
    /// Still open, but before a line that was read already, or may have been: it is much older than the one before it.
    /// The kubelet may have begun the file anew.
    Again(Instant),
    /// Still open and silent, but lines are missing, or there was no room to check.
    Silent,
}

/// The circumstances of an answer, beside how it ended.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    pub log: Log,
    /// Whether the kubelet said that the log was removed, and no line came.
    pub removed: bool,
    /// Whether an earlier answer held the same lines: missing ones were rotated away since.
    pub confirming: bool,
    /// Whether the answer has neither the lines that were read before nor any after them.
    pub misses_place: bool,
    /// Whether it has no new line, of a pod that is being deleted, and is not the first answer.
    pub quiet: bool,
    /// Whether it has new lines, or nothing of the log was read before.
    pub adds: bool,
    /// Whether nothing of the log was read yet.
    pub nothing: bool,
}

impl Reach {
    /// Whether an answer arrived, so that the log was read at least in part.
    pub fn is_opened(self) -> bool {
        !matches!(self, Self::Unopened { .. })
    }

    /// Whether nothing was read of it, nor of instances before it.
    pub fn has_unseen(self) -> bool {
        matches!(self, Self::Unopened { unseen: true, .. })
    }

    /// Whether nothing contradicts that the log was read to its end. Before the log is opened, only a refusal does.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Ended | Self::EndedShort | Self::Unopened { refused: false, .. })
    }

    /// An answer begins. The result says whether it is the first, and if so, whether there were unseen instances.
    pub fn open(&mut self) -> Option<bool> {
        let Self::Unopened { unseen, refused } = *self else { return None };
        *self = if refused { Self::Open } else { Self::Ended };
        Some(unseen)
    }

    /// A request was refused. An expected refusal does not affect the lines already read.
    pub fn refused(&mut self, usual: bool) {
        match self {
            _ if usual => {}
            Self::Unopened { refused, .. } => *refused = true,
            Self::Ended | Self::EndedShort => *self = Self::Open,
            Self::Open | Self::Silent => {}
        }
    }

    /// Lines of an answer are about to be read. Returns the state before.
    pub fn read_on(&mut self) -> Reach {
        let silent = *self == Self::Silent;
        std::mem::replace(self, if silent { Self::Silent } else { Self::Open })
    }

    /// The state after an answer that ended like this; `self` is the state before it.
    pub fn after(self, end: &Result<End, Error>, answered: Answered) -> Reach {
        let Answered { log, removed, confirming, misses_place, quiet, adds, nothing } = answered;
        match end {
            Ok(End::Clean | End::Beyond) if removed => match self.has_ended() {
                true => Self::Ended,
                false => Self::Open,
            },
            Ok(End::Clean | End::Beyond) if log.mode() == Mode::Read && misses_place && !confirming => {
                Self::EndedShort
            }
            // Its file was rotated, or it is another instance's: that says nothing of the end.
            Ok(End::Clean) if log.mode() == Mode::Follow && misses_place => self,
            // The log was refused or broken off before: the next instance's may be in its place, and be empty.
            Ok(End::Clean) if log.mode() == Mode::Follow && nothing && self == Self::Open => self,
            Ok(End::Clean) if log.mode() == Mode::Poll && quiet && self == Self::Ended => self,
            // The container may write more.
            Ok(End::Clean | End::Beyond) if matches!(log.mode(), Mode::Poll | Mode::History) => Self::Open,
            Ok(End::Clean | End::Beyond | End::Enough | End::Over) => Self::Ended,
            Ok(End::Silent) => Self::Silent,
            // The lines in doubt are requested again.
            Ok(End::Doubtful(_)) if self == Self::Silent => Self::Silent,
            Ok(End::Doubtful(_)) if log == Log::Previous && self.has_ended() && confirming => Self::Ended,
            // Before its first lines and behind new ones, no answer came to the end yet.
            Ok(End::Doubtful(_)) if log == Log::Previous && self.has_ended() && !adds => self,
            Ok(End::Doubtful(_) | End::Unfinished | End::Foreign | End::Busy | End::Again(_)) | Err(_) => {
                Self::Open
            }
        }
    }

    /// Whether lines may be missing at the end of a log of which no more will be read.
    pub fn is_short(self) -> bool {
        matches!(self, Self::EndedShort | Self::Unopened { refused: true, .. })
    }

    /// The end of the log cannot be verified, or cannot be reached.
    pub fn fall_short(&mut self) {
        if self.is_opened() {
            *self = Self::EndedShort;
        }
    }

    /// There never was such a log, so that no lines are missing.
    pub fn no_such_log(&mut self) {
        if let Self::Unopened { refused, .. } = self {
            *refused = false;
        }
    }

    /// The lines that seemed to be missing were those of another instance.
    pub fn found_whole(&mut self) {
        if *self == Self::EndedShort {
            *self = Self::Ended;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNOPENED: Reach = Reach::Unopened { unseen: false, refused: false };

    const POLL: Log = Log::Current(Mode::Poll);
    const READ: Log = Log::Current(Mode::Read);
    const FOLLOW: Log = Log::Current(Mode::Follow);

    fn of(log: Log) -> Answered {
        Answered {
            log,
            removed: false,
            confirming: false,
            misses_place: false,
            quiet: false,
            adds: false,
            nothing: false,
        }
    }

    fn after(before: Reach, end: End, answered: Answered) -> Reach {
        before.after(&Ok(end), answered)
    }

    #[test]
    fn a_log_is_opened_once() {
        let mut reach = Reach::Unopened { unseen: true, refused: false };
        assert!(!reach.is_opened());
        assert_eq!((reach.open(), reach.open()), (Some(true), None));
        assert!(reach.is_opened() && reach.has_ended());
    }

    #[test]
    fn an_unusual_refusal_contradicts_the_end() {
        for before in [UNOPENED, Reach::Ended, Reach::EndedShort] {
            let mut reach = before;
            reach.refused(true);
            assert_eq!(reach, before);
            reach.refused(false);
            assert!(!reach.has_ended(), "{before:?}");
            assert_eq!(reach.is_opened(), before.is_opened());
        }
    }

    #[test]
    fn a_log_that_was_refused_and_never_opened_may_miss_lines_unless_there_is_none() {
        let mut reach = UNOPENED;
        assert!(!reach.is_short());
        reach.refused(false);
        assert!(reach.is_short());
        reach.no_such_log();
        assert_eq!(reach, UNOPENED);
    }

    #[test]
    fn an_end_falls_short_until_the_missing_lines_prove_to_be_of_another_instance() {
        let mut reach = Reach::Open;
        reach.fall_short();
        assert!(reach.is_short() && reach.has_ended());
        reach.found_whole();
        assert_eq!(reach, Reach::Ended);
    }

    #[test]
    fn an_answer_that_is_being_read_has_not_ended() {
        for before in [Reach::Open, Reach::Ended, Reach::EndedShort, Reach::Silent] {
            let mut reach = before;
            assert_eq!(reach.read_on(), before);
            assert!(!reach.has_ended());
            assert_eq!(reach == Reach::Silent, before == Reach::Silent);
        }
    }

    #[test]
    fn only_a_read_answer_or_a_stream_ends_a_log() {
        assert_eq!(after(Reach::Open, End::Clean, of(READ)), Reach::Ended);
        assert_eq!(after(Reach::Open, End::Clean, of(FOLLOW)), Reach::Ended);
        assert_eq!(after(Reach::Ended, End::Clean, of(POLL)), Reach::Open);
        assert_eq!(after(Reach::Open, End::Enough, of(POLL)), Reach::Ended);
        for end in [End::Busy, End::Foreign] {
            assert_eq!(after(Reach::Ended, end, of(FOLLOW)), Reach::Open);
        }
        assert_eq!(Reach::Ended.after(&Err(Error::invalid("broken")), of(READ)), Reach::Open);
    }

    #[test]
    fn a_poll_without_a_new_line_does_not_contradict_the_end_of_a_stream_of_a_deleted_pod() {
        let quiet = Answered { quiet: true, ..of(POLL) };
        assert_eq!(after(Reach::Ended, End::Clean, quiet), Reach::Ended);
        assert_eq!(after(Reach::Ended, End::Clean, of(POLL)), Reach::Open);
        assert_eq!(after(Reach::Open, End::Clean, quiet), Reach::Open);
    }

    #[test]
    fn an_answer_without_the_lines_that_were_read_falls_short() {
        let missing = Answered { misses_place: true, ..of(READ) };
        assert_eq!(after(Reach::Open, End::Clean, missing), Reach::EndedShort);
        assert_eq!(after(Reach::Open, End::Beyond, missing), Reach::EndedShort);
        let confirming = Answered { confirming: true, ..missing };
        assert_eq!(after(Reach::Open, End::Clean, confirming), Reach::Ended);
        let removed = Answered { removed: true, ..missing };
        assert_eq!(after(Reach::Open, End::Clean, removed), Reach::Open);
        assert_eq!(after(Reach::Ended, End::Clean, removed), Reach::Ended);
    }

    #[test]
    fn a_silent_log_stays_silent_while_its_lines_are_in_doubt() {
        let (silent, doubtful) = (after(Reach::Open, End::Silent, of(FOLLOW)), End::Doubtful(None));
        assert_eq!(silent, Reach::Silent);
        assert_eq!(after(silent, doubtful, of(FOLLOW)), Reach::Silent);
        assert_eq!(after(silent, End::Clean, of(FOLLOW)), Reach::Ended);
    }

    #[test]
    fn doubt_about_the_previous_log_leaves_an_end_as_it_was() {
        for before in [Reach::Ended, Reach::EndedShort] {
            assert_eq!(after(before, End::Doubtful(None), of(Log::Previous)), before);
            assert_eq!(after(before, End::Doubtful(None), of(READ)), Reach::Open);
        }
        assert_eq!(after(Reach::Open, End::Doubtful(None), of(Log::Previous)), Reach::Open);
    }

    #[test]
    fn doubt_behind_new_lines_of_the_previous_log_is_no_end() {
        let adds = Answered { adds: true, ..of(Log::Previous) };
        assert_eq!(after(Reach::Ended, End::Doubtful(None), adds), Reach::Open);
    }

    #[test]
    fn a_stream_without_the_lines_that_were_read_leaves_the_end_as_it_was() {
        let missing = Answered { misses_place: true, ..of(FOLLOW) };
        for before in [Reach::Open, Reach::Ended] {
            assert_eq!(after(before, End::Clean, missing), before);
        }
    }
}
