//! Heads in columns: of zap and Istio with tabs, of loguru and NLog with bars, and of NLog with commas.

use super::{Head, Rest, is_caller, is_name};
use crate::fields::{Role, Span};

impl Head<'_, '_> {
    /// Columns of zap, Istio, NLog and loguru: a logger or a caller, then the message.
    pub(super) fn columns(&mut self, separator: u8) -> Rest {
        self.cursor.spaces();
        self.cursor.eat(&[separator]);
        for _ in 0..3 {
            let start = self.cursor.at;
            let Some(length) = memchr::memchr(separator, self.cursor.rest()) else { break };
            let column = Span::of(start, start + length).trimmed(self.cursor.line);
            let text = column.of_message(self.cursor.line);
            if is_caller(text) && !self.has(Role::Caller) {
                self.tape.named(Some(Role::Caller), "caller", column);
            } else if !column.is_empty()
                && column.of_message(self.cursor.line).iter().all(|byte| is_name(*byte))
                && !self.has(Role::Logger)
                && !self.is_last_column(start + length + 1, separator)
            {
                self.tape.named(Some(Role::Logger), "logger", column);
            } else if !column.is_empty() {
                break;
            }
            self.cursor.at = start + length + 1;
        }
        self.cursor.spaces();
        // etcd: `I | etcdserver: message`
        if separator == b'|' && self.has(Role::Time) {
            let single = self.tape.nodes.last().is_some_and(|node| node.value.end - node.value.start == 1);
            let _ = single && self.logger(&[b": "]);
        }
        // loguru: `module:function:12 - message`
        if separator == b'|' {
            let mut cursor = self.cursor;
            let word = cursor.word();
            if cursor.eat(b" - ") && !self.has(Role::Caller) {
                self.tape.named(Some(Role::Caller), "caller", word);
                self.cursor = cursor;
            }
        }
        Rest::Message(self.cursor.at)
    }

    /// Whether an object follows: then the column before it is the message.
    fn is_last_column(&self, next: usize, separator: u8) -> bool {
        separator == b'\t' && self.cursor.line.get(next) == Some(&b'{')
    }

    /// NLog's columns with commas: a logger, the message, an exception.
    pub(super) fn csv(&mut self) -> Rest {
        self.cursor.at += 1;
        let line = self.cursor.line;
        if let Some(comma) = memchr::memchr(b',', self.cursor.rest()) {
            let logger = Span::of(self.cursor.at, self.cursor.at + comma);
            if !logger.is_empty() && logger.of_message(line).iter().all(|byte| is_name(*byte)) {
                self.tape.named(Some(Role::Logger), "logger", logger);
                self.cursor.at += comma + 1;
            }
        }
        for (role, name) in [(Role::Message, "message"), (Role::Error, "exception")] {
            let start = self.cursor.at;
            let (value, end) = match line.get(start) {
                Some(b'"') => match memchr::memchr(b'"', &line[start + 1..]) {
                    Some(length) => (Span::of(start + 1, start + 1 + length), start + 2 + length),
                    None => return Rest::Message(start),
                },
                _ if role == Role::Message => {
                    let length = memchr::memchr(b',', &line[start..]).unwrap_or(line.len() - start);
                    (Span::of(start, start + length), start + length)
                }
                _ => (Span::of(start, line.len()), line.len()),
            };
            if !value.is_empty() {
                self.tape.named(Some(role), name, value);
            }
            self.cursor.at = (end + 1).min(line.len());
        }
        Rest::Done
    }
}
