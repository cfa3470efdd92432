//! The tasks and the memory of the program, which shares its process with the double and the world: what those allocate
//! in their steps is counted apart.

use std::{
    alloc::System,
    cell::Cell,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use cap::Cap;

use crate::story::Usage;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

thread_local! {
    /// What the steps of the world have allocated and not freed, in bytes.
    static WORLD: Cell<isize> = const { Cell::new(0) };
    /// All that was allocated when the current step of the world began.
    static BEGAN: Cell<Option<isize>> = const { Cell::new(None) };
}

fn heap() -> isize {
    isize::try_from(HEAP.allocated()).unwrap_or(isize::MAX)
}

/// Does a step of the world or of the double. It may be a part of another one.
pub fn step_of_world(step: &mut dyn FnMut()) {
    if BEGAN.get().is_some() {
        return step();
    }
    let began = heap();
    BEGAN.set(Some(began));
    step();
    BEGAN.set(None);
    WORLD.set(WORLD.get() + heap() - began);
}

/// The result of a step of the world.
pub fn in_world<T>(step: impl FnOnce() -> T) -> T {
    let (mut step, mut result) = (Some(step), None);
    step_of_world(&mut || result = step.take().map(|step| step()));
    result.expect("a step is done")
}

/// Lets all steps of a future be those of the world.
pub async fn steps_of_world<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    std::future::poll_fn(move |cx: &mut Context<'_>| -> Poll<T> {
        let mut future: Pin<&mut _> = future.as_mut();
        in_world(|| future.as_mut().poll(cx))
    })
    .await
}

/// What the program holds now. Tasks include those of the double that serve it.
pub fn now(at: Duration) -> Usage {
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let heap = BEGAN.get().unwrap_or_else(heap) - WORLD.get();
    Usage { at, tasks, heap: heap as i64 }
}
