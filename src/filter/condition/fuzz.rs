//! Conditions as users write them, on records as programs write them.

use super::{Conditions, Seen};
use crate::{
    fields::Reader,
    fuzz::{assert_one_line, two},
    origin::Origin,
    plan::{condition, fuzz::refused},
};

/// A condition is taken or refused in one line, and its negation holds exactly where it does not. It ends at the first
/// zero byte; the rest is the record.
pub fn condition(input: &[u8]) {
    let (text, line) = two(input);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut reader = Reader::default();
    let mut holds = |text: &str| -> Result<Option<bool>, String> {
        let mut conditions = Conditions::new(&[condition::of(text)?]);
        let record = reader.read(line);
        let holds = conditions.as_mut().map(|conditions| {
            let holds = conditions.hold(Seen { record, origin: &Origin::stdin(), time: None });
            conditions.last_words().iter().for_each(|notice| assert_one_line(&notice.text));
            (!conditions.exhausted()).then_some(holds)
        });
        Ok(holds.flatten())
    };
    match holds(text) {
        // The parentheses may be one too deep.
        Ok(Some(held)) => assert!(holds(&format!("not ({text})")) != Ok(Some(held))),
        Ok(None) => {}
        Err(reason) => assert_one_line(&refused(reason)),
    }
}
