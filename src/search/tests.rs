//! The linear search finds what the searches one after the other find.

use proptest::prelude::*;

use super::*;

/// As `find_iter` has them.
fn one_by_one(patterns: &[&str], line: &[u8]) -> Vec<Range<usize>> {
    compile(patterns, 1 << 20).expect("a pattern").find_iter(line).map(|found| found.range()).collect()
}

fn linear(patterns: &[&str], line: &[u8]) -> Vec<Range<usize>> {
    let mut linear = compile_linear(patterns, 1 << 20).expect("a pattern");
    let mut finder = Finder::of(patterns, compile(patterns, 1 << 20).expect("a pattern"));
    assert_eq!(linear.is_match(line), Ok(finder.may_match(line)));
    let mut all = Vec::new();
    assert_eq!(finder.find_rest(line, 0, MARKS, |found| all.push(found)), Ok(true));
    // Behind a match that was found otherwise.
    if let Some((first, others)) = all.split_first().filter(|(first, _)| first.end > 0) {
        let mut rest = Vec::new();
        assert_eq!(finder.find_rest(line, first.end, MARKS, |found| rest.push(found)), Ok(true));
        assert_eq!(rest, others);
    }
    all
}

#[test]
fn matches_are_the_same_in_both_ways() {
    for patterns in [
        &["a.*b|a"][..],
        &["error.*timeout", "error"],
        &["(?i)err.*fail|err"],
        &[r"\w+.*exception|\w+"],
        &["x*y|x"],
        &["a*?", "b"],
        &["", "a+"],
        &["(a|ab)(c|bcd)(d*)"],
        &["(a*)*b|a"],
        &["(|a)*", "b"],
        &["(?:a?){3}b?", "^b|b$"],
        &[r"\bb|a\b", "."],
        &[r"(?-u:\B)a", "(?m)^b"],
        &["é|.", "[^a]b"],
    ] {
        for line in [
            "",
            "a",
            "b",
            "abab",
            "aabxyxxy",
            "error err timeout error",
            "é a b é",
            "abcdabcbcdd",
            "err fail exception x",
        ] {
            assert_eq!(
                linear(patterns, line.as_bytes()),
                one_by_one(patterns, line.as_bytes()),
                "{patterns:?} {line:?}"
            );
        }
    }
}

/// A pattern of few letters, so that much matches.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a", "b", "ab", ".", "[ab]", "", "^", "$", r"\b", r"\B", r"\w", "é", "(?m:^)", "(?m:$)",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        let repeat = prop::sample::select(vec!["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?"]);
        prop_oneof![
            several.clone().prop_map(|parts| parts.concat()),
            several.prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner, repeat).prop_map(|(part, repeat)| format!("(?:{part}){repeat}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_matches_are_the_same_in_both_ways(
        patterns in prop::collection::vec(pattern(), 1..4),
        line in prop::collection::vec(prop::sample::select(vec![&b"a"[..], b"b", b" ", b"\n", "é".as_bytes(), b"\xff"]), 0..24),
    ) {
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let line = line.concat();
        prop_assert_eq!(linear(&patterns, &line), one_by_one(&patterns, &line));
    }
}

/// More than a second search of this line could take in days.
#[test]
fn a_long_line_is_searched_once() {
    for (patterns, text) in [
        (&["error.*timeout", "error"][..], "error "),
        (&["a.*b|a"], "a"),
        (&[r"\w+.*exception|\w+"], "error "),
        (&["(?i)err.*fail|err"], "ERROR "),
        (&[r"\berr.*fail\b", r"\berr"], "err é "),
    ] {
        let line = text.repeat((1 << 20) / text.len());
        let mut finder = Finder::of(patterns, compile(patterns, 1 << 20).expect("a pattern"));
        let mut count = 0;
        let all = finder.find_all(line.as_bytes(), |_| count += 1);
        assert_eq!((all, count), (false, MARKS), "{patterns:?}");
    }
}
