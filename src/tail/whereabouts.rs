//! Locates the log of an instance. A log request names a container: the kubelet serves the log of its current instance,
//! or that of the one before.

use crate::{
    event::{Instant, Reason},
    instance::Life,
    schedule::Mode,
};

/// A log that can be requested of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// The container's current log.
    Current(Mode),
    /// The log of the instance before the current one. It has ended.
    Previous,
}

impl Log {
    pub fn mode(self) -> Mode {
        match self {
            Log::Current(mode) => mode,
            Log::Previous => Mode::Read,
        }
    }
}

/// The log that is the instance's own.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// The log that follows from the status: the current one, and the previous one once the instance was replaced.
    #[default]
    AsReported,
    /// The same, and nothing shows that it is another instance's, although the last line read is not in it: the next
    /// answer is read on, after a gap.
    Unproven,
    /// The previous log: the kubelet has started another instance, which the status does not report yet.
    Superseded,
    /// The previous log: the status reports the next instance, and its log was compared with this one. It ended before
    /// this instant; another one may have taken its place since.
    Previous { end: Option<Instant> },
    /// None: both logs are those of later instances.
    Lost,
}

impl Whereabouts {
    /// The log with the lines that are not read yet, or the reason for its absence: [`Reason::Terminated`] means that
    /// it is lost.
    ///
    /// `restart_count` is that of the instance; `mode` is the way to read a log while its container writes it.
    pub fn log(self, life: &Life, restart_count: u32, mode: Mode) -> Result<Log, Reason> {
        match life {
            Life::Running | Life::Terminating | Life::Terminated(_) if self == Self::Superseded => {
                Ok(Log::Previous)
            }
            Life::Running | Life::Terminating => Ok(Log::Current(mode)),
            Life::Terminated(_) => Ok(Log::Current(Mode::Read)),
            // The previous log is another instance's if this one was not the last before.
            Life::Replaced { restart_count: current, ending, .. }
                if *current > restart_count + 1 || self == Self::Lost =>
            {
                Err(Reason::Terminated(ending.clone()))
            }
            Life::Replaced { .. } => Ok(Log::Previous),
            Life::Deleted => Err(Reason::Deleted),
            Life::Dropped => Err(Reason::Dropped),
        }
    }

    /// Whether the next answer is read on after a gap.
    pub fn is_unproven(self) -> bool {
        self == Self::Unproven
    }

    /// Uses up the permission to read on after a gap. It holds for one answer.
    pub fn use_unproven(&mut self) {
        if self.is_unproven() {
            *self = Self::AsReported;
        }
    }

    /// The instant from which lines of the previous log may be those of the instance that replaced this one: once that
    /// has ended too, and until it is started again, the kubelet serves its log as the current and as the previous one.
    pub fn bound(self, log: Log, life: &Life) -> Option<Instant> {
        match (self, life) {
            _ if log != Log::Previous => None,
            (Self::Previous { end }, _) => end,
            (_, Life::Replaced { started, .. }) if self != Self::Lost => started.map(Instant::from),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::event::Ending;

    fn replaced(restart_count: u32) -> Life {
        let started = Some(Timestamp::from_second(7).unwrap());
        Life::Replaced { ending: Ending::default(), restart_count, started }
    }

    fn log(whereabouts: Whereabouts, life: &Life) -> Result<Log, Reason> {
        whereabouts.log(life, 0, Mode::Follow)
    }

    #[test]
    fn the_status_tells_where_a_log_is() {
        for whereabouts in [Whereabouts::AsReported, Whereabouts::Unproven] {
            assert_eq!(log(whereabouts, &Life::Running), Ok(Log::Current(Mode::Follow)));
            let ended = Life::Terminated(Ending::default());
            assert_eq!(log(whereabouts, &ended), Ok(Log::Current(Mode::Read)));
            assert_eq!(log(whereabouts, &replaced(1)), Ok(Log::Previous));
            assert_eq!(log(whereabouts, &Life::Deleted), Err(Reason::Deleted));
            assert_eq!(log(whereabouts, &Life::Dropped), Err(Reason::Dropped));
        }
    }

    #[test]
    fn the_kubelet_knows_before_the_status() {
        for life in [Life::Running, Life::Terminating, Life::Terminated(Ending::default())] {
            assert_eq!(log(Whereabouts::Superseded, &life), Ok(Log::Previous));
        }
    }

    #[test]
    fn a_log_is_lost_behind_two_instances_or_where_both_logs_are_the_next_ones() {
        let lost = Err(Reason::Terminated(Ending::default()));
        assert_eq!(log(Whereabouts::AsReported, &replaced(2)), lost);
        assert_eq!(log(Whereabouts::Lost, &replaced(1)), lost);
        assert_eq!(log(Whereabouts::Previous { end: None }, &replaced(1)), Ok(Log::Previous));
    }

    #[test]
    fn the_leave_to_read_on_holds_once() {
        let mut whereabouts = Whereabouts::Unproven;
        assert!(whereabouts.is_unproven());
        whereabouts.use_unproven();
        assert_eq!(whereabouts, Whereabouts::AsReported);
        whereabouts = Whereabouts::Superseded;
        whereabouts.use_unproven();
        assert_eq!(whereabouts, Whereabouts::Superseded);
    }

    #[test]
    fn the_previous_log_is_bounded_until_it_was_compared() {
        let bound = |whereabouts: Whereabouts, log, life: &Life| whereabouts.bound(log, life).is_some();
        assert!(bound(Whereabouts::AsReported, Log::Previous, &replaced(1)));
        assert!(bound(Whereabouts::Superseded, Log::Previous, &replaced(1)));
        let end = Some(Instant(5));
        assert_eq!(Whereabouts::Previous { end }.bound(Log::Previous, &replaced(1)), end);
        assert!(!bound(Whereabouts::Previous { end: None }, Log::Previous, &replaced(1)));
        assert!(!bound(Whereabouts::AsReported, Log::Current(Mode::Read), &replaced(1)));
        assert!(!bound(Whereabouts::Superseded, Log::Previous, &Life::Running));
    }
}
