use proptest::prelude::*;

use super::*;

fn text(pattern: &str) -> String {
    translate(pattern).map_or_else(|error| error, |translated| translated.text)
}

fn matches(pattern: &str, line: &str) -> bool {
    regex::bytes::Regex::new(&text(pattern)).unwrap().is_match(line.as_bytes())
}

/// Each line in `yes` matches, and none in `no`.
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    yes.iter().for_each(|line| assert!(matches(pattern, line), "{pattern} should match {line:?}"));
    no.iter().for_each(|line| assert!(!matches(pattern, line), "{pattern} should not match {line:?}"));
}

#[test]
fn plain_patterns_stay_plain() {
    for same in ["", "error", "web-0", "^a.*b$", "a|b|", "(?:a|b)+?", "[a-c]{2,5}", "로그", r"a\.b"] {
        assert_eq!(text(same), same);
    }
    assert_eq!(text(r"(\d+)ms"), "(?:[0-9]+)ms");
}

#[test]
fn perls_classes_are_ascii() {
    check(r"^\w\d\s$", &["a1 ", "_0\t"], &["é1 ", "a٣ ", "a1\u{A0}", "a1\u{0B}"]);
    check(r"\bé", &["aé"], &["é", " é"]);
    check(r"a\B", &["ab"], &["a", "aé"]);
    check(r"^\B$", &[""], &["é"]);
    check(r"(?i)^\w$", &["K", "ſ"], &["é"]);
    check(r"(?i)^\W$", &["é"], &["K", "ſ", "k"]);
}

#[test]
fn classes_are_known_by_name() {
    check("^[[:upper:]][[:^alpha:]]$", &["A1", "Aé"], &["a1", "AB"]);
    check("^[[:space:]]$", &["\u{0B}", " "], &["\u{A0}"]);
    check(r"^\pL\PN\p{Greek}\P{Greek}\p{^Greek}$", &["ébσaa"], &["1bσaa", "é1σaa", "ébaaa", "ébσσa"]);
    check(r"^[\pL\d-]+$", &["é-1"], &[" "]);
    check(r"^\p{letter}\p{Old Italic}\p{LC}\p{any}$", &["a\u{10300}B "], &["1\u{10300}B "]);
    check(r"(?i)^\p{Lu}$", &["a"], &["1"]);
    check(r"\p{Cs}|[\x{D800}-\x{DFFF}]|\x{D800}", &[], &["a", "\u{FFFD}"]);
}

#[test]
fn brackets_hold_what_go_finds_in_them() {
    check("^[a&&b]$", &["a", "&", "b"], &["c"]);
    check("^[]a]$", &["]", "a"], &["b"]);
    check("^[^]a]$", &["b"], &["]", "a"]);
    check("^[a-]$", &["-"], &["b"]);
    check("^[[a]$", &["[", "a"], &["]"]);
    check("^[[:a]$", &["[", ":", "a"], &["]"]);
    check("^[~#-]$", &["~", "#", "-"], &["a"]);
    check(r"[^\x00-\x{10FFFF}]", &[], &["", "a"]);
}

#[test]
fn escapes_stand_for_characters() {
    check(r"^\Qa.b*\E+$", &["a.b*", "a.b**"], &["axb*"]);
    check(r"^\Q[", &["["], &["a"]);
    check(r"^\x41\x{e9}\101\07\a\f\n\r\t\v\_\-$", &["Aé\x41\x07\x07\x0C\n\r\t\x0B_-"], &["Aé"]);
    check("^#a b-c&~$", &["#a b-c&~"], &["#ab-c&~"]);
    check("^a{,2}{$", &["a{,2}{"], &["aa"]);
}

#[test]
fn flags_reach_as_far_as_in_go() {
    check("^(?i)k$", &["k", "K", "\u{212A}"], &["x"]);
    check("^(?i:a)b$", &["Ab"], &["AB"]);
    check("^(a(?i)b|c)d$", &["aBd", "Cd"], &["ABd", "CD"]);
    check("^(?i)a(?-i)b$", &["Ab"], &["AB"]);
    check("a$", &["a"], &["a\n", "a\nb"]);
    check("(?m)a$", &["a\nb"], &["ab"]);
    check(r"(?m)^b\z", &["a\nb"], &["b\na"]);
    check("^.$", &["é"], &["\n", "éé"]);
    check("(?s)^.$", &["\n"], &[""]);
    assert_eq!(text("(?U)a+b+?"), "a+?b+");
    // A flag cannot be repeated, so the part before it is.
    check("^ab(?i)+$", &["abb"], &["aBB"]);
    check("^a+(?i)?$", &["", "aa"], &["A"]);
}

#[test]
fn groups_keep_no_names() {
    check("^(?P<n>a)(?<n>b)(?P<1>c)$", &["abc"], &["ab"]);
    assert!(!text("(a)(?P<n>b)").contains("P<"));
}

#[test]
fn patterns_that_go_refuses_are_refused_with_its_words() {
    for (pattern, error) in [
        ("a(b", "missing closing ): `a(b`"),
        ("a)b", "unexpected ): `a)b`"),
        ("x[a", "missing closing ]: `[a`"),
        ("x[", "missing closing ]: `[`"),
        ("a|*", "missing argument to repetition operator: `*`"),
        ("(+?)", "missing argument to repetition operator: `+?`"),
        ("{2}", "missing argument to repetition operator: `{2}`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a+{2}?", "invalid nested repetition operator: `+{2}?`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("a{99999999999999999999}", "invalid repeat count: `{99999999999999999999}`"),
        ("((a{20}){20}){3}", "invalid repeat count: `{3}`"),
        ("((a{100}){100}){100}", "invalid repeat count: `{100}`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[a--]", "invalid character class range: `a--`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (r"\p{Foo}", r"invalid character class range: `\p{Foo}`"),
        (r"\p{IsGreek}", r"invalid character class range: `\p{IsGreek}`"),
        (r"\p{Grek}", r"invalid character class range: `\p{Grek}`"),
        (r"\p{sc=Greek}", r"invalid character class range: `\p{sc=Greek}`"),
        (r"a\pX", r"invalid character class range: `\pX`"),
        (r"\p{Greek", r"invalid character class range: `\p{Greek`"),
        (r"\u00e9", r"invalid escape sequence: `\u`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        (r"\x4", r"invalid escape sequence: `\x4`"),
        (r"\é", r"invalid escape sequence: `\é`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"a\", "trailing backslash at end of expression: ``"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?!a)", "invalid or unsupported Perl syntax: `(?!`"),
        ("(?>a)", "invalid or unsupported Perl syntax: `(?>`"),
        ("(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?", "invalid or unsupported Perl syntax: `(?`"),
        ("(?P=n)", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
        ("(?P<n m>a)", "invalid named capture: `(?P<n m>`"),
        ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
    ] {
        assert_eq!(translate(pattern).unwrap_err(), error, "{pattern}");
    }
}

#[test]
fn limits_are_gos() {
    let nested = |depth: usize| "(".repeat(depth) + &")".repeat(depth);
    assert!(translate(&nested(999)).is_ok());
    assert!(translate(&nested(1000)).unwrap_err().starts_with("expression nests too deeply: `(("));
    // Groups that capture nothing do not count.
    assert!(translate(&("(?:".repeat(5000) + &")".repeat(5000))).is_ok());
    assert!(translate(&format!("({}){{1000}}", "xx?".repeat(1000))).is_ok());
    assert!(
        translate(&format!("({}){{1000}}", "xx?".repeat(1200)))
            .unwrap_err()
            .starts_with("expression too large")
    );
    let doubled = |times: usize| "(".repeat(times) + "x" + &"{2})".repeat(times);
    assert!(translate(&doubled(9)).is_ok());
    assert!(translate(&doubled(10)).unwrap_err().starts_with("invalid repeat count"));
}

#[test]
fn only_some_patterns_see_invalid_bytes() {
    for (pattern, sees) in [
        ("error|[a-z]+", false),
        (r"\w+\b\pL", false),
        (".", true),
        ("[^a]", true),
        (r"\W", true),
        (r"[\x{FFF0}-\x{FFFF}]", true),
        ("\u{FFFD}", true),
        (r"\PL", true),
    ] {
        assert_eq!(translate(pattern).unwrap().sees_invalid, sees, "{pattern}");
    }
}

#[test]
fn replacing_knows_the_way_back() {
    assert!(Replaced::new("é\u{FFFD}".as_bytes()).is_none());
    let replaced = Replaced::new(b"a\xFF\xC3\xA9\xE2\x82b").unwrap();
    assert_eq!(replaced.text, "a\u{FFFD}é\u{FFFD}\u{FFFD}b");
    let back: Vec<_> = replaced.text.char_indices().map(|(at, _)| replaced.original(at)).collect();
    assert_eq!(back, [0, 1, 2, 4, 5, 6]);
    assert_eq!(replaced.original(replaced.text.len()), 7);
}

proptest! {
    #[test]
    fn no_pattern_panics_and_what_passes_compiles(
        pattern in r"(\PC|[\[\](){}|*+?\\^$.,:PpQEixUms<>-]|\\x\{|\[:|:\]|\(\?|\\p\{|[0-9])*",
    ) {
        if let Ok(translated) = translate(&pattern) {
            let built = regex::RegexBuilder::new(&translated.text).size_limit(1 << 27).nest_limit(NEST_LIMIT).build();
            prop_assert!(built.is_ok(), "{} became {}: {:?}", pattern, translated.text, built);
        }
    }
}

#[test]
fn the_first_group_captures_if_it_is_asked_for() {
    let text = |pattern| translate_with_group(pattern).unwrap().text;
    assert_eq!(text("a(b)(c)"), "a(b)(?:c)");
    assert_eq!(text("a((?P<n>b))"), "a((?:b))");
    assert_eq!(text("ab"), "ab");
}
