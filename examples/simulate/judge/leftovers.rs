//! Nothing is kept of pods that are gone: the tasks and the memory of a run are what they were before the first one.

use super::Problem;
use crate::story::{Leftovers, Story};

/// Tasks of a run that waits for pods: those of a connection for the watch and one for logs, of the program and of the
/// server.
const USUAL: usize = 6;

/// Tasks that may be left beside these: those of connections that are kept for the next request.
const TASKS: usize = 3;

/// Bytes that the first pods may leave: the buffers of connections and of the output, as large as the busiest moment
/// needed them, and what is made once, when it is needed first.
const ONCE: i64 = 2 << 20;

/// Pods that come and go, twice (`PASSING` in world/settle.rs).
const PODS: i64 = 200;

/// Memory of a task that has ended, with little more than a pointer to its future. Tasks are freed with their last waker:
/// if that is in a step of the world, as with a low `--qps`, they count as left.
const TASK: i64 = 256;

/// Bytes that these pods may add to that: a queue that grew, as they did not come at the same time as those before.
const MORE: i64 = 64 << 10;

pub fn judge(story: &Story) -> Vec<Problem> {
    let Some(Leftovers { before, after, again }) = story.leftovers else { return Vec::new() };
    let is_slow = story.script.setting.qps.is_some_and(|qps| qps > 0);
    let freed_by_the_world = if is_slow { PODS * TASK } else { 0 };
    [(before, after, ONCE), (after, again, MORE + freed_by_the_world)]
        .into_iter()
        .flat_map(|(one, other, most)| {
            let problem = |kind, text| Problem { kind, container: String::new(), at: other.at, text };
            let tasks = (other.tasks > before.tasks.max(USUAL) + TASKS)
                .then(|| problem("tasks are left", format!("{} in place of {}", other.tasks, before.tasks)));
            let more = other.heap - one.heap;
            let heap =
                (more > most).then(|| problem("memory is left", format!("{more} bytes, {most} are allowed")));
            tasks.into_iter().chain(heap)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, story},
        story::Usage,
    };

    fn kinds(tasks: usize, once: i64, more: i64) -> Vec<&'static str> {
        kinds_with(None, tasks, once, more)
    }

    fn kinds_with(qps: Option<i32>, tasks: usize, once: i64, more: i64) -> Vec<&'static str> {
        let mut story = story();
        story.script.setting.qps = qps;
        let before = Usage { at: at(1.0), tasks: 10, heap: 1 << 20 };
        let after = Usage { at: at(100.0), tasks: 10, heap: before.heap + once };
        let again = Usage { at: at(170.0), tasks: 10 + tasks, heap: after.heap + more };
        story.leftovers = Some(Leftovers { before, after, again });
        judge(&story).into_iter().map(|problem| problem.kind).collect()
    }

    #[test]
    fn what_is_left_of_pods_is_a_problem() {
        assert_eq!(kinds(TASKS, ONCE, MORE), [""; 0]);
        assert_eq!(kinds(TASKS + 1, 0, 0), ["tasks are left"]);
        assert_eq!(kinds(0, ONCE + 1, 0), ["memory is left"]);
        assert_eq!(kinds(0, 0, MORE + 1), ["memory is left"]);
        assert_eq!(kinds_with(Some(3), 0, 0, MORE + PODS * TASK), [""; 0]);
        assert_eq!(kinds_with(Some(3), 0, 0, MORE + PODS * TASK + 1), ["memory is left"]);
    }
}
