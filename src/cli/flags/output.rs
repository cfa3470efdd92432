//! Flags that format the output.

use super::{Complete, File, Flag, Group, List, Scope, Switch, Text, flag};

pub const FORMATS: &[&str] = &["default", "pretty", "raw", "json", "extjson", "ppextjson"];
pub const TIMESTAMP_FORMATS: &[&str] = &["default", "short"];
pub const TEMPLATE_ERROR_MODES: &[&str] = &["raw", "drop"];
pub const COLOR_MODES: &[&str] = &["auto", "always", "never"];

flags! {
    Group::new("Output", Scope::Any);

    /// Print lines in this format: `default` (pod, container and line), `pretty` (pod and container, then time, level,
    /// message and fields of the record, see `--fields`; the time has its date in a pipe and in files, and a line marks a new day on
    /// a terminal), `raw` (the line alone), `json` (an object for each
    /// line), `extjson` and `ppextjson` (an object that keeps a JSON line as JSON, on one line or on several).
    /// Default: `default`
    pub static OUTPUT: Flag<Text> = flag("output", "FORMAT")
        .short('o')
        .help("Print lines as default, pretty, raw, json, extjson, ppextjson")
        .completes(Complete::Words(FORMATS));

    /// Print lines with this Go template, in place of `--output`; see [templates](templates.md).
    /// `--template '{{.PodName}} {{.Message}}{{"\n"}}'`
    pub static TEMPLATE: Flag<Text> = flag("template", "TEMPLATE")
        .help("Print lines with a Go template, in place of -o");

    /// Read the template from a file. It takes precedence over `--template`.
    pub static TEMPLATE_FILE: Flag<File> = flag("template-file", "FILE")
        .short('T')
        .help("Read the Go template from a file");

    /// Show a line on which the template fails as it is (`raw`), or leave it out (`drop`). Either way the failure is reported
    /// once for each container, with the number of such lines when it ends, and the exit code is 3. Default: `raw`; with `--stdin`
    /// they are left out and do not count, as in stern
    pub static TEMPLATE_ERRORS: Flag<Text> = flag("template-errors", "HOW")
        .help("Show lines on which the template fails: raw or drop")
        .completes(Complete::Words(TEMPLATE_ERROR_MODES));

    /// Show lines of all containers in the order in which they were written, by their timestamps; lines of one container
    /// never change places, and a stack trace stands with the line before it. Without following, the order is exact. When following, all that was written before is read
    /// first and shown in exact order; then each line waits for older ones of other containers, at most for this long, and
    /// no longer than lines have been late lately. A line that comes later is shown at once, and `--stats` counts it; so are
    /// the lines of containers that are polled, when their turn comes. History that has to wait for containers not read yet
    /// waits in temporary files (`TMPDIR`), not in memory. Lines longer than `--max-line` are cut with `-o raw` too. At most
    /// 5m; 0 is no waiting. Default: lines are shown as they arrive; `--sort` alone is `200ms`. `--sort=1s`
    pub static SORT: Flag<Text> = flag("sort", "DURATION")
        .bare("200ms")
        .help("Show lines by time; new ones wait this long for others (200ms)")
        // Lines of standard input have no times.
        .scope(Scope::Cluster);

    /// Show when each line was written: `default` (`2026-01-31T12:00:00.000000000Z`) or `short` (`01-31 12:00:00`).
    /// Default: no timestamps; `-t` alone is `default`
    pub static TIMESTAMPS: Flag<Text> = flag("timestamps", "FORMAT")
        .short('t')
        .bare("default")
        .help("Show timestamps: default or short")
        .completes(Complete::Words(TIMESTAMP_FORMATS))
        // Lines of standard input have no times.
        .scope(Scope::Cluster);

    /// Show timestamps in this time zone: `Local`, `UTC` or an IANA name. Default: `Local`. `--timezone Asia/Seoul`
    pub static TIMEZONE: Flag<Text> = flag("timezone", "ZONE")
        .help("Use a time zone: Local (default), Asia/Seoul")
        .completes(Complete::Zones);

    /// Draw a line after a pause in the logs of at least this duration, with the time in `--timezone`, and one when the date
    /// changes: `── 14:05:32 · 2m10s later ──`, `── Tuesday 2026-06-02 ──`. Lines that are older than one before them draw
    /// nothing. 0 draws none. Only on a terminal, and not in JSON; elsewhere it has no effect. Default: none. `--markers 30s`
    pub static MARKERS: Flag<Text> = flag("markers", "DURATION")
        .help("Draw a line after pauses, and when the date changes")
        // Lines of standard input have no times.
        .scope(Scope::Cluster);

    /// Use colours: `always`, `never` or `auto`. `auto` decides for standard output and standard error separately, by
    /// whether each is a terminal. Default: `auto`
    pub static COLOR: Flag<Text> = flag("color", "WHEN")
        .help("Use colours: auto (default), always or never")
        .completes(Complete::Words(COLOR_MODES));

    /// Let every byte of a log through to a terminal. By default only text and colours reach one: other control sequences
    /// could change its title, its clipboard or what is shown of other lines, and are shown escaped, such as `\x1b]52;…`. Pipes
    /// and files get every byte in any case. Default: false
    pub static UNSAFE_TERMINAL: Flag<Switch> = flag("unsafe-terminal", "")
        .help("Let control sequences of logs through to a terminal");

    /// Give each container of a pod its own colour, not one colour for the pod. Default: false
    pub static DIFF_CONTAINER: Flag<Switch> = flag("diff-container", "")
        .short('d')
        .help("Give each container of a pod its own colour");

    /// Use these colours for pod names, as the numbers of terminal sequences (SGR). Default: six bright colours.
    /// `--pod-colors 91,92,93`, `--pod-colors '38;5;9,38;5;10'`
    pub static POD_COLORS: Flag<List> = flag("pod-colors", "SGR,…")
        .help("Use these colours for pods: 91,92 or 38;5;9");

    /// Use these colours for container names. They need `--pod-colors` with as many colours.
    /// Default: the colours of `--pod-colors`
    pub static CONTAINER_COLORS: Flag<List> = flag("container-colors", "SGR,…")
        .help("Use these colours for containers");

    /// Hide notices of containers that start, stop or wait, and other notices that are not errors. Default: false
    pub static ONLY_LOG_LINES: Flag<Switch> = flag("only-log-lines", "")
        .help("Hide notices other than errors");

    /// Report missing lines among the lines of `-o json` as an object `{"gap": {"after": TIME, "before": TIME}, …}` without
    /// `message`. Standard error reports them in any case. Default: false
    pub static GAPS: Flag<Switch> = flag("gaps", "")
        .help("Report missing lines as objects of -o json")
        // Standard input has no gaps.
        .scope(Scope::Cluster);

    /// Also write the lines of each container to a file of its own, `DIR/NAMESPACE/POD/CONTAINER.log`, in the format of
    /// `--output` without colours. Files and directories are made when they are needed. Lines are appended, whole ones only.
    /// A file that another run is writing is left to that run, and this one writes `CONTAINER.2.log`. Missing lines are marked in
    /// their place, except in JSON and with a template. The lines of `--stdin` go to `DIR/stdin.log`. A file that cannot be
    /// written is reported and tried again; everything else goes on, and the run ends with the exit code 3. `--output-dir logs`
    pub static OUTPUT_DIR: Flag<File> = flag("output-dir", "DIR")
        .help("Also write DIR/NAMESPACE/POD/CONTAINER.log");

    /// Print no lines on standard output: they only go to the files of `--output-dir`, or are counted by `--summary`.
    /// Standard error reports as usual.
    /// Default: false
    pub static QUIET: Flag<Switch> = flag("quiet", "")
        .help("Print no lines: only --output-dir or --summary");

    /// Write the files of `--output-dir` compressed, as `CONTAINER.log.gz`, which `zcat` and `zless` show. Lines are gathered
    /// for up to five seconds, and each time compressed and appended on their own, so that a file is whole whenever the run
    /// ends. Default: false
    pub static COMPRESS: Flag<Switch> = flag("compress", "")
        .help("Write the files of --output-dir as .log.gz");

    /// Show the output page by page, in `$PAGER` or `less -R`, which gets `LESS=FRX` unless that is set. Needs a terminal and an
    /// output that ends: `--no-follow`, `--previous`, an `--until` in the past, `--stdin` or `--dry-run`. To quit the pager ends the run, with the exit
    /// code 0. Ctrl-C belongs to the pager. Words on standard error that come while it runs follow when it has ended.
    /// With an empty `$PAGER`, blanks or `cat`, there is none. Default: false
    pub static PAGER: Flag<Switch> = flag("pager", "")
        .help("Show the output page by page in $PAGER or less");
}
