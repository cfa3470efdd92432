//! Checks label and field selectors by the apiserver's grammar. As in stern, a wrong selector is an error of the
//! command line, also with `--stdin`: it exits at once, before a cluster is asked, and not once for each namespace.

use super::name;

/// Returns a label selector that follows the grammar of `labels.Parse`.
/// The error is the rest of a sentence that begins with the flag's name.
pub fn check_labels(selector: &str) -> Result<String, String> {
    let mut parser = Labels { tokens: tokens(selector), at: 0 };
    parser.selector().map(|()| selector.to_owned()).map_err(|reason| {
        format!(
            "\"{selector}\" is not a label selector: {reason}; examples: app=web,tier!=test, 'app in (a,b)'"
        )
    })
}

/// The same for a field selector and the grammar of `fields.ParseSelector`.
pub fn check_fields(selector: &str) -> Result<String, String> {
    fields(selector).map(|()| selector.to_owned()).map_err(|reason| {
        format!("\"{selector}\" is not a field selector: {reason}; an example: status.phase=Running")
    })
}

struct Labels<'a> {
    tokens: Vec<&'a str>,
    at: usize,
}

impl<'a> Labels<'a> {
    fn selector(&mut self) -> Result<(), String> {
        while self.peek().is_some() {
            self.requirement()?;
            match self.next() {
                None => break,
                Some(",") if self.peek().is_none() => return Err("nothing follows the last comma".to_owned()),
                Some(",") => {}
                Some(other) => return Err(format!("found \"{other}\" where a comma or the end should be")),
            }
        }
        Ok(())
    }

    fn requirement(&mut self) -> Result<(), String> {
        let negated = self.peek() == Some("!");
        if negated {
            self.next();
        }
        let key = self.word().ok_or_else(|| format!("found {} where a key should be", self.found()))?;
        if !name::is_qualified(key) {
            return Err(format!("\"{key}\" cannot be a label's key"));
        }
        match self.peek() {
            None | Some(",") => Ok(()),
            Some(_) if negated => Err(format!("nothing goes after !{key}")),
            Some("=" | "==" | "!=") => {
                self.next();
                let value = if self.ends() { "" } else { self.value()? };
                check_value(value)
            }
            Some(operator @ ("<" | ">")) => {
                self.next();
                let value = self.value()?;
                if value.parse::<i64>().is_err() {
                    return Err(format!("\"{value}\" after {operator} is not a whole number"));
                }
                check_value(value)
            }
            Some("in" | "notin") => {
                self.next();
                self.set()
            }
            Some(other) => Err(format!("found \"{other}\" where =, !=, in, notin, < or > should be")),
        }
    }

    /// `(a,b)`; a value may be empty.
    fn set(&mut self) -> Result<(), String> {
        if self.next() != Some("(") {
            return Err("in and notin need values in parentheses".to_owned());
        }
        loop {
            if let Some(value) = self.word() {
                check_value(value)?;
            }
            match self.next() {
                Some(",") => {}
                Some(")") => return Ok(()),
                Some(other) => return Err(format!("found \"{other}\" where a comma or ) should be")),
                None => return Err("a ) is missing".to_owned()),
            }
        }
    }

    fn value(&mut self) -> Result<&'a str, String> {
        self.word().ok_or_else(|| format!("found {} where a value should be", self.found()))
    }

    fn word(&mut self) -> Option<&'a str> {
        let word = self.peek().filter(|token| !token.starts_with(is_special))?;
        self.at += 1;
        Some(word)
    }

    fn ends(&self) -> bool {
        matches!(self.peek(), None | Some(","))
    }

    fn found(&self) -> String {
        self.peek().map_or("the end".to_owned(), |token| format!("\"{token}\""))
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }
}

fn check_value(value: &str) -> Result<(), String> {
    if name::is_label_value(value) { Ok(()) } else { Err(format!("\"{value}\" cannot be a label's value")) }
}

fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '<' | '>')
}

/// Words, and operators of one or two characters.
fn tokens(selector: &str) -> Vec<&str> {
    let blank = [' ', '\t', '\r', '\n'];
    let mut tokens = Vec::new();
    let mut rest = selector.trim_start_matches(blank);
    while !rest.is_empty() {
        let length = if rest.starts_with("==") || rest.starts_with("!=") {
            2
        } else if rest.starts_with(is_special) {
            1
        } else {
            rest.find(|c| is_special(c) || blank.contains(&c)).unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start_matches(blank);
    }
    tokens
}

fn fields(selector: &str) -> Result<(), String> {
    for term in split_unescaped(selector) {
        if term.is_empty() {
            continue;
        }
        let at = term.find(['=', '!']).filter(|&at| at > 0);
        let Some((_, comparison)) = at.map(|at| term.split_at(at)) else {
            return Err(format!("\"{term}\" is not FIELD=VALUE or FIELD!=VALUE"));
        };
        let value = ["!=", "==", "="].iter().find_map(|operator| comparison.strip_prefix(operator));
        let Some(value) = value else {
            return Err(format!("\"{term}\" is not FIELD=VALUE or FIELD!=VALUE"));
        };
        let mut characters = value.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' if !matches!(characters.next(), Some('\\' | ',' | '=')) => {
                    return Err(format!("in \"{value}\" a backslash may stand only before a comma, = or \\"));
                }
                '=' => return Err(format!("in \"{value}\" the = needs a backslash before it")),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Splits at the commas that have no backslash before them.
fn split_unescaped(selector: &str) -> Vec<&str> {
    let mut escaped = false;
    selector
        .split(|c| {
            let splits = c == ',' && !escaped;
            escaped = c == '\\' && !escaped;
            splits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_form_of_label_selector() {
        for selector in [
            "",
            "app",
            "!app",
            "app=web",
            "app==web",
            "app!=web",
            "app=",
            "app=,tier",
            "app in (web,api)",
            "app in (web)",
            "app notin (web, api), tier",
            "x in (foo,,baz),y,z notin ()",
            "x in (,a)",
            "x in (a,)",
            "value in (in)",
            "in=notin",
            "n>1,m<2",
            "app.kubernetes.io/name=web",
            "  app = web  ,\ttier != test ",
        ] {
            assert_eq!(check_labels(selector).as_deref(), Ok(selector));
        }
    }

    #[test]
    fn errors_name_the_fault_of_a_label_selector() {
        for (selector, words) in [
            ("a=b=c=!", "found \"=\" where a comma or the end should be"),
            ("a=b,", "nothing follows the last comma"),
            (",a", "found \",\" where a key should be"),
            ("!", "found the end where a key should be"),
            ("=b", "found \"=\" where a key should be"),
            ("!a=b", "nothing goes after !a"),
            ("a b", "found \"b\" where =, !=, in"),
            ("a in b", "parentheses"),
            ("a in (b", "a ) is missing"),
            ("a in (b c)", "found \"c\" where a comma or )"),
            ("a>b", "\"b\" after > is not a whole number"),
            ("a>-1", "\"-1\" cannot be a label's value"),
            ("a>", "found the end where a value should be"),
            ("a=(b)", "found \"(\" where a value should be"),
            ("-a=b", "\"-a\" cannot be a label's key"),
            ("a/b/c=d", "cannot be a label's key"),
            ("a=b/c", "\"b/c\" cannot be a label's value"),
            ("a in (b,c*)", "\"c*\" cannot be a label's value"),
        ] {
            let error = check_labels(selector).unwrap_err();
            assert!(error.contains(words), "{selector}: {error}");
        }
    }

    #[test]
    fn takes_every_form_of_field_selector() {
        for selector in
            ["", "a=b", "a==b", "a!=b", "a=", "a=b,c!=d", "a=b,", r"a=b\,c\=d\\", "spec.nodeName=n1"]
        {
            assert_eq!(check_fields(selector).as_deref(), Ok(selector));
        }
    }

    #[test]
    fn errors_name_the_fault_of_a_field_selector() {
        for (selector, words) in [
            ("a", "\"a\" is not FIELD=VALUE"),
            ("a!b", "\"a!b\" is not FIELD=VALUE"),
            ("=b", "\"=b\" is not FIELD=VALUE"),
            ("a=b=c", "needs a backslash"),
            (r"a=b\x", "a backslash may stand only before"),
            (r"a=b\", "a backslash may stand only before"),
        ] {
            let error = check_fields(selector).unwrap_err();
            assert!(error.contains(words), "{selector}: {error}");
        }
    }
}
