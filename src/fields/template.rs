//! Message templates of Serilog: `Hi {Name}`.

use super::Record;

/// The template with the record's fields in place of its holes. One whose field is missing stays.
pub(super) fn filled(record: &Record<'_, '_>, template: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(template.len());
    let mut rest = template;
    while let Some(brace) = memchr::memchr2(b'{', b'}', rest) {
        out.extend_from_slice(&rest[..brace]);
        let byte = rest[brace];
        rest = &rest[brace..];
        // Two braces are one.
        if rest.get(1) == Some(&byte) {
            out.push(byte);
            rest = &rest[2..];
            continue;
        }
        let hole = memchr::memchr(b'}', rest).filter(|_| byte == b'{');
        let field = hole.and_then(|end| record.find(name(&rest[1..end])));
        match (hole, field) {
            (Some(end), Some(field)) => {
                out.extend_from_slice(&field.text());
                rest = &rest[end + 1..];
            }
            (Some(end), None) => {
                out.extend_from_slice(&rest[..=end]);
                rest = &rest[end + 1..];
            }
            // Without an end, all that follows is text.
            (None, _) if byte == b'{' => break,
            (None, _) => {
                out.push(byte);
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// `@Name,10:0.00` without what is around the name.
fn name(hole: &[u8]) -> &[u8] {
    let hole = hole.strip_prefix(b"@").or_else(|| hole.strip_prefix(b"$")).unwrap_or(hole);
    hole.split(|byte| b",:".contains(byte)).next().unwrap_or_default()
}
