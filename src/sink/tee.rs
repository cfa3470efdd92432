//! Gives events to what people see and to the files.

use std::io;

use super::{Closed, Files, Print, Shown, Sink};
use crate::{event::Event, notice::Notice, pace::Pace};

pub struct Tee {
    print: Print,
    files: Option<Files>,
    /// Whether standard output gets no lines.
    quiet: bool,
}

impl Tee {
    pub fn new(print: Print, files: Option<Files>, quiet: bool) -> Tee {
        Tee { print, files, quiet }
    }

    /// Shows what the writer of the files reports.
    async fn report(&mut self) -> Result<(), Closed> {
        let Some(files) = &mut self.files else { return Ok(()) };
        while let Some(report) = files.report() {
            self.print.notice(report).await?;
            files.shown();
        }
        Ok(())
    }
}

impl Sink for Tee {
    async fn take(&mut self, event: Event, pace: &mut Pace) -> Result<(), Closed> {
        let mut notices = Vec::new();
        if let Some(files) = &mut self.files {
            match &event {
                Event::Batch(batch) => notices = files.batch(batch, pace).await,
                Event::Opened(origin, Some(restart)) => files.restarted(origin, restart),
                Event::Merged(merged) => notices = files.merged(merged, pace).await,
                Event::Closed(origin, _) => notices.extend(files.closed(origin)),
                _ => {}
            }
        }
        if !self.quiet {
            // The printed lines fail as those in files do, and are reported.
            return self.print.take(event, pace).await;
        }
        for notice in &notices {
            self.print.notice(notice).await?;
        }
        match &event {
            Event::Batch(batch) => self.print.gaps([batch.stretch()]).await,
            Event::Merged(merged) => self.print.gaps(merged.stretches()).await,
            _ => self.print.take(event, pace).await,
        }
    }

    async fn idle(&mut self) -> Result<(), Closed> {
        self.print.idle().await?;
        if let Some(files) = &mut self.files {
            files.flush().await;
        }
        self.report().await
    }

    async fn written(&mut self) {
        self.print.written().await;
    }

    async fn closed(&mut self) {
        let Some(files) = &mut self.files else { return self.print.closed().await };
        loop {
            tokio::select! {
                biased;
                () = self.print.closed() => return,
                () = files.reported() => {}
            }
            // The next turn sees a closed output.
            while let Some(report) = files.report()
                && self.print.notice(report).await.is_ok()
            {
                files.shown();
            }
        }
    }

    async fn failed(&mut self, error: &str) -> Result<(), Closed> {
        self.print.failed(error).await
    }

    fn last_words(&mut self, notices: &[Notice]) -> Vec<u8> {
        let mut words = self.print.last_words(notices);
        if let Some(files) = &mut self.files {
            let notices = files.last_words();
            words.extend(self.print.rendered(&notices));
        }
        words
    }

    async fn finish(&mut self) -> io::Result<Shown> {
        let mut shown = Shown::Whole;
        if let Some(files) = &mut self.files {
            let notices;
            (shown, notices) = files.finish().await;
            for notice in &notices {
                // If no line can be shown any more, this reaches standard error all the same.
                let _ = self.print.notice(notice).await;
            }
        }
        Ok(shown.and(self.print.finish().await?))
    }
}
