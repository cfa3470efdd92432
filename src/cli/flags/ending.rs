//! Flags that say when a run ends by itself.

use super::{Flag, Group, List, Scope, Switch, Text, flag};

flags! {
    Group::new("When to stop", Scope::Any);

    /// End after this time, in order: lines that were read are shown, and the exit code is 0 unless another flag gives it
    /// a meaning. The time includes the connection to the cluster and the wait for pods; with `--prompt` it begins with the
    /// choice. If standard output takes nothing for two seconds after that, the run ends without the rest, with exit code
    /// 3. 0 is no limit. Default: 0. `--timeout 10m`
    pub static TIMEOUT: Flag<Text> = flag("timeout", "DURATION")
        .help("End after this time: 30s, 10m, 1h30m");

    /// End with exit code 0 as soon as a line matches, which is the last line shown; with exit code 4 if the run ends before.
    /// The message of each line is tested, after the filters; colours and names beside it are not part of it. Repeatable:
    /// one match is enough. `--until-match 'listening on' --timeout 2m`
    pub static UNTIL_MATCH: Flag<List> = flag("until-match", "REGEX")
        .help("Exit 0 after the first line that matches, 4 if there was none");

    /// End once the Job of the query has completed, or all selected pods have, and show their logs to the end: with exit
    /// code 0 if they succeeded, and with 5 if not, also if the run ends before. Standard error names each container that
    /// failed, with its exit code. A Job of `job/NAME` decides by its own conditions, so that a pod that it retries is no
    /// end; it is waited for if it does not exist yet. Other queries complete when there was a pod and each has the phase
    /// Succeeded or Failed, which the pods of a Deployment never have. With `--until-match`, the first to come ends the run.
    /// With `--no-follow`, the state at that moment counts. Default: false.
    /// `stern-rs job/migrate --exit-on-complete --timeout 10m`
    pub static EXIT_ON_COMPLETE: Flag<Switch> = flag("exit-on-complete", "")
        .help("Exit 0 when the Job or all pods have succeeded, 5 if not")
        .scope(Scope::Cluster);
}
