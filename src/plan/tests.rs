use std::{ffi::OsString, time::Duration};

use jiff::tz::TimeZone;
use secrecy::ExposeSecret;

use super::*;
use crate::cli::{self, Command};

/// Of a command line as one would type it, apart from the program; words are split at blanks, `''` is empty.
fn try_plan(line: &str) -> Result<Plan, String> {
    let words = line.split_whitespace().map(|word| OsString::from(word.trim_matches('\'')));
    let command = cli::parse(std::iter::once("stern-rs".into()).chain(words), &Environment::bare())
        .map_err(|error| error.to_string())?;
    let Command::Run(args) = command else { panic!("{line} only prints") };
    let environment = Environment { stdout_is_terminal: true, ..Environment::bare() };
    Plan::new(&args, &environment).map_err(|error| error.to_string())
}

fn plan(line: &str) -> Plan {
    try_plan(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn cluster(line: &str) -> ClusterPlan {
    match plan(line).source {
        Source::Cluster(cluster) => *cluster,
        Source::Stdin => panic!("{line} reads standard input"),
    }
}

#[track_caller]
fn fails(line: &str, words: &str) {
    let error = try_plan(line).expect_err(line);
    assert!(error.contains(words), "{line}: {error}");
    assert_eq!(error.lines().count(), 1, "{line}: {error}");
}

#[test]
fn a_bare_query_follows_the_last_48_hours_of_everything() {
    let ClusterPlan { connect, selection, prompt, dry_run, logs, limits, .. } = cluster("web");
    assert!(!dry_run);
    assert!(!prompt);
    assert!(connect.kubeconfig.is_none() && connect.request_timeout.is_none());
    assert_eq!(selection.namespaces, Namespaces::Default);
    assert_eq!(selection.container.as_str(), "");
    assert_eq!(selection.states, ContainerStates { running: true, waiting: true, terminated: true });
    assert!(selection.init_containers && selection.ephemeral_containers);
    assert!(selection.label_selector.is_none() && selection.field_selector.is_none());
    assert_eq!(logs.since, Some(Since::Ago(Duration::from_secs(172_800))));
    assert!(logs.follow && !logs.previous && logs.tail.is_none() && logs.limit_bytes.is_none());
    assert_eq!((limits.qps, limits.burst), (Some(50.0), 100));
    assert_eq!((limits.log_requests, limits.max_streams_per_node), (LogRequests::fixed(50), 100));
    assert_eq!((limits.max_bandwidth, limits.latency), (None, Duration::from_millis(5)));
    assert!(!connect.http1);
}

#[test]
fn the_display_has_defaults() {
    let display = plan("web").display;
    assert_eq!(display.format, Format::Default);
    assert_eq!((display.color_stdout, display.color_stderr), (true, false));
    assert!(display.timestamps.is_none() && display.colors.is_none());
    assert!(!display.namespace_in_prefix && !display.namespace_in_extjson);
}

#[test]
fn namespaces_are_split_and_each_is_taken_once() {
    let namespaces = cluster("web -n a,b -n c,a").selection.namespaces;
    assert_eq!(namespaces, Namespaces::Some(vec!["a".into(), "b".into(), "c".into()]));
}

#[test]
fn an_empty_namespace_is_the_default_one() {
    assert_eq!(cluster("-n '' web").selection.namespaces, Namespaces::Default);
    assert_eq!(cluster("-n ,a, web").selection.namespaces, Namespaces::Some(vec!["a".into()]));
}

#[test]
fn all_namespaces_overrides_some() {
    assert_eq!(cluster("-A -n a web").selection.namespaces, Namespaces::All);
}

#[test]
fn the_namespace_is_shown_where_there_may_be_several() {
    let shown = |line| {
        let display = plan(line).display;
        (display.namespace_in_prefix, display.namespace_in_extjson)
    };
    assert_eq!(shown("-n a web"), (false, false));
    assert_eq!(shown("-n a,a web"), (false, false));
    assert_eq!(shown("-n a,b web"), (true, false));
    assert_eq!(shown("-A web"), (true, true));
}

#[test]
fn a_selector_or_a_node_stands_in_for_the_query() {
    for line in ["-l app=web", "--field-selector a=b", "--node n1", "--stdin"] {
        plan(line);
    }
    for line in ["", "''", "-A", "-l ''", "--node ''"] {
        fails(line, "no pods selected");
    }
}

#[test]
fn two_queries_are_an_error_with_a_hint() {
    for (line, hint) in [
        ("-A kube-system web", "not \"kube-system\" and \"web\"; -A takes no value"),
        ("web -t short", "-t takes its value with =, as in -t=short"),
        ("web api", "one pattern can match both: 'web|api'"),
        ("deploy web", "write kind and name as one word: 'deploy/web'"),
        ("pod/a pod/b", "one pattern can match both: 'pod/a|b'"),
        ("web pod/b", "one pattern can match both: 'web|^b$'"),
        ("deploy/a deploy/b", "use one pattern that matches both, or -l"),
        ("a b'c", "use one pattern that matches both"),
        ("logs web", "'logs' is a command of kubectl; remove it"),
        ("web -since 5m", "long flags have two dashes: --since"),
    ] {
        fails(line, hint);
    }
}

#[test]
fn a_node_joins_the_field_selector() {
    let fields = |line| cluster(line).selection.field_selector;
    assert_eq!(fields("--node n1"), Some("spec.nodeName=n1".into()));
    assert_eq!(fields("--field-selector a=b --node n1"), Some("a=b,spec.nodeName=n1".into()));
    fails("--node n1,metadata.name=x", "--node: \"n1,metadata.name=x\" cannot be the name of a node");
}

#[test]
fn kind_and_name_go_without_a_label_selector() {
    fails("deploy/web -l app=web", "--selector and a KIND/NAME query cannot be combined");
    cluster("deploy/web --field-selector status.phase=Running");
}

#[test]
fn states_add_up_and_all_is_the_default() {
    let states = |line| {
        let states = cluster(line).selection.states;
        (states.running, states.waiting, states.terminated)
    };
    assert_eq!(states("web --container-state running"), (true, false, false));
    assert_eq!(states("web --container-state waiting,terminated"), (false, true, true));
    assert_eq!(states("web --container-state waiting --container-state terminated"), (false, true, true));
    assert_eq!(states("web --container-state running,all"), (true, true, true));
    assert_eq!(states("web --container-state ''"), (true, true, true));
    fails("web --container-state dead", "--container-state: \"dead\" is none of running");
}

#[test]
fn a_condition_is_in_any_case_and_true_by_default() {
    let condition =
        |line| cluster(line).selection.condition.map(|condition| (condition.name, condition.status));
    assert_eq!(condition("web --condition ready"), Some(("Ready", "True")));
    assert_eq!(condition("web --condition CONTAINERSREADY=false"), Some(("ContainersReady", "False")));
    assert_eq!(condition("web --condition Initialized=Unknown"), Some(("Initialized", "Unknown")));
    assert_eq!(condition("web --condition ''"), None);
    fails("web --condition zzz", "--condition: \"zzz\" is none of ContainersReady, ");
    fails(
        "web --condition ready=maybe",
        "--condition: \"maybe\" is none of true, false or unknown, as in Ready=false",
    );
}

#[test]
fn previous_looks_as_far_back_as_there_is_and_ends() {
    let logs = cluster("web --previous").logs;
    assert!(logs.previous && !logs.follow);
    assert_eq!(logs.since, None);
    assert_eq!(cluster("web --previous --since 1h").logs.since, Some(Since::Ago(Duration::from_secs(3600))));
    assert_eq!(cluster("web --previous").limits.log_requests.at(None), 5);
}

#[test]
fn since_is_a_duration_or_a_time() {
    let since = |line| cluster(line).logs.since;
    assert_eq!(since("web -s 1d"), Some(Since::Ago(Duration::from_secs(86_400))));
    assert_eq!(since("web --since 0"), None);
    let time = "2026-01-31T12:00:00Z".parse().unwrap();
    assert_eq!(since("web --since-time 2026-01-31T13:00:00+01:00"), Some(Since::Time(time)));
    fails("web --since 1h --since-time 2026-01-31T12:00:00Z", "--since and --since-time cannot be combined");
    fails("web --since xyz", "--since: \"xyz\" is not a time such as");
    assert_eq!(since("web --since ''"), since("web"));
    assert_eq!(since("web --since -1d"), since("web --since 24h"));
    fails("web -s https://cluster", "kubectl's -s is --server here");
    fails("web --since-time yesterday", "--since-time: \"yesterday\" is not an RFC 3339 time");
    fails("web --since-time 2026-01-31T12:00:00", "--since-time: ");
}

#[test]
fn tail_takes_minus_one_for_all() {
    assert_eq!(cluster("web --tail -1").logs.tail, None);
    assert_eq!(cluster("web --tail 0").logs.tail, Some(0));
    assert_eq!(cluster("web --tail 10").logs.tail, Some(10));
    fails("web --tail -2", "--tail: -2 is less than -1");
    fails("web --no-follow --tail=0", "--no-follow with --tail=0 shows nothing");
    fails("web --previous --tail=0", "--previous with --tail=0 shows nothing");
}

#[test]
fn no_bytes_is_no_limit() {
    assert_eq!(cluster("web --limit-bytes 0").logs.limit_bytes, None);
    assert_eq!(cluster("web --limit-bytes 9").logs.limit_bytes, Some(9));
    fails("web --limit-bytes=-1", "--limit-bytes: -1 is negative");
}

#[test]
fn fewer_logs_are_read_at_once_without_following() {
    let max = |line| cluster(line).limits.log_requests.at(None);
    assert_eq!(max("web --no-follow"), 5);
    assert_eq!(max("web --no-follow --max-log-requests=-1"), 5);
    assert_eq!(max("web --max-log-requests=-1"), 50);
    assert_eq!(max("web --max-log-requests 1"), 1);
    let far = |line: &str, millis| cluster(line).limits.log_requests.at(Some(Duration::from_millis(millis)));
    assert_eq!([1, 20, 100, 180, 600].map(|millis| far("web --no-follow", millis)), [5, 10, 30, 50, 50]);
    assert_eq!(far("web --no-follow --max-log-requests 7", 600), 7);
    assert_eq!((far("web", 0), far("web", 600)), (50, 50));
    fails("web --max-log-requests 0", "--max-log-requests: 0 is less than 1");
    fails("web --max-log-requests -2", "--max-log-requests: -2 is less than 1");
}

#[test]
fn a_node_has_a_share_of_the_streams() {
    assert_eq!(cluster("web --max-streams-per-node 3").limits.max_streams_per_node, 3);
    fails("web --max-streams-per-node 0", "--max-streams-per-node: 0 is less than 1");
}

#[test]
fn requests_a_second_may_be_unlimited() {
    let limits = |line| {
        let limits = cluster(line).limits;
        (limits.qps, limits.burst)
    };
    assert_eq!(limits("web --qps=-1"), (None, 100));
    assert_eq!(limits("web --qps 0 --burst 0"), (Some(50.0), 100));
    assert_eq!(limits("web --qps 0.5 --burst 3"), (Some(0.5), 3));
    fails("web --qps=-2", "--qps: -2 is negative");
    fails("web --burst=-1", "--burst: -1 is not between 1");
}

#[test]
fn color_is_decided_for_each_stream_by_default() {
    let colored = |line| {
        let display = plan(line).display;
        (display.color_stdout, display.color_stderr)
    };
    assert_eq!(colored("web --color auto"), (true, false));
    assert_eq!(colored("web --color always"), (true, true));
    assert_eq!(colored("web --color never"), (false, false));
    fails("web --color sometimes", "--color: \"sometimes\" is none of auto, always or never");
}

#[test]
fn timestamps_have_two_forms() {
    let timestamps = |line| plan(line).display.timestamps;
    assert_eq!(timestamps("web -t"), Some(Timestamps::Default));
    assert_eq!(timestamps("web --timestamps=short"), Some(Timestamps::Short));
    assert_eq!(timestamps("web -t --timestamps="), None);
    fails("web --timestamps=zzz", "--timestamps: \"zzz\" is neither default nor short");
}

#[test]
fn a_time_zone_is_local_utc_or_a_name() {
    let zone = |line| plan(line).display.timezone;
    assert_eq!(zone("web"), TimeZone::UTC);
    assert_eq!(zone("web --timezone UTC"), TimeZone::UTC);
    assert_eq!(zone("web --timezone Asia/Seoul").iana_name(), Some("Asia/Seoul"));
    fails("web --timezone Mars/Base", "--timezone: \"Mars/Base\" is not a time zone");
}

#[test]
fn the_output_is_one_of_six() {
    assert_eq!(plan("web -o pretty").display.format, Format::Pretty);
    assert_eq!(plan("web -o ppextjson").display.format, Format::Ppextjson);
    fails("web -o nope", "--output: \"nope\" is none of default, pretty, raw, json, extjson or ppextjson");
}

#[test]
fn the_look_of_records_needs_their_format() {
    for flag in ["--fields a", "--hide a", "--theme light"] {
        let name = flag.split(' ').next().unwrap();
        fails(
            &format!("web {flag}"),
            &format!("{name} works only with -o pretty; add that, or remove {name}"),
        );
        fails(&format!("web {flag} -o pretty --template x"), "works only with -o pretty");
        assert_eq!(plan(&format!("web {flag} -o pretty")).display.format, Format::Pretty);
    }
    fails("web -o pretty --theme dark", "--theme: \"dark\" is none of default, light, mono, none");
    fails("web -o pretty --fields a,,b", "--fields: a key is empty");
}

#[test]
fn commas_do_not_split_regexes() {
    let plan = plan("web -i a,b -e c -H d -H e");
    assert_eq!(plan.filter.include.iter().map(LinePattern::typed).collect::<Vec<_>>(), ["a,b"]);
    assert_eq!((plan.filter.exclude.len(), plan.display.highlight.len()), (1, 3));
}

#[test]
fn a_bad_regex_is_reported_with_its_flag() {
    for (flag, name) in [
        ("-i", "--include"),
        ("-e", "--exclude"),
        ("-H", "--highlight"),
        ("-c", "--container"),
        ("-E", "--exclude-container"),
        ("--exclude-pod", "--exclude-pod"),
    ] {
        fails(
            &format!("web {flag} a("),
            &format!("{name}: \"a(\" is not a regular expression: missing closing )"),
        );
    }
    fails("a(", "the query \"a(\" is not a regular expression: missing closing )");
}

#[test]
fn a_bad_selector_is_reported_with_its_flag() {
    fails("-l a=b=c=!", "--selector: \"a=b=c=!\" is not a label selector");
    fails("--field-selector a", "--field-selector: \"a\" is not a field selector");
    fails("web -n x*", "--namespace: \"x*\" cannot be a namespace");
}

#[test]
fn connection_flags_reach_the_plan() {
    let connect = cluster(
        "web --kubeconfig k --context c --cluster l --user u --server s --token t --certificate-authority ca \
         --client-certificate cc --client-key ck --tls-server-name n --as a --as-group g,h --as-group i --as-uid 7 \
         --as-user-extra k=v=w --request-timeout 30 --disable-compression --cache-dir d",
    )
    .connect;
    assert_eq!(connect.kubeconfig, Some("k".into()));
    assert_eq!(connect.context.as_deref(), Some("c"));
    assert_eq!(connect.cluster.as_deref(), Some("l"));
    assert_eq!(connect.user.as_deref(), Some("u"));
    assert_eq!(connect.server.as_deref(), Some("s"));
    assert_eq!(connect.token.as_ref().map(ExposeSecret::expose_secret), Some("t"));
    assert_eq!(connect.certificate_authority, Some("ca".into()));
    assert_eq!(connect.client_certificate, Some("cc".into()));
    assert_eq!(connect.client_key, Some("ck".into()));
    assert_eq!(connect.tls_server_name.as_deref(), Some("n"));
    assert_eq!(connect.as_user.as_deref(), Some("a"));
    assert_eq!(connect.as_groups, ["g,h", "i"]);
    assert_eq!(connect.as_uid.as_deref(), Some("7"));
    assert_eq!(connect.as_user_extra, [("k".to_owned(), "v=w".to_owned())]);
    assert_eq!(connect.request_timeout, Some(Duration::from_secs(30)));
    assert!(!connect.insecure_skip_tls_verify);
}

#[test]
fn an_empty_connection_flag_is_an_absent_one() {
    let connect = cluster("web --context '' --kubeconfig '' --as-group ''").connect;
    assert!(connect.context.is_none() && connect.kubeconfig.is_none() && connect.as_groups.is_empty());
}

#[test]
fn a_request_timeout_is_a_duration_or_seconds_and_0_is_none() {
    let timeout = |line| cluster(line).connect.request_timeout;
    assert_eq!(timeout("web --request-timeout 1m"), Some(Duration::from_secs(60)));
    assert_eq!(timeout("web --request-timeout 0"), None);
    assert_eq!(timeout("web --request-timeout 0s"), None);
    fails("web --request-timeout soon", "--request-timeout: \"soon\" is not a duration");
    fails("web --request-timeout -5", "--request-timeout: \"-5\" is negative");
}

#[test]
fn bad_connection_flags_are_reported() {
    fails("web --as-user-extra k", "--as-user-extra: \"k\" is not KEY=VALUE");
    fails("web --insecure-skip-tls-verify --certificate-authority ca", "contradict each other");
    fails("web --verbosity=-1", "--verbosity: -1 is not between 0 and 255");
}

#[test]
fn standard_input_needs_no_query_but_good_flags() {
    assert!(matches!(plan("--stdin").source, Source::Stdin));
    for line in [
        "--condition zzz --tail 0",
        "--selector a=b=c=!",
        "--since xyz",
        "--timestamps=zzz",
        "--timezone Mars/Base",
        "--pod-colors x",
        "-i (",
        "--no-follow --tail 0",
    ] {
        fails(&format!("--stdin {line}"), "");
    }
}

#[test]
fn each_switch_turns_its_own_thing() {
    let selection = cluster("web --ephemeral-containers=false").selection;
    assert!(selection.init_containers && !selection.ephemeral_containers);
    let selection = cluster("web --init-containers=false").selection;
    assert!(!selection.init_containers && selection.ephemeral_containers);
    let display = plan("web -d").display;
    assert!(display.diff_container && !display.only_log_lines);
    let display = plan("web --only-log-lines --verbosity 6").display;
    assert!(!display.diff_container && display.only_log_lines);
    assert_eq!(plan("web --verbosity 6").verbosity, 6);
}

#[test]
fn each_regex_narrows_its_own_thing() {
    let selection = cluster("web --exclude-pod p -c c -E x -E y").selection;
    let texts = |regexes: &[regex::Regex]| regexes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&selection.exclude_pod), ["p"]);
    assert_eq!(selection.container.as_str(), "c");
    assert_eq!(texts(&selection.exclude_container), ["x", "y"]);
}

#[test]
fn a_prompt_needs_a_terminal_to_ask_on() {
    fails("-p", "--prompt needs a terminal");
    let on_a_terminal =
        Environment { stdin_is_terminal: true, stderr_is_terminal: true, ..Environment::bare() };
    let Ok(Command::Run(args)) = cli::parse(["stern-rs", "-p"].map(OsString::from), &on_a_terminal) else {
        panic!()
    };
    let Source::Cluster(cluster) = Plan::new(&args, &on_a_terminal).unwrap().source else { panic!() };
    assert!(cluster.prompt);
    fails("-p deploy/web", "--prompt and a KIND/NAME query cannot be combined");
    assert!(matches!(plan("--stdin -p").source, Source::Stdin));
}

#[test]
fn long_lines_are_cut_unless_they_are_passed_as_they_are() {
    let limit = |line| plan(line).lines;
    assert_eq!(limit("web"), LineLimit { bytes: 1 << 20, spool: false });
    assert_eq!(limit("web --max-line 64KiB"), LineLimit { bytes: 64 << 10, spool: false });
    assert!(limit("web -o raw").spool);
    for line in ["-i a", "-e a", "-H a", "--max-line 1Mi", "--template x"] {
        assert!(!plan(&format!("web -o raw {line}")).lines.spool, "{line}");
    }
    assert!(limit("web --max-line 0").bytes >= 1 << 30);
    fails("web --max-line long", "--max-line: \"long\" is not a size such as");
}

#[test]
fn silences_and_ends_are_looked_into_unless_it_is_not_wanted() {
    let logs = |line| cluster(line).logs;
    assert_eq!((logs("web").idle_check, logs("web").confirm), (Some(Duration::from_secs(30)), true));
    assert_eq!(logs("web --idle-check 0").idle_check, None);
    assert!(!logs("web --confirm=false").confirm);
    fails("web --idle-check 5", "--idle-check: \"5\" has no unit");
}

#[test]
fn a_dry_run_needs_a_cluster() {
    fails("--stdin --dry-run", "--dry-run and --stdin cannot be combined");
}

#[test]
fn gaps_have_a_place_in_json_only() {
    assert!(plan("web --gaps -o json").display.gaps);
    fails("web --gaps", "--gaps works only with -o json");
    fails("web --gaps -o json --template x", "--gaps works only with -o json");
}

/// A value that is neither documented nor refused may mean anything.
#[test]
fn nothing_and_less_than_nothing_are_refused_or_documented() {
    let usage = include_str!("../../docs/usage.md");
    let documented = |flag: &str, unit: &str, value: &str| {
        let entry = usage.split("\n- ").find(|entry| {
            entry.contains(&format!("--{flag} {unit}`")) || entry.contains(&format!("--{flag}[={unit}]`"))
        });
        let entry = entry.and_then(|entry| entry.split("\n\n").next()).expect(flag);
        entry.split_whitespace().any(|word| word.trim_end_matches([',', ';', '.']) == value)
    };
    let mut seen = 0;
    for flag in flags::all() {
        let (flag, unit @ ("N" | "DURATION" | "SIZE")) = (flag.name, flag.value) else { continue };
        for (value, word) in [("0", "0"), ("0s", "0"), ("-1", "-1"), ("-1s", "-1"), ("-2", "-2")] {
            match try_plan(&format!("web --{flag}={value}")) {
                Ok(_) => assert!(documented(flag, unit, word), "--{flag}={value} is not documented"),
                Err(error) => assert!(error.starts_with(&format!("--{flag}: ")), "{error}"),
            }
        }
        seen += 1;
    }
    assert!(seen >= 12, "{seen}");
}
