//! The purposes of requests to the apiserver. Scheduler, limiter and `--stats` derive all their knowledge of a
//! request from its purpose, so that they cannot disagree.

/// The purpose of one request.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Read a list of objects, or one object.
    #[default]
    List,
    /// Watch objects.
    Watch,
    /// Reopen a log after its stream broke: urgent, since the node may rotate the log away.
    Resume,
    /// Read the rest of a log that will be gone soon: its container has ended, or its pod is being deleted.
    Remainder,
    /// Look at the last line of a log while its tail, and so the tail of the next instance, waits.
    Confirm,
    /// Open a log that will be gone soon.
    Ending,
    /// Open a log.
    Open,
    /// Poll a container for the first time.
    FirstPoll,
    /// Poll a container again.
    Poll,
    /// Look at the last line of a log while its stream continues.
    Check,
    /// Ask a silent apiserver for any response.
    Probe,
}

impl Purpose {
    /// The purpose of reading a log. `resumes`: part of it was read already; `ends`: it will be gone soon.
    pub fn of_log(resumes: bool, ends: bool) -> Purpose {
        match (resumes, ends) {
            (true, false) => Self::Resume,
            (true, true) => Self::Remainder,
            (false, true) => Self::Ending,
            (false, false) => Self::Open,
        }
    }

    /// Its position in the limiter's order, and in the scheduler's order for places: smallest first, equals in order
    /// of arrival. Only logs ask the scheduler for places; polls take turns after all others.
    pub fn order(self) -> u8 {
        self.row().0
    }

    /// Whether it repeats, and so shares the limiter's half rate with other repeating requests.
    pub fn recurs(self) -> bool {
        self.row().1
    }

    /// Its kind in `--stats`.
    pub fn kind(self) -> Kind {
        self.row().2
    }

    /// Whether the log will be gone soon.
    pub fn ends(self) -> bool {
        matches!(self, Self::Remainder | Self::Ending)
    }

    /// Its order, whether it repeats, and its kind. Repeating requests come last: in the limiter they delay no other
    /// request.
    fn row(self) -> (u8, bool, Kind) {
        match self {
            Self::List => (0, false, Kind::List),
            Self::Watch => (0, false, Kind::Watch),
            Self::Resume => (1, false, Kind::Resume),
            Self::Remainder => (1, false, Kind::Resume),
            Self::Confirm => (2, false, Kind::Check),
            Self::Ending => (3, false, Kind::Open),
            Self::Open => (4, false, Kind::Open),
            Self::FirstPoll => (5, false, Kind::Poll),
            Self::Poll => (6, true, Kind::Poll),
            Self::Check => (7, true, Kind::Check),
            Self::Probe => (7, true, Kind::Check),
        }
    }
}

/// The kinds of requests that `--stats` counts, in the order of its report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    List,
    Watch,
    Open,
    Resume,
    Poll,
    Check,
}

impl Kind {
    pub const ALL: [Kind; 6] = [Self::List, Self::Watch, Self::Open, Self::Resume, Self::Poll, Self::Check];

    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Watch => "watch",
            Self::Open => "open",
            Self::Resume => "resume",
            Self::Poll => "poll",
            Self::Check => "check",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, sync::Arc};

    use futures::future::join_all;

    use super::{Purpose::*, *};
    use crate::{
        cluster::Limiter,
        schedule::{Mode, Scheduler},
    };

    #[test]
    fn every_purpose_has_one_order_one_share_and_one_kind() {
        let table = [
            (List, 0, false, Kind::List),
            (Watch, 0, false, Kind::Watch),
            (Resume, 1, false, Kind::Resume),
            (Remainder, 1, false, Kind::Resume),
            (Confirm, 2, false, Kind::Check),
            (Ending, 3, false, Kind::Open),
            (Open, 4, false, Kind::Open),
            (FirstPoll, 5, false, Kind::Poll),
            (Poll, 6, true, Kind::Poll),
            (Check, 7, true, Kind::Check),
            (Probe, 7, true, Kind::Check),
        ];
        for (purpose, order, recurs, kind) in table {
            assert_eq!((purpose.order(), purpose.recurs(), purpose.kind()), (order, recurs, kind));
        }
        // The limiter relies on this order.
        assert!(table.is_sorted_by_key(|(_, order, recurs, _)| (recurs, order)));
    }

    #[test]
    fn a_log_is_opened_or_resumed_and_may_be_about_to_end() {
        let purposes = [(true, false), (true, true), (false, true), (false, false)]
            .map(|(resumes, ends)| Purpose::of_log(resumes, ends));
        assert_eq!(purposes, [Resume, Remainder, Ending, Open]);
        assert_eq!(purposes.map(Purpose::ends), [false, true, true, false]);
    }

    /// The order in which requests are sent that arrive in the order of `came`, one at a time.
    async fn order_of<F: Future<Output = ()>>(
        came: &[Purpose],
        pass: impl Fn(usize, Purpose) -> F,
    ) -> Vec<Purpose> {
        let went = RefCell::new(Vec::new());
        let one = async |n, purpose| {
            pass(n, purpose).await;
            went.borrow_mut().push(purpose);
        };
        join_all(came.iter().enumerate().map(|(n, &purpose)| one(n, purpose))).await;
        went.take()
    }

    #[tokio::test(start_paused = true)]
    async fn both_doors_let_logs_through_in_the_same_order() {
        let came = [Open, Ending, Remainder, Resume];
        let limiter = Limiter::new(Some(1.0), 1);
        limiter.acquire(List).await;
        let at_limiter = order_of(&came, |_, purpose| limiter.acquire(purpose)).await;

        let scheduler = Scheduler::new(1, 1);
        let seats: Vec<_> = (0..=came.len()).map(|_| scheduler.seat(&Arc::default())).collect();
        let held = seats[came.len()].request(Mode::Read, Open).await;
        let release = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let pass = async |n: usize, purpose| drop(seats[n].request(Mode::Read, purpose).await);
        let (at_scheduler, ()) = futures::join!(order_of(&came, pass), release);

        assert_eq!(at_limiter, [Remainder, Resume, Ending, Open]);
        assert_eq!(at_scheduler, at_limiter);
    }
}
