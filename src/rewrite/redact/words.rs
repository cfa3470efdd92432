//! The words of keys: which ask for a value to be hidden, and which say that a number is an ordinary one.

/// The words of a key, in lower case: of `user.homePhone_2` they are user, home, phone and 2.
pub fn words(key: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut before) = (String::new(), ' ');
    let text = String::from_utf8_lossy(key);
    for c in text.chars() {
        let is_new = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (is_new || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// How a value of a key is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// Any value.
    Value,
    /// A header of HTTP, whose value may have a scheme and several parts.
    Authorization,
    Cookie,
    /// `pwd`, which may also be the directory.
    Directory,
    /// Only as a parameter of a URL.
    Parameter,
    /// Only a few digits.
    Code,
}

/// Words that end a name of a secret, together with those before them.
const SECRETS: [&str; 18] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "accountkey",
    "sharedkey",
    "credential",
    "credentials",
    "비밀번호",
    "암호",
    "패스워드",
    "userpass",
];

/// Words before `key` that make it a secret.
const KEYS: [&str; 22] = [
    "api",
    "private",
    "secret",
    "access",
    "account",
    "shared",
    "encryption",
    "signing",
    "master",
    "auth",
    "service",
    "admin",
    "storage",
    "subscription",
    "deploy",
    "session",
    "crypto",
    "aes",
    "hmac",
    "ssh",
    "sharedaccess",
    "client",
];

/// Words that may follow.
const SUFFIXES: [&str; 26] = [
    "confirm",
    "confirmation",
    "confirmed",
    "repeat",
    "again",
    "old",
    "new",
    "current",
    "hash",
    "value",
    "plain",
    "plaintext",
    "raw",
    "string",
    "encoded",
    "base64",
    "b64",
    "text",
    "base",
    "prod",
    "production",
    "dev",
    "staging",
    "live",
    "primary",
    "secondary",
];

/// Whether a key asks for its value to be hidden.
pub fn secret(key: &[u8]) -> Option<Secret> {
    let words = words(key);
    if words
        .iter()
        .any(|word| matches!(word.as_str(), "csrf" | "xsrf" | "csrftoken" | "xsrftoken" | "public"))
    {
        return None;
    }
    let is_suffix =
        |word: &&String| SUFFIXES.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit());
    let suffixes = words.iter().rev().take_while(is_suffix).count();
    let words = &words[..words.len() - suffixes.min(words.len())];
    let (last, before) = words.split_last()?;
    let last = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let previous = before.last().map(String::as_str).unwrap_or_default();
    Some(match last {
        "pass" => Secret::Value,
        "pwd" => Secret::Directory,
        "authorization" => Secret::Authorization,
        "cookie" => Secret::Cookie,
        "otp" | "pin" | "cvv" | "cvc" => Secret::Code,
        "key" if KEYS.contains(&previous) => Secret::Value,
        "key" | "sig" | "signature" if before.is_empty() || previous == "amz" || previous == "goog" => {
            Secret::Parameter
        }
        // Of a list or of pages.
        "token" if matches!(previous, "page" | "continuation" | "continue" | "sync") => return None,
        last if SECRETS.iter().any(|secret| last.ends_with(secret)) => Secret::Value,
        _ => return None,
    })
}

/// The kind of number that a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Card,
    Phone,
    Resident,
    Licence,
    Passport,
    Ssn,
}

pub fn asks(key: &[u8], asked: Asked) -> bool {
    let words = words(key);
    let (whole, parts): (&[&str], &[&str]) = match asked {
        Asked::Card => {
            (&["pan", "cc", "ccn", "ccnum", "visa", "mastercard", "amex", "카드"], &["card", "카드"])
        }
        Asked::Phone => (
            &["tel", "cell", "fax", "msisdn", "hp", "handphone", "mobiles", "mobileno"],
            &["phone", "mobile", "telefon", "전화", "휴대", "핸드폰", "연락처"],
        ),
        Asked::Resident => (
            &["rrn", "frn", "arc", "jumin", "ssn", "resident"],
            &["jumin", "주민", "외국인", "rrn", "residentno", "registration"],
        ),
        Asked::Licence => (&[], &["licen", "면허"]),
        Asked::Passport => (&[], &["passport", "여권"]),
        Asked::Ssn => (&["ssn", "social"], &[]),
    };
    words.iter().any(|word| whole.contains(&word.as_str()) || parts.iter().any(|part| word.contains(part)))
}

/// Last words of keys of ordinary numbers.
const ORDINARY: [&str; 62] = [
    "id",
    "ids",
    "uid",
    "uuid",
    "guid",
    "ms",
    "us",
    "ns",
    "at",
    "time",
    "times",
    "timestamp",
    "ts",
    "trace",
    "span",
    "hash",
    "sha",
    "sha1",
    "sha256",
    "md5",
    "version",
    "ver",
    "order",
    "invoice",
    "seq",
    "sequence",
    "offset",
    "count",
    "size",
    "bytes",
    "duration",
    "latency",
    "elapsed",
    "port",
    "pid",
    "tid",
    "rev",
    "revision",
    "build",
    "nonce",
    "cursor",
    "epoch",
    "generation",
    "date",
    "ref",
    "reference",
    "request",
    "req",
    "session",
    "transaction",
    "tx",
    "txn",
    "index",
    "key",
    "sku",
    "ticket",
    "tracking",
    "shipment",
    "order_no",
    "orderno",
    "ean",
    "isbn",
];

/// Whether a number behind this key or word is an ordinary one.
pub fn is_ordinary(key: &[u8]) -> bool {
    let words = words(key);
    let Some((last, before)) = words.split_last() else { return false };
    let is_ordinary = |word: &str| {
        ORDINARY.contains(&word)
            || word.ends_with("id")
                && word.len() > 3
                && !matches!(word, "paid" | "valid" | "prepaid" | "invalid")
    };
    // A number of an order, as in `order_no`.
    let is_number = matches!(last.as_str(), "no" | "number" | "num" | "nr" | "code");
    is_ordinary(last) || is_number && before.last().is_some_and(|word| is_ordinary(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_by_their_words() {
        assert_eq!(words(b"user.homePhone_2"), ["user", "home", "phone", "2"]);
        assert_eq!(words("DB-PASSWORD".as_bytes()), ["db", "password"]);
    }

    #[test]
    fn secrets_are_known_by_the_last_word() {
        for key in [
            "password",
            "PASSWORD",
            "db_pass",
            "userPassword",
            "password_confirmation",
            "client_secret",
            "clientSecret",
            "apiKey",
            "X-Api-Key",
            "AWS_SECRET_ACCESS_KEY",
            "accessToken",
            "refresh_token",
            "passwd2",
            "비밀번호",
            "credentials",
            "private_key",
            "SECRET_KEY_BASE",
            "DB_PASSWORD_PROD",
            "user_pin",
            "cvv2",
        ] {
            assert!(secret(key.as_bytes()).is_some(), "{key}");
        }
        for key in [
            "token_id",
            "token_type",
            "token_count",
            "token_length",
            "csrf_token",
            "passed",
            "password_changed_at",
            "secretName",
            "tokens",
            "max_tokens",
            "public_key",
            "bypass",
            "keyboard",
            "api_key_id",
            "passenger",
            "compass",
            "next_page_token",
            "pin_count",
            "pinned",
        ] {
            assert_eq!(secret(key.as_bytes()), None, "{key}");
        }
    }
}
