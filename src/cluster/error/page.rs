//! Web pages in place of an answer, from proxies, load balancers and login servers.

/// The text of a web page without its markup; None: it is no web page.
pub(super) fn text(body: &str) -> Option<String> {
    let start: String = body.trim_start().chars().take(500).collect::<String>().to_ascii_lowercase();
    let is_page = start.starts_with('<')
        && ["<html", "<!doctype html", "<head", "<body", "<title"].iter().any(|tag| start.contains(tag));
    is_page.then(|| without_markup(body))
}

fn without_markup(page: &str) -> String {
    let (mut text, mut rest) = (String::new(), page);
    while let Some((words, markup)) = rest.split_once('<') {
        text.push_str(words);
        // Tags part words.
        text.push(' ');
        let end = match markup.get(..6).unwrap_or(markup).to_ascii_lowercase() {
            tag if tag.starts_with("!--") => "-->",
            tag if tag.starts_with("style") => "</style>",
            tag if tag.starts_with("script") => "</script>",
            _ => ">",
        };
        rest = markup.split_once(end).map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    // The last one, so that it does not make another of them.
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (name, character)| text.replace(name, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_page_are_kept() {
        let shown = |page: &str| text(page).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        for (page, words) in [
            (
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<hr><center>nginx/1.18.0</center></body></html>",
                Some("502 Bad Gateway nginx/1.18.0"),
            ),
            (
                "<!DOCTYPE html><!-- a > b --><head><style>p { color: red }</style><script>1 < 2</script></head><p class=\"a\">Sign&nbsp;in &amp; wait",
                Some("Sign in & wait"),
            ),
            ("<html><body>cut <em", Some("cut")),
            ("<?xml version=\"1.0\"?><Error>no</Error>", None),
            ("a < b", None),
            ("", None),
        ] {
            assert_eq!(shown(page).as_deref(), words, "{page}");
        }
    }
}
