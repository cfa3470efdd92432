//! Each line once, as it was written, in order.

use super::Tale;

fn three() -> Tale {
    Tale::new().follows(2.2).writes(3.0, "a").writes(4.0, "b").writes(5.0, "c")
}

#[test]
fn lines_that_are_shown_once_and_in_order_are_fine() {
    three().shows(3.0, "a").shows(4.0, "b").shows(5.0, "c").passes();
}

#[test]
fn a_line_that_is_shown_twice_is_repeated() {
    three().shows(3.0, "a").shows(4.0, "b").shows(4.0, "b").shows(5.0, "c").is(&["repeated"]);
}

#[test]
fn equal_lines_are_as_many_as_were_written() {
    let twice = || Tale::new().follows(2.2).writes(3.0, "a").writes(3.0, "a").writes(4.0, "b");
    twice().shows(3.0, "a").shows(3.0, "a").shows(4.0, "b").passes();
    twice().shows(3.0, "a").shows(4.0, "b").is(&["missing"]);
    twice().shows(3.0, "a").shows(3.0, "a").shows(3.0, "a").shows(4.0, "b").is(&["repeated"]);
}

#[test]
fn a_line_that_comes_behind_a_later_one_is_out_of_order() {
    three().shows(3.0, "a").shows(5.0, "c").shows(4.0, "b").is(&["out of order"]);
}

#[test]
fn a_line_has_every_byte_and_its_time() {
    three().shows(3.0, "a").shows(4.0, "B").shows(5.0, "c").is(&["never written", "missing"]);
    three().shows(3.0, "a").shows(4.5, "b").shows(5.0, "c").is(&["never written", "missing"]);
    three().shows(3.0, "a").shows(4.0, "b ").shows(5.0, "c").is(&["never written", "missing"]);
}

#[test]
fn words_of_the_kubelet_among_lines_are_no_lines() {
    let words = |line: &str| {
        let line = format!("shop web app {line}\n");
        three().shows(3.0, "a").shows(4.0, "b").shows(5.0, "c").with(|story| {
            let at = story.stdout[1].at;
            story.containers[0].instances[0].words.push((at, b"rpc error".to_vec()));
            story.stdout.push(crate::story::Written { at, bytes: line.into_bytes() });
        })
    };
    words("rpc error").passes();
    words("rpc errors").is(&["never written"]);
}

#[test]
fn a_long_line_has_the_mark_of_its_cut() {
    let long = "x".repeat(100);
    let shown = |text: &str| {
        Tale::new()
            .asking(|setting| setting.max_line = Some(10))
            .follows(2.2)
            .writes(3.0, &long)
            .shows(3.0, text)
    };
    shown("xxxxxxxxxx … [90 bytes cut by --max-line]").passes();
    shown(&long).is(&["never written", "missing"]);
}

#[test]
fn output_that_is_no_line_of_a_container_is_strange() {
    three()
        .shows(3.0, "a")
        .shows(4.0, "b")
        .shows(5.0, "c")
        .with(|story| {
            story.stdout.push(crate::story::Written { at: story.ended, bytes: b"hello\n".to_vec() });
        })
        .is(&["strange output"]);
}

/// The time of the run is over before the lines that came too early are reported.
#[test]
fn a_run_may_end_before_it_says_which_lines_came_too_early() {
    let tale = || {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").restarts(3.2).writes(3.5, "b");
        tale.shows(3.5, "b").shows(3.0, "a")
    };
    tale().is(&["out of order"]);
    let over = "not read to its end: the time of --timeout was over before";
    tale().says(6.0, over).passes();
    tale()
        .says_line(5.5, "── shop web › app restarted: Error, exit 1, ran 1s ──")
        .says(6.0, over)
        .is(&["out of order"]);
}

/// The same behind a signal, while the end of the log is checked.
#[test]
fn a_signal_may_come_before_it_is_said_which_lines_came_too_early() {
    let tale = |shown: f64| {
        let tale = Tale::new().follows(2.2).writes(3.0, "a").restarts(3.2).writes(3.5, "b");
        tale.shows(3.5, "b").shows_at(shown, 3.0, "a")
    };
    tale(299.0).passes();
    tale(294.0).is(&["out of order"]);
    tale(299.0).says_line(299.5, "- shop web › app").is(&["out of order"]);
}
