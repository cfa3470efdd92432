//! Kubernetes' rules for names.

/// An object's name: a DNS-1123 subdomain.
pub fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_word)
}

/// A namespace's name: a DNS-1123 label.
pub fn is_label(name: &str) -> bool {
    name.len() <= 63 && is_dns_word(name)
}

/// The key of a label: a name, with a DNS subdomain and a slash before it or without.
pub fn is_qualified(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, name)) if is_subdomain(prefix) => name,
        Some(_) => return false,
        None => key,
    };
    !name.is_empty() && is_label_value(name)
}

pub fn is_label_value(value: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    value.is_empty() || value.len() <= 63 && framed(value, |c| c.is_ascii_alphanumeric(), inner)
}

fn is_dns_word(word: &str) -> bool {
    let end = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    framed(word, end, |c| end(c) || c == b'-')
}

fn framed(word: &str, ends: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = word.as_bytes();
    bytes.first().is_some_and(|&c| ends(c))
        && bytes.last().is_some_and(|&c| ends(c))
        && bytes.iter().all(|&c| inner(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_may_have_dots_and_namespaces_not() {
        assert!(is_subdomain("web-0.example"));
        assert!(!is_label("web-0.example"));
        assert!(is_label("kube-system"));
    }

    #[test]
    fn no_name_is_empty_upper_case_or_frayed() {
        for name in ["", "Web", "-web", "web-", "web.", "a..b", "a_b", "web*", "wéb"] {
            assert!(!is_subdomain(name), "{name}");
            assert!(!is_label(name), "{name}");
        }
    }

    #[test]
    fn names_have_a_longest_length() {
        assert!(is_label(&"a".repeat(63)) && !is_label(&"a".repeat(64)));
        assert!(is_subdomain(&"a".repeat(253)) && !is_subdomain(&"a".repeat(254)));
        assert!(is_label_value(&"a".repeat(63)) && !is_label_value(&"a".repeat(64)));
    }

    #[test]
    fn label_keys_may_have_a_prefix_and_values_may_be_empty() {
        assert!(is_qualified("app") && is_qualified("app.kubernetes.io/Name_1.x"));
        assert!(!is_qualified("") && !is_qualified("/x") && !is_qualified("a/") && !is_qualified("a/b/c"));
        assert!(
            is_label_value("") && is_label_value("v1.2_x") && !is_label_value("-x") && !is_label_value("a b")
        );
    }
}
