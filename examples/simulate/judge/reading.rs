//! The exit code of a run that read what there was: it goes with what the run said of the logs.

use stern_rs::ExitCode;

use super::lines::{
    notices,
    notices::{Notice, Said},
    output::Text,
};
use crate::story::Story;

/// Said at the end of `--until`: pods may have been left out.
const NOT_LISTED: &str = "the apiserver did not list all pods before the time of --until was over";

/// The codes that go with the words of a run: 0 if all was read, 3 if something was not, 1 if nothing was of those that
/// were found.
pub fn codes(story: &Story) -> Vec<ExitCode> {
    let errors = Text::new(&story.stderr);
    // An unknown one is a problem of its own (lines/mod.rs).
    let notices = notices::read(&errors, &mut Vec::new());
    let says = |of: fn(Said<'_>) -> bool| notices.iter().any(|notice| of(notice.said));
    let is_read = says(|said| said == Said::Opened);
    let in_part = if is_read { ExitCode::Unread } else { ExitCode::Failed };
    let is_open = |number: usize| !is_taken_back(&notices[number], &notices[number + 1..]);
    let losses = || (0..notices.len()).filter(|number| is_loss(notices[*number].said));
    if losses().any(is_open) {
        return vec![in_part];
    }
    if errors.lines().any(|(_, line)| String::from_utf8_lossy(line).contains(NOT_LISTED)) {
        return vec![ExitCode::Unread];
    }
    if !says(may_be_loss) && losses().next().is_none() {
        return vec![ExitCode::Done];
    }
    // A log of which nothing but words came was opened, and not read.
    let nothing = story.stdout.is_empty().then_some(ExitCode::Failed);
    [ExitCode::Done, in_part].into_iter().chain(nothing).collect()
}

/// Whether lines may be missing of a log, by these words.
fn is_loss(said: Said<'_>) -> bool {
    match said {
        Said::Between(..)
        | Said::Behind(_)
        | Said::Unchecked(_)
        | Said::Removed
        | Said::Refused
        | Said::Unread
        | Said::Unseen
        | Said::GivenUp(_) => true,
        Said::Opened
        | Said::Closed
        | Said::Restarted { .. }
        | Said::NoPrevious
        | Said::BeginsLate(_)
        | Said::Words(_)
        | Said::TimedOut
        | Said::Retried(_)
        | Said::State => false,
    }
}

/// Whether it turned out later that the line behind such a gap is the first one of the next instance: if the log of the
/// one before was read to its end, nothing is missing.
fn is_taken_back(gap: &Notice<'_>, later: &[Notice<'_>]) -> bool {
    let Said::Between(_, Some(before)) = gap.said else { return false };
    let is_of_next =
        |said| matches!(said, Said::Restarted { lines_since, .. } if lines_since == Some(before));
    later.iter().any(|notice| notice.name == gap.name && is_of_next(notice.said))
}

/// Whether it depends on what came later: a later answer may have made up for it.
fn may_be_loss(said: Said<'_>) -> bool {
    matches!(said, Said::Words(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{at, story},
        story::Written,
    };

    fn codes_of(lines: &[&str]) -> Vec<ExitCode> {
        let said = |line: &&str| Written {
            at: at(2.0),
            bytes: line.replace("web", "default web-0 › app").into_bytes(),
        };
        let mut story = story();
        story.stderr = lines.iter().map(said).collect();
        codes(&story)
    }

    #[test]
    fn a_run_that_says_nothing_of_a_loss_read_all() {
        assert_eq!(codes_of(&[]), [ExitCode::Done]);
        assert_eq!(codes_of(&["+ web\n", "- web (Completed, exit 0)\n"]), [ExitCode::Done]);
    }

    #[test]
    fn a_loss_is_an_exit_code_of_its_own_and_of_all_logs_another() {
        let given_up = "! web: 403 Forbidden\n";
        assert_eq!(codes_of(&["+ web\n", given_up]), [ExitCode::Unread]);
        assert_eq!(codes_of(&[given_up]), [ExitCode::Failed]);
    }

    #[test]
    fn pods_that_were_not_listed_are_an_exit_code() {
        let line = "! the apiserver did not list all pods before the time of --until was over: lines may be missing\n";
        assert_eq!(codes_of(&[line]), [ExitCode::Unread]);
    }

    #[test]
    fn words_in_place_of_lines_may_be_made_up_for() {
        let words = "! web: the kubelet reports in place of lines: “x”\n";
        let any = [ExitCode::Done, ExitCode::Unread, ExitCode::Failed];
        assert_eq!(codes_of(&["+ web\n", words]), any);
    }

    /// The lines behind the gap are those of the next instance.
    #[test]
    fn a_gap_between_two_instances_may_be_none() {
        let (one, two) = ("2026-03-01T12:00:01Z", "2026-03-01T12:00:02Z");
        let gap = format!("! web: lines may be missing between {one} and {two}\n");
        let restarted = |since: &str| {
            format!("── web restarted: exit 1; the lines above from {since} on were written after it ──\n")
        };
        let any = [ExitCode::Done, ExitCode::Unread, ExitCode::Failed];
        assert_eq!(codes_of(&["+ web\n", &gap, &restarted(two)]), any);
        assert_eq!(codes_of(&["+ web\n", &gap, &restarted(one)]), [ExitCode::Unread]);
        assert_eq!(codes_of(&["+ web\n", &restarted(two), &gap]), [ExitCode::Unread]);
    }
}
