//! Formats one value with one verb.

use super::{
    super::{
        MAX_OUTPUT, utf8,
        value::{Host, Kind, Map, Value, Width},
    },
    pad::Flags,
};

/// Writes values with verbs. Stops when the output is too large, which the template's run detects.
pub struct Printer<'o> {
    pub out: &'o mut Vec<u8>,
    pub flags: Flags,
    limit: usize,
}

impl Printer<'_> {
    pub fn new(out: &mut Vec<u8>) -> Printer<'_> {
        let limit = out.len() + MAX_OUTPUT;
        Printer { out, flags: Flags::default(), limit }
    }

    pub fn is_full(&self) -> bool {
        self.out.len() > self.limit
    }

    pub fn write(&mut self, text: &[u8]) {
        if !self.is_full() {
            self.out.extend_from_slice(text);
        }
    }

    /// An operand.
    pub fn arg(&mut self, value: &Value<'_>, verb: char) {
        match verb {
            'T' | 'v' if is_nil(value) => self.flags.pad(b"<nil>", self.out),
            'T' => self.flags.string(value.type_name().as_bytes(), self.out),
            // Only errors can be wrapped.
            'w' => self.bad(value, verb),
            'p' => match value {
                Value::List(_) | Value::Map(_) => self.pointer(),
                Value::Object(object) if matches!(object.kind(), Kind::Pointer | Kind::Func) => {
                    self.pointer();
                }
                _ => self.bad(value, verb),
            },
            _ if is_nil(value) => self.bad(value, verb),
            _ => self.value(value, verb, true),
        }
    }

    /// A value, at the top level or nested.
    fn value(&mut self, value: &Value<'_>, verb: char, top: bool) {
        if self.is_full() {
            return;
        }
        match value {
            Value::Missing | Value::Nil if self.flags.sharp_v => self.write(b"interface {}(nil)"),
            Value::Missing | Value::Nil => self.write(b"<nil>"),
            Value::Bool(bool) => match verb {
                't' | 'v' => self.flags.pad(if *bool { b"true" } else { b"false" }, self.out),
                _ => self.bad(value, verb),
            },
            Value::Int(width, int) => self.integer(value, *int, *width == Width::Byte, verb),
            Value::Float(float) => self.float(value, *float, verb),
            Value::Str(text) | Value::Number(text) => self.string(value, text, verb),
            Value::List(items) => self.list(items, verb),
            Value::Map(map) => self.map(map, verb),
            Value::Object(object) => self.object(value, &**object, verb, top),
        }
    }

    fn integer(&mut self, value: &Value<'_>, int: i64, unsigned: bool, verb: char) {
        let flags = self.flags;
        match verb {
            'v' if flags.sharp_v && unsigned => {
                Flags { sharp: true, ..flags }.integer(int as u64, false, 'x', self.out);
            }
            'v' => flags.integer(int.unsigned_abs(), int < 0, 'd', self.out),
            'd' | 'b' | 'o' | 'O' | 'x' | 'X' => flags.integer(int.unsigned_abs(), int < 0, verb, self.out),
            'c' => flags.character(int as u64, self.out),
            'q' => flags.quoted_character(int as u64, self.out),
            'U' => flags.unicode(int as u64, self.out),
            _ => self.bad(value, verb),
        }
    }

    fn float(&mut self, value: &Value<'_>, float: f64, verb: char) {
        let flags = self.flags;
        match verb {
            'v' => flags.float(float, b'g', None, self.out),
            'b' | 'g' | 'G' | 'x' | 'X' => flags.float(float, verb as u8, None, self.out),
            'f' | 'e' | 'E' => flags.float(float, verb as u8, Some(6), self.out),
            'F' => flags.float(float, b'f', Some(6), self.out),
            _ => self.bad(value, verb),
        }
    }

    fn string(&mut self, value: &Value<'_>, text: &[u8], verb: char) {
        let flags = self.flags;
        match verb {
            'v' if flags.sharp_v => flags.quoted(text, self.out),
            'v' | 's' => flags.string(text, self.out),
            'q' => flags.quoted(text, self.out),
            'x' | 'X' => flags.hex(text, verb == 'X', self.out),
            _ => self.bad(value, verb),
        }
    }

    fn list(&mut self, items: &[Value<'_>], verb: char) {
        let (open, separator, close): (&[u8], &[u8], &[u8]) =
            if self.flags.sharp_v { (b"[]interface {}{", b", ", b"}") } else { (b"[", b" ", b"]") };
        self.write(open);
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.write(separator);
            }
            self.value(item, verb, false);
        }
        self.write(close);
    }

    fn map(&mut self, map: &Map<'_>, verb: char) {
        let (separator, close): (&[u8], &[u8]) =
            if self.flags.sharp_v { (b", ", b"}") } else { (b" ", b"]") };
        if self.flags.sharp_v {
            self.write(map.type_name().as_bytes());
            if map.is_nil() {
                return self.write(b"(nil)");
            }
            self.write(b"{");
        } else {
            self.write(b"map[");
        }
        for (i, (key, value)) in map.iter().enumerate() {
            if i > 0 {
                self.write(separator);
            }
            self.value(&Value::Str(key), verb, false);
            self.write(b":");
            self.value(&value, verb, false);
        }
        self.write(close);
    }

    fn object(&mut self, value: &Value<'_>, object: &dyn Host, verb: char, top: bool) {
        let mut text = Vec::new();
        if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') && !self.flags.sharp_v && object.text(&mut text) {
            return self.string(value, &text, verb);
        }
        match object.kind() {
            Kind::Int(int) => self.integer(value, int, false, verb),
            Kind::Func => self.pointer(),
            Kind::Pointer if !top => self.pointer(),
            Kind::Pointer => {
                self.write(b"&");
                self.fields(object, verb);
            }
            Kind::Struct => self.fields(object, verb),
        }
    }

    /// The fields of a struct.
    pub fn fields(&mut self, object: &dyn Host, verb: char) {
        let flags = self.flags;
        if flags.sharp_v {
            self.write(object.type_name().trim_start_matches('*').as_bytes());
        }
        self.write(b"{");
        for (i, (name, value)) in object.fields().iter().enumerate() {
            if i > 0 {
                self.write(if flags.sharp_v { b", " } else { b" " });
            }
            if flags.plus_v || flags.sharp_v {
                self.write(name.as_bytes());
                self.write(b":");
            }
            self.value(value, verb, false);
        }
        self.write(b"}");
    }

    /// Go prints a memory address here, which is meaningless.
    fn pointer(&mut self) {
        self.write(b"0xc000000000");
    }

    /// `%!d(string=text)`
    fn bad(&mut self, value: &Value<'_>, verb: char) {
        self.write(b"%!");
        utf8::push(verb, self.out);
        self.write(b"(");
        if is_nil(value) {
            self.write(b"<nil>");
        } else {
            self.write(value.type_name().as_bytes());
            self.write(b"=");
            self.value(value, 'v', true);
        }
        self.write(b")");
    }
}

fn is_nil(value: &Value<'_>) -> bool {
    matches!(value, Value::Missing | Value::Nil)
}
