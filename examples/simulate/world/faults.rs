//! Faults, and their ends.

use std::time::Duration;

use apiserver::{After, Answer, Chunks, Gate, Match, Outage, Script};
use jiff::Timestamp;

use super::{Step, World};
use crate::{
    program::Reader,
    script::{Asked, Broken, Fault, Lost, Refusal},
};

impl<'a> World<'a> {
    pub fn fault(&mut self, fault: &'a Fault) -> bool {
        let server = &self.server;
        match fault {
            Fault::Breaks(asked, how) => {
                let asked = matching(asked);
                match how {
                    Broken::Ends => server.end(asked),
                    Broken::Cut => server.cut(asked),
                    Broken::Reset => server.reset(asked),
                    // It is done with answers to come only.
                    Broken::Stalls => return false,
                    Broken::Says(words) => {
                        server.insert(asked.clone(), words.text());
                        server.end(asked);
                    }
                }
            }
            Fault::WillBreak { asked, times, how, bytes, chunks, lasting } => {
                let after = After::Bytes(*bytes);
                let answer = match chunks {
                    Some(size) => Answer::ok().chunks(Chunks::Bytes(*size as usize)),
                    None => Answer::ok(),
                };
                let gate = Gate::new();
                let answer = match how {
                    // A kubelet writes whole lines. A look at the last one is not misled: of two such answers in a row
                    // no client could tell.
                    Broken::Ends if bytes.is_multiple_of(2) => {
                        answer.end_after(After::Lines(1 + *bytes / 50))
                    }
                    Broken::Ends => answer.end_after(after),
                    Broken::Cut => answer.cut_after(after),
                    Broken::Reset => answer.reset_after(after),
                    Broken::Stalls => answer.hold_after(after, &gate),
                    Broken::Says(words) => {
                        // A kubelet says them behind a line.
                        let after = After::Lines(*bytes / 50);
                        answer.insert_after(after, words.text()).end_after(after)
                    }
                };
                self.answer(asked, *times, &answer, *lasting);
                self.over(*lasting, "answers go on", move |_| gate.release());
            }
            Fault::Refused { asked, times, how, lasting } => {
                let answer = refusal(*how, self.server.now());
                self.answer(asked, *times, &answer, *lasting);
            }
            Fault::ConnectionsReset => server.reset_connections(),
            Fault::GoAway => server.go_away(),
            Fault::GoAwayAtOnce(last) => server.go_away_at_once(*last),
            Fault::WatchExpired => {
                server.compact();
                server.expire_watches();
            }
            Fault::ServerAway(lasting) => {
                server.down();
                self.over(*lasting, "the apiserver is back", |world| world.server.up());
            }
            Fault::KubeletAway(node, lasting) => {
                server.stop_kubelet(node);
                let node = node.clone();
                self.over(*lasting, "the kubelet is back", move |world| world.server.start_kubelet(&node));
            }
            Fault::BlackHole(lasting) => {
                server.black_hole(true);
                self.over(*lasting, "packets arrive again", |world| world.server.black_hole(false));
            }
            Fault::Far { round_trip, lasting } => {
                let usual = self.script.setting.server.round_trip;
                server.set_round_trip(*round_trip);
                self.over(*lasting, "the network is as before", move |world| {
                    world.server.set_round_trip(usual);
                });
            }
            Fault::NodeLost { node, how, comes_back, lasting } => {
                server.lose_node(node, outage(*how));
                self.silence_node(node);
                let (node, comes_back) = (node.clone(), *comes_back);
                self.over(*lasting, "the lost node is decided on", move |world| {
                    if !comes_back {
                        world.bereave(&node);
                    }
                    world.server.find_node(&node);
                });
            }
            Fault::NoPrevious(node) => {
                server.keep_no_previous(node);
                self.forgetful.insert(node.clone());
                self.forget_all_previous(node);
            }
            Fault::WatchHeld { delay, lasting } => {
                server.delay_watches(*delay);
                self.over(*lasting, "watches are prompt again", |world| {
                    world.server.delay_watches(Duration::ZERO);
                });
            }
            Fault::NoInotify { node, left, lasting } => {
                server.set_inotify_instances(node, *left);
                let node = node.clone();
                self.over(*lasting, "the node has inotify instances again", move |world| {
                    world.server.set_inotify_instances(&node, usize::MAX);
                });
            }
            Fault::SlowReader(rate, lasting) => {
                self.read(if *rate == 0 { Reader::Stopped } else { Reader::Slow(*rate) });
                self.over(*lasting, "standard output is read again", |world| world.read(Reader::Fast));
            }
        }
        true
    }

    fn answer(&mut self, asked: &Asked, times: u32, answer: &Answer, lasting: Duration) {
        let script: Script = self.server.on(matching(asked));
        script.times(times as usize, answer);
        self.over(lasting, "requests are answered as usual", move |_| script.stop());
    }

    fn over(&mut self, lasting: Duration, words: &'static str, end: impl FnOnce(&mut World) + 'static) {
        self.plan_in(lasting, Step::Over(words, Box::new(end)));
    }

    /// Deletes the pods of a node.
    fn bereave(&mut self, node: &str) {
        let pods = self.pods.values().filter(|pod| pod.node == node && pod.deleted.is_none());
        let pods: Vec<String> = pods.map(|pod| pod.name.clone()).collect();
        pods.iter().for_each(|pod| self.remove(pod));
    }

    fn read(&mut self, reader: Reader) {
        if let Some(program) = &self.program {
            program.reader.send_replace(reader);
        }
    }
}

fn matching(asked: &Asked) -> Match {
    match asked {
        Asked::Logs(pod) => Match::logs().path(&format!("/pods/{pod}/")),
        Asked::Followed(pod) => Match::logs().path(&format!("/pods/{pod}/")).query("follow", "true"),
        Asked::AllLogs => Match::logs(),
        Asked::Watches => Match::watches(),
        Asked::Lists => Match::lists(),
        Asked::All => Match::any(),
    }
}

fn outage(how: Lost) -> Outage {
    match how {
        Lost::Refused => Outage::Refused,
        Lost::Unreachable(after) => Outage::Unreachable(after),
        Lost::TimedOut(after) => Outage::TimedOut(after),
        Lost::Silent => Outage::Silent,
    }
}

fn refusal(how: Refusal, now: Timestamp) -> Answer {
    match how {
        Refusal::Status(400) => {
            Answer::status(400, "BadRequest", "container \"app\" is waiting to start: ContainerCreating")
        }
        Refusal::Status(401) => Answer::unauthorized(),
        Refusal::Status(403) => Answer::status(403, "Forbidden", "pods \"web\" is forbidden: role not found"),
        Refusal::Status(404) => {
            Answer::status(404, "NotFound", "the server could not find the requested resource")
        }
        Refusal::Status(410) => Answer::expired(),
        Refusal::Status(500) => Answer::internal_error("etcdserver: leader changed"),
        Refusal::Status(502) => Answer::text(502, "Bad Gateway"),
        Refusal::Status(503) => Answer::unavailable(),
        Refusal::Status(status) => Answer::status(status, "", "the request failed"),
        Refusal::RetryAfter(status, seconds) => told_to_wait(status, &seconds.to_string()),
        Refusal::RetryAt(status, seconds) => {
            let date = now + Duration::from_secs(seconds.into());
            told_to_wait(status, &date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
        Refusal::Reset => Answer::reset(),
        Refusal::Closed => Answer::close(),
        Refusal::Never => Answer::never(),
        Refusal::Late(delay) => Answer::ok().delay(delay),
    }
}

fn told_to_wait(status: u16, wait: &str) -> Answer {
    let reason = if status == 429 { "TooManyRequests" } else { "ServiceUnavailable" };
    Answer::status(status, reason, "Too many requests, please try again later.").header("retry-after", wait)
}
