//! Events of a console.

use std::{io, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
        ctrl_shutdown,
    },
    time::sleep,
};

use super::Signal;

pub struct Listener {
    runtime: Runtime,
    interrupt: CtrlC,
    quit: CtrlBreak,
    close: CtrlClose,
    logoff: CtrlLogoff,
    shutdown: CtrlShutdown,
}

impl Listener {
    /// From now on these events do not end the process.
    pub fn new() -> io::Result<Listener> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        Ok(Listener {
            runtime,
            interrupt: ctrl_c()?,
            quit: ctrl_break()?,
            close: ctrl_close()?,
            logoff: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next event, at most this long. There may be none.
    pub fn wait(&mut self, at_most: Option<Duration>) -> Vec<Signal> {
        let Listener { runtime, interrupt, quit, close, logoff, shutdown } = self;
        let heard = runtime.block_on(async {
            let over = async {
                match at_most {
                    Some(at_most) => sleep(at_most).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(()) = interrupt.recv() => Some(Signal::Interrupt),
                Some(()) = quit.recv() => Some(Signal::Quit),
                Some(()) = close.recv() => Some(Signal::HangUp),
                Some(()) = logoff.recv() => Some(Signal::Terminate),
                Some(()) = shutdown.recv() => Some(Signal::Terminate),
                () = over => None,
            }
        });
        heard.into_iter().collect()
    }
}

/// The size of files has no limit here.
pub fn spare_large_files() {}
