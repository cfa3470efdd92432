//! Prints lines to standard output and notices to standard error.

use std::io::{self, Read, Write};

use super::{Closed, Pager, Shown, Sink, output::Output};
use crate::{
    event::{Batch, Event, Merged, Spool, Stretch},
    machine::Machine,
    notice::{Kind, Notice, Recent, Scope},
    pace::Pace,
    render::Renderer,
    without_number,
};

/// Bytes to gather before printing while more events are ready.
const CHUNK: usize = 128 << 10;

pub struct Print {
    renderer: Renderer,
    output: Output,
    /// Rendered lines that were not passed to the output yet.
    lines: Vec<u8>,
    recent: Recent,
    /// Whether all of the lines could be shown.
    is_whole: bool,
}

impl Print {
    pub fn new(
        renderer: Renderer,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        machine: &Machine,
    ) -> io::Result<Print> {
        let output = Output::new(stdout, stderr, machine)?;
        Ok(Print { renderer, output, lines: Vec::new(), recent: Recent::default(), is_whole: true })
    }

    async fn batch(&mut self, batch: &Batch, pace: &mut Pace) -> Result<(), Closed> {
        let mut words = Vec::new();
        self.stretches([batch.stretch()], &mut words, pace).await;
        if let Some(rest) = &batch.rest
            && !batch.items.is_empty()
            && let Err(error) = self.rest(rest).await?
        {
            self.is_whole = false;
            let reason = without_number(&error);
            let text = format!("a line is cut: its rest cannot be read from its temporary file: {reason}");
            self.renderer.notice(&Scope::of(&batch.origin).warning(text), &mut words);
        }
        self.renderer.gaps(batch.stretch(), &mut words);
        self.words(words).await
    }

    async fn merged(&mut self, merged: &Merged, pace: &mut Pace) -> Result<(), Closed> {
        let mut words = Vec::new();
        self.stretches(merged.stretches(), &mut words, pace).await;
        merged.stretches().for_each(|stretch| self.renderer.gaps(stretch, &mut words));
        self.words(words).await
    }

    /// Renders lines, in pieces so that other tasks run.
    async fn stretches(
        &mut self,
        stretches: impl IntoIterator<Item = Stretch<'_>>,
        words: &mut Vec<u8>,
        pace: &mut Pace,
    ) {
        let mut left = pace.piece(usize::MAX);
        for mut stretch in stretches {
            while !stretch.items.is_empty() {
                let (piece, others) = stretch.split(left);
                if let Some(notice) = self.renderer.lines(piece, &mut self.lines) {
                    self.renderer.notice(&notice, words);
                }
                left -= piece.items.len();
                if left == 0 {
                    pace.done().await;
                    left = pace.piece(usize::MAX);
                }
                stretch = others;
            }
            if let Some(notice) = self.renderer.unmarked(stretch.origin) {
                self.renderer.notice(&notice, words);
            }
        }
        pace.done().await;
    }

    /// Reports the gaps among lines that are shown elsewhere.
    pub async fn gaps(&mut self, stretches: impl IntoIterator<Item = Stretch<'_>>) -> Result<(), Closed> {
        let mut words = Vec::new();
        stretches.into_iter().for_each(|stretch| self.renderer.gaps(stretch, &mut words));
        self.words(words).await
    }

    /// Shows the rest of a long last line, before its newline. The inner error is that of the file.
    async fn rest(&mut self, rest: &Spool) -> Result<io::Result<()>, Closed> {
        self.lines.pop_if(|last| *last == b'\n');
        let copied = self.copy(rest).await?;
        if copied.is_err() {
            self.lines.extend_from_slice(" … [cut]".as_bytes());
        }
        self.lines.push(b'\n');
        Ok(copied)
    }

    async fn copy(&mut self, rest: &Spool) -> Result<io::Result<()>, Closed> {
        let mut reader = rest.reader();
        loop {
            self.print().await?;
            match (&mut reader).take(CHUNK as u64).read_to_end(&mut self.lines) {
                Ok(1..) => {}
                Ok(0) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// Shows a message after the earlier lines.
    async fn words(&mut self, words: Vec<u8>) -> Result<(), Closed> {
        if words.is_empty() {
            return Ok(());
        }
        let printed = self.print().await;
        // Words are read although lines are not any more.
        self.output.stderr(words).await?;
        printed
    }

    pub async fn notice(&mut self, notice: &Notice) -> Result<(), Closed> {
        let mut words = Vec::new();
        self.is_whole &= notice.kind != Kind::Loss;
        if self.recent.is_news(notice) {
            self.renderer.notice(notice, &mut words);
        }
        self.words(words).await
    }

    /// Also notices the end of the pager that shows standard output.
    pub fn watch_pager(self, pager: Option<Pager>) -> Print {
        Print { output: self.output.watch_pager(pager), ..self }
    }

    /// Also notices a closed reader of this process's standard output while no line is written.
    pub fn watch_stdout(self) -> Print {
        Print { output: self.output.watch_stdout(), ..self }
    }

    /// Notices for standard error.
    pub fn rendered(&mut self, notices: &[Notice]) -> Vec<u8> {
        let mut words = Vec::new();
        notices.iter().for_each(|notice| self.renderer.notice(notice, &mut words));
        words
    }

    async fn print(&mut self) -> Result<(), Closed> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let empty = self.output.buffer();
        self.output.stdout(std::mem::replace(&mut self.lines, empty)).await
    }
}

impl Sink for Print {
    async fn take(&mut self, event: Event, pace: &mut Pace) -> Result<(), Closed> {
        match event {
            Event::Batch(batch) => self.batch(&batch, pace).await?,
            Event::Merged(merged) => self.merged(&merged, pace).await?,
            Event::Notice(notice) => self.notice(&notice).await?,
            Event::Text(text) => self.lines.extend_from_slice(text.as_bytes()),
            Event::Opened(origin, restart) => {
                let mut words = Vec::new();
                self.renderer.opened(&origin, restart.as_ref(), &mut words);
                self.words(words).await?;
            }
            Event::Closed(origin, closed) => {
                let mut words = Vec::new();
                self.renderer.closed(&origin, &closed, &mut words);
                self.words(words).await?;
            }
            Event::Expected(_) | Event::Listed | Event::Reached(..) | Event::CaughtUp(_) => {}
        }
        if self.lines.len() >= CHUNK {
            self.print().await?;
        }
        Ok(())
    }

    async fn idle(&mut self) -> Result<(), Closed> {
        self.print().await
    }

    async fn written(&mut self) {
        self.output.written().await;
    }

    async fn closed(&mut self) {
        self.output.closed().await;
    }

    async fn failed(&mut self, error: &str) -> Result<(), Closed> {
        // Of a closed output, the caller reports that.
        self.print().await?;
        self.words(format!("stern-rs: {error}\n").into_bytes()).await
    }

    fn last_words(&mut self, notices: &[Notice]) -> Vec<u8> {
        let counts = self.renderer.counts();
        let mut words = self.rendered(notices);
        words.extend(self.rendered(&counts));
        words
    }

    async fn finish(&mut self) -> io::Result<Shown> {
        let words = self.last_words(&[]);
        // If nothing can be shown any more, the output gives the reason.
        let _ = self.words(words).await;
        self.output.finish().await?;
        Ok(if self.is_whole && self.renderer.is_whole() { Shown::Whole } else { Shown::InPart })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, sync::Arc};

    use super::*;
    use crate::{
        event::{Item, Line},
        origin::Origin,
        plan::{Display, Format},
        render::testing::display,
    };

    #[tokio::test]
    async fn a_rest_that_cannot_be_read_is_reported() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let file =
            |name: &str| OpenOptions::new().create(true).append(true).open(path(name)).expect("a file");
        let renderer = Renderer::new(&Display { format: Format::Raw, ..display() }).expect("no template");
        let mut print =
            Print::new(renderer, Box::new(file("out")), Box::new(file("err")), &Machine::default())
                .expect("a thread");
        let batch = Batch {
            origin: Arc::new(Origin::stdin()),
            data: "begin".into(),
            items: vec![Item::Line(Line { time: None, start: 0, end: 5 })],
            // It can only be written.
            rest: Some(Spool::new(file("rest"))),
        };
        print.take(Event::Batch(batch), &mut Pace::default()).await.expect("open");
        assert_eq!(print.finish().await.expect("written"), Shown::InPart);
        let read = |name: &str| std::fs::read_to_string(path(name)).expect("a file");
        assert_eq!(read("out"), "begin … [cut]\n");
        let report = "! a line is cut: its rest cannot be read from its temporary file: ";
        assert!(read("err").starts_with(report), "{}", read("err"));
    }
}
