//! Reads a map of YAML key by key. What is wrong is named by file, entry and key, and no value is quoted: it may be a
//! secret.

use std::{
    fmt::Display,
    path::{Component, Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::cluster::error::Error;

/// A map with the words for it in messages.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Such as `user "me" of /home/me/.kube/config`.
    pub described: String,
    /// None: the entry is null, or missing.
    fields: Option<&'a Map<String, Value>>,
    /// The path to this map inside of the described one, such as `exec.`.
    inside: String,
}

impl<'a> Entry<'a> {
    pub fn new(described: impl Into<String>, value: Option<&'a Value>) -> Result<Entry<'a>, Error> {
        let described = described.into();
        match value {
            None | Some(Value::Null) => Ok(Entry { described, fields: None, inside: String::new() }),
            Some(Value::Object(fields)) => {
                Ok(Entry { described, fields: Some(fields), inside: String::new() })
            }
            Some(other) => Err(Error::invalid(format!("{described} is {}, and must be a map", kind(other)))),
        }
    }

    /// The value, unless it is null.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.fields?.get(key).filter(|value| !value.is_null())
    }

    /// The text, unless it is empty.
    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(other) => Err(self.wrong(key, &format!("is {}", kind(other)), "text", other)),
        }
    }

    /// The path, relative to the directory of the file; None if it is empty.
    pub fn path(&self, key: &str, dir: &Path) -> Result<Option<PathBuf>, Error> {
        Ok(self.text(key)?.map(|path| resolved(dir, &path)))
    }

    pub fn flag(&self, key: &str) -> Result<bool, Error> {
        match self.value(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => {
                let is = kind(other);
                Err(self.invalid(key, format!("is {is}, and must be true or false, without quotes")))
            }
        }
    }

    pub fn texts(&self, key: &str) -> Result<Vec<String>, Error> {
        let read = |item: &Value| match item {
            // As in Go.
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            other => Err(self.wrong(key, &format!("has {}", kind(other)), "a list of texts", other)),
        };
        self.list(key)?.iter().map(read).collect()
    }

    pub fn maps(&self, key: &str) -> Result<Vec<Entry<'a>>, Error> {
        self.list(key)?.iter().map(|item| self.nested(key, item)).collect()
    }

    /// The map inside of this one; None if it is null.
    pub fn within(&self, key: &str) -> Result<Option<Entry<'a>>, Error> {
        self.value(key).map(|value| self.nested(key, value)).transpose()
    }

    pub fn keys(&self) -> impl Iterator<Item = &'a String> {
        self.fields.into_iter().flat_map(Map::keys)
    }

    pub fn list(&self, key: &str) -> Result<&'a [Value], Error> {
        match self.value(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.invalid(key, format!("is {}, and must be a list", kind(other)))),
        }
    }

    fn nested(&self, key: &str, value: &'a Value) -> Result<Entry<'a>, Error> {
        let entry = Entry::new(format!("{key} of {}", self.described), Some(value))?;
        Ok(Entry { described: self.described.clone(), inside: format!("{}{key}.", self.inside), ..entry })
    }

    /// `user "me" of FILE: exec.command is missing`
    pub fn invalid(&self, key: &str, problem: impl Display) -> Error {
        Error::invalid(format!("{}: {}{key} {problem}", self.described, self.inside))
    }

    fn wrong(&self, key: &str, is: &str, wanted: &str, value: &Value) -> Error {
        let fix = if value.is_number() || value.is_boolean() { ": put it in quotes" } else { "" };
        self.invalid(key, format!("{is}, and must be {wanted}{fix}"))
    }
}

pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// The path, relative to `dir`, and without `..` as far as possible: a folder before `..` may be missing.
pub fn resolved(dir: &Path, path: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in dir.join(path).components() {
        match component {
            Component::ParentDir if resolved.file_name().is_some() => {
                resolved.pop();
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::{super::yaml::parse, *};

    fn read<T>(yaml: &str, read: impl FnOnce(&Entry) -> Result<T, Error>) -> Result<T, String> {
        let value = parse(yaml.as_bytes()).unwrap();
        let entry = Entry::new("user \"me\" of FILE", Some(&value)).unwrap();
        read(&entry).map_err(|error| error.to_string())
    }

    #[test]
    fn yaml_is_read_as_go_reads_it() {
        let text = |yaml: &str| read(yaml, |entry| entry.text("a"));
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(text("a: x"), some("x"));
        assert_eq!(text("a: x\na: z"), some("z"));
        assert_eq!(text("{\"a\": \"x\"}"), some("x"));
        assert_eq!(text("b: &b {a: x}\n<<: *b"), some("x"));
        assert_eq!(text("a: x\n---\na: [\n"), some("x"));
        assert_eq!(text("\u{feff}a: 2020-01-01\r\n"), some("2020-01-01"));
        for absent in ["a: ~", "a: null", "a:", "a: ''", "b: x"] {
            assert_eq!(text(absent), Ok(None), "{absent}");
        }
        assert_eq!(read("a: yes", |entry| entry.flag("a")), Ok(true));
        assert_eq!(read("a: Off", |entry| entry.flag("a")), Ok(false));
    }

    #[test]
    fn a_value_of_another_kind_is_named_by_its_key_and_never_quoted() {
        let cases = [
            ("a: 12345", "is a number, and must be text: put it in quotes"),
            ("a: true", "is a boolean, and must be text: put it in quotes"),
            ("a: [12345]", "is a list, and must be text"),
        ];
        for (yaml, expected) in cases {
            let error = read(yaml, |entry| entry.text("a")).unwrap_err();
            assert_eq!(error, format!("user \"me\" of FILE: a {expected}"));
        }
        for quoted in ["a: 'true'", "a: \"yes\"", "a: !!str on"] {
            let error = read(quoted, |entry| entry.flag("a")).unwrap_err();
            assert!(error.ends_with("a is text, and must be true or false, without quotes"), "{error}");
        }
        let error = read("a: [x, 7]", |entry| entry.texts("a")).unwrap_err();
        assert!(error.ends_with("a has a number, and must be a list of texts: put it in quotes"), "{error}");
        let error = read("a: {b: 7}", |entry| entry.within("a")?.unwrap().text("b")).unwrap_err();
        assert!(error.starts_with("user \"me\" of FILE: a.b is a number"), "{error}");
    }

    #[test]
    fn a_path_is_relative_to_its_file() {
        for (path, expected) in [
            ("ca.crt", "/home/.kube/ca.crt"),
            ("./ca.crt", "/home/.kube/ca.crt"),
            ("nope/../ca.crt", "/home/.kube/ca.crt"),
            ("../ca.crt", "/home/ca.crt"),
            ("/ca.crt", "/ca.crt"),
            ("~/ca.crt", "/home/.kube/~/ca.crt"),
        ] {
            assert_eq!(resolved(Path::new("/home/.kube"), path), Path::new(expected), "{path}");
        }
    }
}
