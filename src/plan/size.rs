//! Sizes in bytes as Kubernetes writes quantities (`10Mi`, `500k`), optionally followed by `B` (`10MiB`).

const UNITS: [(&str, u64); 7] = [
    ("", 1),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
];

/// The error is the rest of a sentence that begins with the flag's name.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is not a size such as 65536, 64KiB, 1Mi or 10MB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_suffix('B').unwrap_or(unit);
    let unit = if unit == "K" { "k" } else { unit };
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(*scale).ok_or_else(|| format!("\"{text}\" is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_kubernetes_takes_and_bytes_after_it() {
        for (text, bytes) in [
            ("0", 0),
            ("100", 100),
            ("7B", 7),
            ("64k", 64_000),
            ("64KB", 64_000),
            ("1Ki", 1024),
            ("1MiB", 1 << 20),
            ("10M", 10_000_000),
            ("2Gi", 2 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn errors_name_the_fault() {
        for text in ["", "B", "Mi", "-1", "1.5Mi", "1 Mi", "1mi", "ten", "99999999999999999999"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("not a size such as"), "{text}: {error}");
        }
        assert!(parse("99999999999Gi").unwrap_err().contains("too large"));
    }
}
