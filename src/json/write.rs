//! Writes template values as JSON.

use gotemplate::{Host, Kind, MAX_OUTPUT, Map, Value};
use gotime::RFC3339_NANO;

use super::string::write_string;

type Result<T> = std::result::Result<T, String>;

/// Go's `json.Marshal`.
pub fn write(value: &Value<'_>, out: &mut Vec<u8>) -> Result<()> {
    Writer { indent: None, limit: out.len() + MAX_OUTPUT, out }.value(value)
}

/// Go's `json.MarshalIndent` with two spaces for each level.
pub fn write_indented(value: &Value<'_>, out: &mut Vec<u8>) -> Result<()> {
    Writer { indent: Some(0), limit: out.len() + MAX_OUTPUT, out }.value(value)
}

struct Writer<'o> {
    /// The level; None: all on one line.
    indent: Option<usize>,
    limit: usize,
    out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value<'_>) -> Result<()> {
        match value {
            Value::Missing | Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(bool) => self.out.extend_from_slice(if *bool { b"true" } else { b"false" }),
            Value::Int(_, int) => self.out.extend_from_slice(int.to_string().as_bytes()),
            Value::Float(float) => return self.float(*float),
            Value::Str(text) => write_string(text, self.out),
            Value::Number(text) => self.out.extend_from_slice(text),
            Value::List(items) => {
                self.open(b'[');
                for (i, item) in items.iter().enumerate() {
                    self.separate(i)?;
                    self.value(item)?;
                }
                self.close(b']', items.is_empty());
            }
            Value::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Value::Map(map) => return self.map(map),
            Value::Object(object) => return self.object(&**object),
        }
        Ok(())
    }

    fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        if let Some(level) = &mut self.indent {
            *level += 1;
        }
    }

    fn close(&mut self, bracket: u8, empty: bool) {
        if let Some(level) = &mut self.indent {
            *level -= 1;
        }
        if !empty {
            self.line();
        }
        self.out.push(bracket);
    }

    fn separate(&mut self, i: usize) -> Result<()> {
        if self.out.len() > self.limit {
            return Err("too much JSON".to_owned());
        }
        if i > 0 {
            self.out.push(b',');
        }
        self.line();
        Ok(())
    }

    fn line(&mut self) {
        if let Some(level) = self.indent {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * level, b' ');
        }
    }

    fn entry(&mut self, i: usize, key: &[u8], value: &Value<'_>) -> Result<()> {
        self.separate(i)?;
        write_string(key, self.out);
        self.out.extend_from_slice(if self.indent.is_some() { b": " } else { b":" });
        self.value(value)
    }

    fn map(&mut self, map: &Map<'_>) -> Result<()> {
        self.open(b'{');
        for (i, (key, value)) in map.iter().enumerate() {
            self.entry(i, &key, &value)?;
        }
        self.close(b'}', map.is_empty());
        Ok(())
    }

    /// Structs are written by their fields; stern's own names begin in lower case and leave out colours and an empty
    /// time.
    fn object(&mut self, object: &dyn Host) -> Result<()> {
        match object.kind() {
            Kind::Int(int) => self.out.extend_from_slice(int.to_string().as_bytes()),
            Kind::Func => return Err(format!("json: unsupported type: {}", object.type_name())),
            _ if object.type_name() == "time.Time" => return self.time(object),
            Kind::Pointer => self.out.extend_from_slice(b"{}"),
            Kind::Struct => {
                self.open(b'{');
                let fields = object.fields();
                let shown = fields.iter().filter(|(name, value)| {
                    !matches!(value, Value::Object(_)) && (*name != "Timestamp" || value.is_true())
                });
                for (i, (name, value)) in shown.enumerate() {
                    let mut key = name.as_bytes().to_vec();
                    key[..1].make_ascii_lowercase();
                    self.entry(i, &key, value)?;
                }
                self.close(b'}', fields.is_empty());
            }
        }
        Ok(())
    }

    fn time(&mut self, time: &dyn Host) -> Result<()> {
        let mut text = Vec::new();
        time.call("Format", &[Value::text(RFC3339_NANO)], &mut text)?;
        if text.get(4) != Some(&b'-') {
            return Err("json: error calling MarshalJSON for type time.Time: \
                        Time.MarshalJSON: year outside of range [0,9999]"
                .to_owned());
        }
        write_string(&text, self.out);
        Ok(())
    }

    fn float(&mut self, float: f64) -> Result<()> {
        if !float.is_finite() {
            let mut text = Vec::new();
            gotemplate::print_value(&Value::Float(float), &mut text);
            return Err(format!("json: unsupported value: {}", String::from_utf8_lossy(&text)));
        }
        let size = float.abs();
        let text = if size != 0.0 && !(1e-6..1e21).contains(&size) {
            // Rust writes 1e-7 and 1e21, Go 1e-7 and 1e+21.
            let text = format!("{float:e}");
            if size < 1.0 { text } else { text.replace('e', "e+") }
        } else {
            format!("{float}")
        };
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gotemplate::Str;

    use super::*;
    use crate::json::{Numbers, parse_object};

    fn rewritten(text: &str, write: fn(&Value<'_>, &mut Vec<u8>) -> Result<()>) -> String {
        let value = parse_object(&Str::Borrowed(text.as_bytes()), Numbers::Floats).unwrap();
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_numbers_as_go_writes_them() {
        let text =
            r#"{"b":[1e9,1.5,1e21,1e-7,0,-0.000001],"a":"<&>","c":{},"d":[],"e":null,"f":[true,false]}"#;
        let expected = r#"{"a":"\u003c\u0026\u003e","b":[1000000000,1.5,1e+21,1e-7,0,-0.000001],"c":{},"d":[],"e":null,"f":[true,false]}"#;
        assert_eq!(rewritten(text, write), expected);
        assert_eq!(rewritten("null", write), "null");
    }

    #[test]
    fn lines_are_indented_by_two() {
        let expected = "{\n  \"a\": [\n    1,\n    {\n      \"b\": {}\n    }\n  ],\n  \"c\": []\n}";
        assert_eq!(rewritten(r#"{"a":[1,{"b":{}}],"c":[]}"#, write_indented), expected);
    }
}
