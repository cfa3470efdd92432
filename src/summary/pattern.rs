//! Messages with their numbers taken out, so that equal ones can be counted.

/// More of a message is not compared.
const LONGEST: usize = 200;

/// Stands for numbers, identifiers and everything else with digits.
const NUMBER: &str = "‹n›";

/// Words with digits that are no numbers.
const NAMES: [&str; 14] = [
    "http2", "http3", "ipv4", "ipv6", "k8s", "oauth2", "base64", "sha1", "sha256", "md5", "utf8", "s3",
    "ec2", "h2",
];

/// Appends the pattern of the message's first line.
pub fn write(message: &[u8], out: &mut Vec<u8>) {
    let line = message.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut rest = line;
    while let Some(first) = rest.first()
        && out.len() < LONGEST
    {
        let is_word = is_part(*first);
        let end = rest.iter().position(|byte| is_part(*byte) != is_word).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        match part {
            // `‹email:7f3a9c2e›` is the same for all.
            _ if is_word && is_mask(part, rest) => rest = skip_hash(part, rest, out),
            _ if is_word && has_number(part) => number(out),
            _ => out.extend_from_slice(part),
        }
    }
    if !rest.is_empty() {
        let end = String::from_utf8_lossy(out).trim_end_matches('\u{fffd}').len().min(out.len());
        out.truncate(end);
        out.extend_from_slice("…".as_bytes());
    }
}

/// Words of letters and digits, in any language.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn has_number(word: &[u8]) -> bool {
    word.iter().any(u8::is_ascii_digit)
        && !NAMES.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(word))
}

/// One number for parts that belong together, as in `10.0.0.1`, `12:00:01`, `4bf9-2f35` and `A-17`.
fn number(out: &mut Vec<u8>) {
    let joined = [".", ":", "-", "/", ","].iter().any(|between| {
        out.strip_suffix(between.as_bytes()).is_some_and(|before| before.ends_with(NUMBER.as_bytes()))
    });
    if joined {
        out.pop();
    } else {
        out.extend_from_slice(NUMBER.as_bytes());
    }
}

/// Whether this word and what follows are a mask of `--redact`: `‹email`, `:7f3a9c2e›`.
fn is_mask(word: &[u8], rest: &[u8]) -> bool {
    word.starts_with("‹".as_bytes()) && rest.first() == Some(&b':')
}

fn skip_hash<'r>(word: &[u8], rest: &'r [u8], out: &mut Vec<u8>) -> &'r [u8] {
    let close = "›".as_bytes();
    match rest.windows(close.len()).position(|window| window == close) {
        Some(at) => {
            out.extend_from_slice(word);
            out.extend_from_slice(close);
            &rest[at + close.len()..]
        }
        None => {
            out.extend_from_slice(word);
            rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(message: &str) -> String {
        let mut out = Vec::new();
        write(message.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_and_identifiers_are_taken_out() {
        for (message, expected) in [
            ("charge failed for order 17", "charge failed for order ‹n›"),
            ("took 1.25s (limit 3s)", "took ‹n› (limit ‹n›)"),
            ("peer 10.0.0.1:8080 left at 12:00:01", "peer ‹n› left at ‹n›"),
            ("trace 47223179-9330-4259-b66c-f2db26efb20c ended", "trace ‹n› ended"),
            ("charge of ‹email:7f3a9c2e› failed", "charge of ‹email› failed"),
            ("GET /cart/items/17 HTTP/1.1", "GET /cart/items/‹n› HTTP/‹n›"),
            ("no numbers in k8s, over http2", "no numbers in k8s, over http2"),
            ("주문 17 실패", "주문 ‹n› 실패"),
            ("first line 1\nsecond", "first line ‹n›"),
            ("", ""),
        ] {
            assert_eq!(pattern(message), expected);
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let cut = pattern(&"word ".repeat(100));
        assert!(cut.len() < LONGEST + 20 && cut.ends_with('…'), "{cut}");
    }
}
