//! Faults, chosen by a seed.

use std::time::Duration;

use apiserver::{After, Answer, Chunks, Match};
use fastrand::Rng;

/// The log requests whose answer breaks, and that answer, cut into chunks.
///
/// Only followed logs end as if they were complete. The end of any other log is verified once, and the program does not
/// promise to survive a misleading answer and a misleading check in a row.
pub fn broken(logs: Match, rng: &mut Rng) -> (Match, Answer) {
    let at = After::Bytes(match rng.u32(..3) {
        0 => rng.u64(..100),
        1 => rng.u64(..5_000),
        _ => rng.u64(..500_000),
    });
    let chunks = match rng.u32(..4) {
        0 => Chunks::Bytes(rng.usize(1..100)),
        1 => Chunks::Sizes((0..8).map(|_| rng.usize(1..4000)).collect()),
        _ => Chunks::Usual,
    };
    let answer = Answer::ok().chunks(chunks);
    match rng.u32(..4) {
        0 => (followed(logs), answer.end_after(at)),
        1 => (logs, answer.cut_after(at)),
        2 => (logs, answer.reset_after(at)),
        _ => {
            let lines = After::Lines(rng.u64(..200));
            let errors =
                ["rpc error: code = Unavailable desc = EOF", "unable to retrieve container logs for x\n"];
            (followed(logs), answer.insert_after(lines, errors[rng.usize(..2)]).end_after(lines))
        }
    }
}

pub fn followed(logs: Match) -> Match {
    logs.query("follow", "true")
}

/// A temporary answer in place of a log.
pub fn refusal(rng: &mut Rng) -> Answer {
    match rng.u32(..10) {
        0 => Answer::too_many_requests(1),
        1 => Answer::internal_error("etcdserver: leader changed"),
        2 => Answer::unavailable(),
        3 => Answer::text(502, "Bad Gateway"),
        4 => Answer::status(400, "BadRequest", "container \"app\" is waiting to start: ContainerCreating"),
        5 => Answer::status(404, "NotFound", "the server could not find the requested resource"),
        6 => Answer::reset(),
        7 => Answer::close(),
        8 => Answer::never(),
        _ => Answer::ok().delay(Duration::from_millis(rng.u64(..1500))),
    }
}

/// A refusal of a log that was readable before.
pub fn forbidden(rng: &mut Rng) -> Answer {
    match rng.bool() {
        true => Answer::status(401, "Unauthorized", "Unauthorized"),
        false => Answer::status(403, "Forbidden", "pods \"web\" is forbidden: role not found"),
    }
}

/// A temporary answer to a list or a watch.
pub fn refused_watch(rng: &mut Rng) -> Answer {
    match rng.u32(..6) {
        0 => Answer::too_many_requests(1),
        1 => Answer::internal_error("etcdserver: leader changed"),
        2 => Answer::unavailable(),
        3 => Answer::expired(),
        4 => Answer::reset(),
        _ => Answer::close(),
    }
}
