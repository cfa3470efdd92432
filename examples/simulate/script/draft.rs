//! A script that is being made: its pods, and the chances of its seed.

use std::{ops::Range, time::Duration};

use fastrand::Rng;

use super::{
    Asked, Event, Fault, Kind, Lines, Pace, Place, Pod, Restart, Script, Setting, Stamps, Texts, What,
};

pub struct Draft {
    pub rng: Rng,
    pub setting: Setting,
    pub events: Vec<Event>,
    pub pods: Vec<Pod>,
    /// When the containers stop writing.
    pub length: Duration,
}

impl Draft {
    pub fn new(seed: u64) -> Draft {
        let mut rng = Rng::with_seed(seed);
        let length = seconds(match rng.u32(..10) {
            0..6 => rng.u64(40..70),
            6..9 => rng.u64(70..120),
            _ => rng.u64(120..180),
        });
        Draft { rng, setting: Setting::default(), events: Vec::new(), pods: Vec::new(), length }
    }

    /// The events in the order of time; those of one instant as they were added.
    pub fn script(mut self, seed: u64) -> Script {
        self.events.sort_by_key(|event| event.at);
        Script { seed, setting: self.setting, events: self.events, output: None }
    }

    pub fn add(&mut self, at: Duration, what: What) {
        self.events.push(Event { at, what });
    }

    pub fn fault(&mut self, at: Duration, fault: Fault) {
        self.add(at, What::Fault(fault));
    }

    pub fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.u64(range))
    }

    /// A time at which the program follows, with so much time left.
    pub fn time(&mut self, left: Duration) -> Duration {
        let first = self.setting.start + seconds(2);
        let last = self.length.saturating_sub(left).max(first + seconds(1));
        first + self.millis(0..(last - first).as_millis() as u64)
    }

    /// A main container that is there from the start or soon after.
    pub fn place(&mut self) -> Place {
        let mains = self.pods[self.rng.usize(..self.pods.len())].mains();
        mains[self.rng.usize(..mains.len())].clone()
    }

    pub fn node(&mut self) -> String {
        self.pods[self.rng.usize(..self.pods.len())].node.clone()
    }

    pub fn node_of(&self, pod: &str) -> String {
        self.pods.iter().find(|known| known.name == pod).map(|pod| pod.node.clone()).unwrap_or_default()
    }

    /// Log requests of one pod, and seldom of all.
    pub fn logs(&mut self) -> Asked {
        let pod = self.place().pod;
        match self.rng.u32(..10) {
            0 => Asked::AllLogs,
            1..4 => Asked::Followed(pod),
            _ => Asked::Logs(pod),
        }
    }

    pub fn lines(&mut self, counts: Range<u32>) -> Lines {
        let texts = match self.rng.u32(..100) {
            0..70 => Texts::Numbered,
            70..95 => Texts::Odd,
            95..99 => Texts::LikeKubelet,
            _ => Texts::Unfinished,
        };
        let stamps = match self.rng.u32(..20) {
            0..12 => Stamps::Steps([1, 1000, 20_000][self.rng.usize(..3)]),
            12..16 => Stamps::Equal,
            _ => Stamps::Back(self.rng.u32(1..5_000_000)),
        };
        Lines { count: self.rng.u32(counts), texts, stamps, seed: self.rng.u64(..) }
    }

    /// A line of many pieces.
    pub fn long(&mut self) -> Lines {
        let bytes = [self.rng.u32(200..20_000), self.rng.u32(16_000..200_000)][self.rng.usize(..2)];
        Lines { count: 1, texts: Texts::Long(bytes), stamps: Stamps::Equal, seed: self.rng.u64(..) }
    }

    /// Hundreds of lines, seldom thousands.
    pub fn burst(&mut self) -> Lines {
        if self.chance(15) { self.lines(1000..5000) } else { self.lines(20..500) }
    }

    pub fn restart(&mut self) -> Restart {
        let last = self.chance(70).then(|| self.lines(1..20));
        let waits = if self.chance(30) { self.millis(200..15_000) } else { Duration::ZERO };
        let late = if self.chance(50) { self.millis(50..8000) } else { Duration::ZERO };
        Restart { exit: [0, 1, 2, 137][self.rng.usize(..4)], last, waits, late }
    }

    /// Adds a pod that writes from then on.
    pub fn pod(&mut self, at: Duration) {
        let number = self.pods.len();
        let several = self.setting.start.as_millis().is_multiple_of(2);
        let namespace = if several && number % 3 == 1 { "shop" } else { "default" };
        let mut containers = vec![("app".to_owned(), Kind::Main)];
        match self.rng.u32(..100) {
            0..75 => {}
            75..90 => containers.push(("proxy".to_owned(), Kind::Main)),
            90..95 => containers.insert(0, ("setup".to_owned(), Kind::Init)),
            95..98 => containers.insert(0, ("mesh".to_owned(), Kind::Sidecar)),
            _ => containers.push(("debug".to_owned(), Kind::Ephemeral)),
        }
        let pod = Pod {
            name: format!("web-{number}"),
            namespace: namespace.to_owned(),
            node: format!("node-{}", 1 + self.rng.usize(..3)),
            containers: containers.clone(),
            late: Duration::ZERO,
        };
        self.add(at, What::Appears(pod.clone()));
        let mut from = at;
        for (container, kind) in containers {
            let place = Place { pod: pod.name.clone(), container };
            if kind == Kind::Init {
                let lines = self.lines(1..30);
                self.add(from, What::Writes(place.clone(), lines));
                from += self.millis(100..3000);
                self.add(from, What::Ends { place, exit: 0 });
            } else {
                self.writes(from, place);
            }
        }
        self.pods.push(pod);
    }

    /// A container writes until the end, in a way of its own.
    fn writes(&mut self, from: Duration, place: Place) {
        let lasting = self.length.saturating_sub(from);
        let go_on = |draft: &mut Draft, lines, every| {
            draft.add(from, What::GoesOn(place.clone(), lines, Pace { every, lasting }));
        };
        match self.rng.u32(..100) {
            0..10 => {}
            10..35 => {
                let (lines, every) = (self.lines(1..3), self.millis(5_000..20_000));
                go_on(self, lines, every);
            }
            35..80 => {
                let (lines, every) = (self.lines(1..4), self.millis(200..2_000));
                go_on(self, lines, every);
            }
            80..92 => {
                let (lines, every) = (self.lines(5..40), self.millis(500..3_000));
                go_on(self, lines, every);
            }
            92..97 => {
                let (lines, every) = (self.lines(100..400), self.millis(8_000..20_000));
                go_on(self, lines, every);
            }
            _ => {
                let (lines, every) = (self.long(), self.millis(2_000..10_000));
                go_on(self, lines, every);
            }
        }
    }
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
