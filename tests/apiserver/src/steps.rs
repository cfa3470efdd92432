//! The tasks of a server. A simulation that shares a thread with them may surround each of their steps, to tell their
//! part of the memory from others.

use std::{
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
};

use hyper::rt::Executor;

/// Does a step, and something before and after it.
pub type Around = fn(&mut dyn FnMut());

static AROUND: OnceLock<Around> = OnceLock::new();

/// Surrounds each step of the tasks of all servers in this process. The first call decides.
pub fn surround_steps(around: Around) {
    // A second call comes from another test of the same process.
    let _ = AROUND.set(around);
}

pub(crate) fn spawn(task: impl Future<Output: Send> + Send + 'static) {
    match AROUND.get() {
        None => drop(tokio::spawn(task)),
        Some(around) => drop(tokio::spawn(Surrounded { task: Some(Box::pin(task)), around: *around })),
    }
}

/// For hyper.
#[derive(Clone, Copy)]
pub(crate) struct Tasks;

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        spawn(task);
    }
}

struct Surrounded<F> {
    /// None: it has ended.
    task: Option<Pin<Box<F>>>,
    around: Around,
}

impl<F: Future> Future for Surrounded<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        (this.around)(&mut || {
            if let Some(task) = &mut this.task
                && task.as_mut().poll(cx).is_ready()
            {
                this.task = None;
            }
        });
        if this.task.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<F> Drop for Surrounded<F> {
    fn drop(&mut self) {
        let (task, around) = (&mut self.task, self.around);
        around(&mut || *task = None);
    }
}
