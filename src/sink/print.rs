//! Prints lines to standard output and notices to standard error.

use std::io::{self, Read, Write};

use super::{Closed, Shown, Sink, output::Output};
use crate::{
    event::{Batch, Event, Item, Spool},
    notice::{Notice, Recent},
    pace::Pace,
    render::Renderer,
};

/// Bytes to gather before printing while more events are ready.
const CHUNK: usize = 128 << 10;

pub struct Print {
    renderer: Renderer,
    output: Output,
    /// Rendered lines that were not passed to the output yet.
    lines: Vec<u8>,
    recent: Recent,
}

impl Print {
    pub fn new(
        renderer: Renderer,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
    ) -> io::Result<Print> {
        let output = Output::new(stdout, stderr)?.watch_stdout();
        Ok(Print { renderer, output, lines: Vec::new(), recent: Recent::default() })
    }

    async fn batch(&mut self, batch: &Batch, pace: &mut Pace) -> Result<(), Closed> {
        let (mut from, mut words) = (0, Vec::new());
        while from < batch.items.len() {
            let to = from + pace.piece(batch.items.len() - from);
            if let Some(notice) = self.renderer.lines(batch, from..to, &mut self.lines) {
                self.renderer.notice(&notice, &mut words);
            }
            pace.done().await;
            from = to;
        }
        if let Some(notice) = self.renderer.unmarked(batch) {
            self.renderer.notice(&notice, &mut words);
        }
        if let Some(rest) = &batch.rest
            && !batch.items.is_empty()
        {
            self.rest(rest).await?;
        }
        for item in &batch.items {
            if let Item::Gap(gap) = item {
                self.renderer.gap(&batch.origin, *gap, &mut words);
            }
        }
        self.words(words).await
    }

    /// Shows the rest of a long last line, before its newline.
    async fn rest(&mut self, rest: &Spool) -> Result<(), Closed> {
        self.lines.pop_if(|last| *last == b'\n');
        let Ok(mut reader) = rest.reader() else { return Ok(()) };
        loop {
            self.print().await?;
            // The file exists while it is open, and only this process writes to it.
            match (&mut reader).take(CHUNK as u64).read_to_end(&mut self.lines) {
                Ok(1..) => {}
                Ok(0) | Err(_) => break,
            }
        }
        self.lines.push(b'\n');
        Ok(())
    }

    /// Shows a message after the earlier lines.
    async fn words(&mut self, words: Vec<u8>) -> Result<(), Closed> {
        if words.is_empty() {
            return Ok(());
        }
        self.print().await?;
        self.output.stderr(words).await
    }

    async fn notice(&mut self, notice: &Notice) -> Result<(), Closed> {
        let mut words = Vec::new();
        if self.recent.is_news(notice) {
            self.renderer.notice(notice, &mut words);
        }
        self.words(words).await
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
            Event::Notice(notice) => self.notice(&notice).await?,
            Event::Text(text) => self.lines.extend_from_slice(text.as_bytes()),
            Event::Opened(origin) => {
                let mut words = Vec::new();
                self.renderer.opened(&origin, &mut words);
                self.words(words).await?;
            }
            Event::Closed(origin, closed) => {
                let mut words = Vec::new();
                self.renderer.closed(&origin, &closed, &mut words);
                self.words(words).await?;
            }
            Event::Reached(..) => {}
        }
        if self.lines.len() >= CHUNK {
            self.print().await?;
        }
        Ok(())
    }

    async fn idle(&mut self) -> Result<(), Closed> {
        self.print().await
    }

    async fn closed(&self) {
        self.output.closed().await;
    }

    async fn failed(&mut self, error: &str) -> Result<(), Closed> {
        self.words(format!("stern-rs: {error}\n").into_bytes()).await
    }

    fn last_words(&mut self) -> Vec<u8> {
        let mut words = Vec::new();
        self.renderer.counts(&mut words);
        words
    }

    async fn finish(mut self) -> io::Result<Shown> {
        let words = self.last_words();
        // If nothing can be shown any more, the output gives the reason.
        let _ = self.words(words).await;
        self.output.finish().await?;
        Ok(if self.renderer.is_whole() { Shown::Whole } else { Shown::InPart })
    }
}
