//! What happened when, beside what the program asked for and what it showed.

use std::{fmt::Write as _, time::Duration};

use crate::story::{Story, Written};

/// The signs behind the times.
const LEGEND: &str = "\
* an event   > a line that a container writes   ? a request   = the end of its answer
! a line on standard error   no sign: a line on standard output
";

pub fn trace(story: &Story) -> String {
    let mut moments: Vec<(Duration, u8, String)> = Vec::new();
    moments.extend(story.trace.iter().map(|(at, words)| (*at, 0, format!("* {words}"))));
    for container in &story.containers {
        for instance in &container.instances {
            moments.extend(instance.lines.iter().map(|line| {
                let text: String = String::from_utf8_lossy(&line.text).chars().take(60).collect();
                (line.at, 0, format!("> {}, {}: {} {text}", container.place, instance.restarts, line.stamp))
            }));
        }
    }
    for request in &story.requests {
        let query: Vec<String> =
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = request.path.trim_start_matches("/api/v1/");
        let number = request.number;
        moments.push((request.at, 1, format!("? {number} {path} {}", query.join(" "))));
        if let Some((at, how)) = request.ended {
            let status = request.answered.map_or("no answer".to_owned(), |(_, status)| status.to_string());
            moments.push((at, 2, format!("= {number} {status}, {} bytes, {how:?}", request.bytes)));
        }
    }
    for (sign, written) in [("  ", &story.stdout), ("! ", &story.stderr)] {
        moments.extend(written.iter().flat_map(|written| lines(sign, written)));
    }
    let end = match &story.code {
        Ok(code) => format!("the exit code is {}, {code:?}", *code as u8),
        Err(error) => error.clone(),
    };
    moments.push((story.ended, 4, format!("* {end}")));
    moments.sort_by_key(|(at, order, _)| (*at, *order));
    let mut text = LEGEND.to_owned();
    for (at, _, words) in moments {
        // Writing to a string succeeds.
        let _ = writeln!(text, "{:>9.4}  {words}", at.as_secs_f64());
    }
    text
}

fn lines(sign: &str, Written { at, bytes }: &Written) -> Vec<(Duration, u8, String)> {
    let text = String::from_utf8_lossy(bytes);
    let shorten = |line: &str| line.chars().take(200).collect::<String>();
    text.lines().map(|line| (*at, 3, format!("{sign}{}", shorten(line)))).collect()
}
