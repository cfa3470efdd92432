//! Format strings.

use super::{
    super::{utf8, value::Value},
    Printer,
    pad::Flags,
};

/// Maximum width and precision.
const MAX_NUMBER: i64 = 1_000_000;

/// Go's `fmt.Sprintf`, including its messages about verbs and operands that do not match.
pub fn printf(format: &[u8], args: &[Value<'_>], out: &mut Vec<u8>) {
    let mut run =
        Run { format, at: 0, args, next: 0, reordered: false, good_index: true, out: Printer::new(out) };
    while run.at < format.len() && !run.out.is_full() {
        let plain = memchr::memchr(b'%', &format[run.at..]).unwrap_or(format.len() - run.at);
        run.out.write(&format[run.at..run.at + plain]);
        run.at += plain;
        if run.at < format.len() {
            run.at += 1;
            run.directive();
        }
    }
    // After explicit indexes, unused operands are not an error.
    if !run.reordered && run.next < args.len() {
        run.extra();
    }
}

struct Run<'p, 'o> {
    format: &'p [u8],
    at: usize,
    args: &'p [Value<'p>],
    /// The next operand.
    next: usize,
    /// Whether any operand was given by its index.
    reordered: bool,
    /// Whether the indexes of this directive are valid.
    good_index: bool,
    out: Printer<'o>,
}

impl Run<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// The part after a `%`.
    fn directive(&mut self) {
        self.good_index = true;
        self.out.flags = Flags::default();
        while self.flag() {}
        let mut after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            self.star_width();
            after_index = false;
        } else {
            self.out.flags.width = self.number();
            // `%[3]2d`
            self.good_index &= !(after_index && self.out.flags.width.is_some());
        }
        // A point at the very end is the verb.
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.at += 1;
            self.good_index &= !after_index;
            after_index = self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                self.star_precision();
                after_index = false;
            } else {
                self.out.flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        self.verb();
    }

    fn flag(&mut self) -> bool {
        let flags = &mut self.out.flags;
        let flag = match self.format.get(self.at) {
            Some(b'#') => &mut flags.sharp,
            Some(b'0') => &mut flags.zero,
            Some(b'+') => &mut flags.plus,
            Some(b'-') => &mut flags.minus,
            Some(b' ') => &mut flags.space,
            _ => return false,
        };
        *flag = true;
        self.at += 1;
        true
    }

    /// Digits. A number that is far too large ends the format.
    fn number(&mut self) -> Option<usize> {
        let (number, at) = parse_number(self.format, self.at, self.format.len());
        self.at = at;
        number
    }

    /// `[n]`: whether it is present and valid.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let close = if rest.len() < 3 { None } else { memchr::memchr(b']', rest) };
        let Some(close) = close else {
            self.good_index = false;
            self.at += 1;
            return false;
        };
        let number = match parse_number(rest, 1, close) {
            (Some(number), at) if at == close => Some(number),
            _ => None,
        };
        self.at += close + 1;
        match number {
            Some(number) if (1..=self.args.len()).contains(&number) => self.next = number - 1,
            _ => self.good_index = false,
        }
        number.is_some()
    }

    /// The operand of `*`.
    fn star(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        arg.as_int().filter(|int| (-MAX_NUMBER..=MAX_NUMBER).contains(int))
    }

    fn star_width(&mut self) {
        let width = self.star();
        if width.is_none() {
            self.out.write(b"%!(BADWIDTH)");
        }
        self.out.flags.width = width.map(|width| width.unsigned_abs() as usize);
        if width.is_some_and(|width| width < 0) {
            self.out.flags.minus = true;
            self.out.flags.zero = false;
        }
    }

    fn star_precision(&mut self) {
        let precision = self.star().and_then(|precision| usize::try_from(precision).ok());
        if precision.is_none() {
            self.out.write(b"%!(BADPREC)");
        }
        self.out.flags.precision = precision;
    }

    fn verb(&mut self) {
        let Some(rest) = self.format.get(self.at..).filter(|rest| !rest.is_empty()) else {
            return self.out.write(b"%!(NOVERB)");
        };
        let (verb, len) = utf8::decode(rest);
        self.at += len;
        if verb == '%' {
            return self.out.write(b"%");
        }
        let arg = match self.args.get(self.next) {
            _ if !self.good_index => return self.complain(verb, b"(BADINDEX)"),
            None => return self.complain(verb, b"(MISSING)"),
            Some(arg) => arg,
        };
        if matches!(verb, 'v' | 'w') {
            let flags = &mut self.out.flags;
            (flags.sharp_v, flags.plus_v) =
                (std::mem::take(&mut flags.sharp), std::mem::take(&mut flags.plus));
        }
        self.out.arg(arg, verb);
        self.next += 1;
    }

    fn complain(&mut self, verb: char, reason: &[u8]) {
        self.out.write(b"%!");
        utf8::push(verb, self.out.out);
        self.out.write(reason);
    }

    fn extra(&mut self) {
        self.out.flags = Flags::default();
        self.out.write(b"%!(EXTRA ");
        for (i, arg) in self.args[self.next..].iter().enumerate() {
            if i > 0 {
                self.out.write(b", ");
            }
            if !matches!(arg, Value::Missing | Value::Nil) {
                self.out.write(arg.type_name().as_bytes());
                self.out.write(b"=");
            }
            self.out.arg(arg, 'v');
        }
        self.out.write(b")");
    }
}

/// The number at `at` (None if missing) and its end; the end is `end` if the number is too large.
fn parse_number(text: &[u8], mut at: usize, end: usize) -> (Option<usize>, usize) {
    let mut number = None;
    while at < end && text[at].is_ascii_digit() {
        let so_far = number.unwrap_or(0);
        if so_far > MAX_NUMBER as usize {
            return (None, end);
        }
        number = Some(so_far * 10 + usize::from(text[at] - b'0'));
        at += 1;
    }
    (number, at)
}
