//! Sets of fields, by patterns of their keys: `k8s.*,!k8s.pod`.

/// The last pattern that matches a key decides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Keys {
    patterns: Vec<Pattern>,
    /// Whether keys that no pattern matches are in the set.
    others: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    glob: Vec<u8>,
    /// Whether the key is in the set, or taken out of it again.
    is_in: bool,
}

impl Keys {
    pub fn parse<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<Keys, String> {
        let pattern =
            |pattern: &'a str| {
                let glob = pattern.strip_prefix('!').unwrap_or(pattern);
                let is_in = glob.len() == pattern.len();
                match glob.is_empty() {
                    true => Err("a key is empty; give keys such as http.status, or patterns such as http.*"
                        .to_owned()),
                    false => Ok(Pattern { glob: glob.as_bytes().to_vec(), is_in }),
                }
            };
        let patterns = patterns.map(pattern).collect::<Result<_, _>>()?;
        Ok(Keys { patterns, others: false })
    }

    /// The same, but a set that only takes out has all others.
    pub fn with_others(self) -> Keys {
        let others = self.patterns.first().is_some_and(|first| !first.is_in);
        Keys { others, ..self }
    }

    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a field with this dotted key is in the set: by itself, or as a part of an object that is.
    pub fn have(&self, key: &[u8]) -> bool {
        let decides = |pattern: &&Pattern| is_match(&pattern.glob, key);
        self.patterns.iter().rev().find(decides).map_or(self.others, |pattern| pattern.is_in)
    }
}

/// Whether a pattern, in which `*` is any text and `?` any byte, matches the key or one of the objects that hold it.
fn is_match(glob: &[u8], key: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where to go on if what follows the last `*` does not match.
    let mut retry = None;
    loop {
        let is_end = seen == key.len() || key[seen] == b'.';
        match glob.get(at) {
            None if is_end => return true,
            Some(b'*') => {
                at += 1;
                retry = Some((at, seen));
                continue;
            }
            Some(byte) if key.get(seen).is_some_and(|seen| *byte == b'?' || byte == seen) => {
                (at, seen) = (at + 1, seen + 1);
                continue;
            }
            _ => {}
        }
        match &mut retry {
            Some((after, from)) if *from < key.len() => {
                *from += 1;
                (at, seen) = (*after, *from);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn have(patterns: &str, key: &str) -> bool {
        Keys::parse(patterns.split(',')).unwrap().have(key.as_bytes())
    }

    #[test]
    fn a_key_is_matched_whole_or_as_an_object() {
        for (patterns, key) in [
            ("a", "a"),
            ("a", "a.b.c"),
            ("a.*", "a.b.c"),
            ("*.id", "user.id"),
            ("*id", "user.id"),
            ("*.id", "a.id.b"),
            ("us?r", "user"),
            ("*", ""),
            ("a*c*e", "abcde"),
            ("a,b", "b"),
        ] {
            assert!(have(patterns, key), "{patterns} {key}");
        }
        for (patterns, key) in [
            ("a", "ab"),
            ("a.*", "a"),
            ("*.id", "id"),
            ("a", "b.a"),
            ("a?", "a"),
            ("a*c*e", "abcd"),
            ("A", "a"),
        ] {
            assert!(!have(patterns, key), "{patterns} {key}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        assert!(!have("k8s.*,!k8s.pod", "k8s.pod"));
        assert!(have("k8s.*,!k8s.pod", "k8s.node"));
        assert!(have("k8s.*,!k8s.pod,k8s.pod", "k8s.pod"));
        assert!(!have("!a", "b") && !have("!a", "a"));
    }

    #[test]
    fn a_set_that_only_takes_out_can_have_all_others() {
        let keys = Keys::parse(["!a"].into_iter()).unwrap().with_others();
        assert!(keys.have(b"b") && !keys.have(b"a"));
    }

    #[test]
    fn an_empty_key_is_a_fault() {
        assert!(Keys::parse("a,,b".split(',')).is_err());
        assert!(Keys::parse("!".split(',')).is_err());
    }

    /// Many stars take no exponential time.
    #[test]
    fn a_long_pattern_is_decided_soon() {
        assert!(!have(&"a*".repeat(40), &"a".repeat(39)));
        assert!(!have(&format!("{}b", "a*".repeat(40)), &"a".repeat(4000)));
    }
}
