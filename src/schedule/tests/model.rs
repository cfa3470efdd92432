//! The scheduler's invariants, for any behaviour of tails.

use proptest::prelude::*;

use super::*;

/// An event for the scheduler.
#[derive(Debug, Clone)]
enum Event {
    Arrive {
        node: u8,
        created: u8,
        read: bool,
    },
    End(prop::sample::Index),
    /// A poll, a read or a check ends.
    Answer(prop::sample::Index, bool),
    Pass(u16),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let arrive = (0..3_u8, any::<u8>(), prop::bool::weighted(0.2))
        .prop_map(|(node, created, read)| Event::Arrive { node, created, read });
    let answer = (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(n, new)| Event::Answer(n, new));
    let event = prop_oneof![
        4 => arrive,
        1 => any::<prop::sample::Index>().prop_map(Event::End),
        4 => answer,
        2 => (0..20_000_u16).prop_map(Event::Pass),
    ];
    prop::collection::vec(event, 1..120)
}

/// Tails that obey the scheduler.
struct Model {
    scheduler: Scheduler,
    tails: Vec<(Tail, String, bool)>,
    places: usize,
    per_node: usize,
}

impl Model {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::Arrive { node, created, read: false } => {
                let node = format!("node-{node}");
                let tail = tail(&self.scheduler, &node, usize::from(*created));
                self.tails.push((tail, node, false));
            }
            Event::Arrive { read: true, .. } => {
                self.tails.push((reader(&self.scheduler, Purpose::Open), String::new(), true));
            }
            Event::End(which) if !self.tails.is_empty() => {
                self.tails.remove(which.index(self.tails.len()));
            }
            Event::Answer(which, new_lines) if !self.tails.is_empty() => {
                let which = which.index(self.tails.len());
                self.answer(which, *new_lines);
            }
            _ => {}
        }
    }

    fn answer(&mut self, which: usize, new_lines: bool) -> bool {
        let (tail, _, reads) = &mut self.tails[which];
        if *reads && tail.mode().is_some() {
            self.tails.remove(which);
            return true;
        }
        tail.poll(new_lines)
    }

    /// All tails receive the decisions; then no limit is exceeded.
    fn check(&mut self) {
        self.tails.iter_mut().for_each(|(tail, ..)| {
            tail.mode();
        });
        let held = |mode: Mode| {
            self.tails
                .iter()
                .filter(move |(tail, ..)| tail.grant.as_ref().is_some_and(|grant| grant.mode == mode))
        };
        let (follow, poll, read) =
            (held(Mode::Follow).count(), held(Mode::Poll).count(), held(Mode::Read).count());
        assert!(follow + poll + read <= self.places);
        assert!(poll <= (self.places / 10).max(1));
        for n in 0..3 {
            let node = format!("node-{n}");
            assert!(held(Mode::Follow).filter(|(_, on, _)| *on == node).count() <= self.per_node);
        }
        if self.scheduler.load().borrow().polled > 0 {
            assert!(follow <= (self.places - (self.places / 10).max(1)).max(1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bound_is_ever_broken_and_no_wait_is_endless(
        places in 1..25_usize, per_node in 1..8_usize, events in events(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("the system has room for a runtime").block_on(async {
            let scheduler = Scheduler::new(places, per_node);
            let mut model = Model { scheduler, tails: Vec::new(), places, per_node };
            for event in &events {
                model.apply(event);
                model.check();
                if let Event::Pass(time) = event {
                    advance(Duration::from_millis((*time).into())).await;
                    model.check();
                }
            }
            // From now on every answer ends within a second; then no tail is left out for longer than the longest
            // pause, plus two seconds for each other tail, since a single place is lent for half of the time.
            let mut shown = vec![false; model.tails.len()];
            let lent = if places == 1 { 2 * model.tails.len() as u64 } else { 0 };
            for _ in 0..LATEST.as_secs() + TENURE.as_secs() + lent {
                for n in (0..model.tails.len()).rev() {
                    shown[n] |= model.tails[n].0.follows();
                    let reads = model.tails[n].2;
                    if model.answer(n, false) {
                        shown[n] = true;
                        if reads {
                            shown.remove(n);
                        }
                    }
                }
                model.check();
                advance(Duration::from_secs(1)).await;
            }
            assert!(shown.iter().all(|&shown| shown), "{shown:?}");
            assert!(model.tails.iter().all(|(_, _, reads)| !reads));
        });
    }
}
