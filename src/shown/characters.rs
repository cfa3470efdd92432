//! The characters that are not drawn but steer: they move the cursor, end a line, or change how others are drawn.

/// Whether the character is a control or format character or a line separator: Unicode's categories Cc, Cf, Zl and Zp,
/// and the rest of the blocks that are reserved for format characters.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        ..'\u{ad}' => false,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' => true,
        ..'\u{890}' => false,
        '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        ..'\u{feff}' => false,
        '\u{feff}' | '\u{fff0}'..='\u{fffb}' => true,
        ..'\u{110bd}' => false,
        '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All characters, against Unicode's own table.
    #[test]
    fn every_character_of_the_hidden_categories_is_hidden() {
        let hidden = regex::Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$").unwrap();
        // Reserved for format characters: no text has them.
        let reserved =
            |c: char| matches!(c, '\u{2065}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e007f}');
        for c in '\0'..=char::MAX {
            let wanted = hidden.is_match(c.encode_utf8(&mut [0; 4])) || reserved(c);
            assert_eq!(is_hidden(c), wanted, "{c:?}");
        }
    }
}
