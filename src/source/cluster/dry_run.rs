//! `--dry-run`: the containers to tail, by owner and node, and the cost of tailing them; no log is opened.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};

use unicode_width::UnicodeWidthStr;

use crate::{
    cluster::{MOST_ALONE, MOST_STREAMS, PAGE},
    origin::Origin,
    plan::{ClusterPlan, Limits, Namespaces},
    schedule,
    shown::one_line,
};

/// The widest cell in columns: an owner can have any name.
const WIDEST: usize = 250;

/// The containers that would be tailed.
pub struct DryRun {
    origins: Vec<Arc<Origin>>,
    cost: Cost,
}

/// The cost of the start.
#[derive(Debug, PartialEq)]
struct Cost {
    /// Containers whose logs would be followed, or read at once.
    streams: usize,
    /// The node with the most streams, and their number.
    busiest: Option<(String, usize)>,
    /// Containers that would be polled, and the interval.
    polled: usize,
    turn: Duration,
    /// Containers that would wait for others to end.
    waiting: usize,
    /// Lists, watches, and one request for each log; more if ends are confirmed.
    requests: usize,
    connections: usize,
    /// The time that the limit on requests alone would take.
    time: Duration,
}

impl DryRun {
    /// `round_trip`: to the apiserver and back.
    pub fn new(mut origins: Vec<Arc<Origin>>, plan: &ClusterPlan, round_trip: Option<Duration>) -> DryRun {
        // Sorts by owner and node; the containers of a pod keep their order.
        origins.sort_by_cached_key(|origin| {
            let pod = &origin.pod;
            [pod.namespace.clone(), owner(origin), pod.node.clone(), pod.name.clone()]
        });
        let cost = Cost::of(&origins, plan, round_trip);
        DryRun { origins, cost }
    }

    fn rows(&self) -> impl Iterator<Item = [String; 5]> {
        let heads = ["NAMESPACE", "OWNER", "NODE", "POD", "CONTAINER"].map(str::to_owned);
        let rows = self.origins.iter().map(|origin| {
            let pod = &origin.pod;
            let cells = [&pod.namespace, &owner(origin), &pod.node, &pod.name, &origin.container];
            cells.map(|text| cell(text))
        });
        std::iter::once(heads).chain(rows)
    }
}

fn cell(text: &str) -> String {
    let mut cell = one_line(text, WIDEST);
    while cell.width() > WIDEST {
        cell.truncate(cell.trim_end_matches('…').char_indices().next_back().map_or(0, |(last, _)| last));
        cell.push('…');
    }
    cell
}

fn owner(origin: &Origin) -> String {
    let owner = origin.pod.owner.as_ref();
    owner.map_or_else(|| "-".to_owned(), |owner| format!("{}/{}", owner.kind, owner.name))
}

impl fmt::Display for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; 5];
        for row in self.rows() {
            for (width, text) in widths.iter_mut().zip(&row) {
                *width = text.width().max(*width);
            }
        }
        for row in self.rows() {
            let [cells @ .., last] = &row;
            for (text, width) in cells.iter().zip(widths) {
                write!(f, "{text}{}", " ".repeat(width - text.width() + 2))?;
            }
            writeln!(f, "{last}")?;
        }
        let distinct = |key: fn(&Origin) -> String| {
            self.origins.iter().map(|origin| key(origin)).collect::<BTreeSet<String>>().len()
        };
        let (pods, owners) = (distinct(|origin| origin.pod.identity.clone()), distinct(owner));
        let nodes = distinct(|origin| origin.pod.node.clone());
        let containers = self.origins.len();
        writeln!(f, "\ncontainers   {containers} of {pods} pods, {owners} owners, on {nodes} nodes")?;
        self.cost.fmt(f)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "streams      {} at once", self.streams)?;
        if let Some((node, count)) = &self.busiest {
            write!(f, ", at most {count} on {node}")?;
        }
        if self.polled > 0 {
            write!(f, "; {} polled every ~{} s", self.polled, self.turn.as_secs())?;
        }
        if self.waiting > 0 {
            write!(f, "; {} wait for others to end", self.waiting)?;
        }
        writeln!(f, "\nconnections  {}", self.connections)?;
        let seconds = self.time.as_secs_f64();
        writeln!(f, "requests     {} at the start; --qps allows them in {seconds:.1} s", self.requests)
    }
}

impl Cost {
    fn of(origins: &[Arc<Origin>], plan: &ClusterPlan, round_trip: Option<Duration>) -> Cost {
        let Limits { qps, burst, log_requests, max_streams_per_node, .. } = plan.limits;
        let max_log_requests = log_requests.at(round_trip);
        let http1 = plan.connect.http1;
        let follow = plan.logs.follow;
        let mut nodes: HashMap<&str, usize> = HashMap::new();
        for origin in origins {
            *nodes.entry(&origin.pod.node).or_default() += 1;
        }
        let a_node = if follow { max_streams_per_node } else { usize::MAX };
        let allowed: usize = nodes.values().map(|count| *count.min(&a_node)).sum();
        let over = origins.len() > max_log_requests || allowed < origins.len();
        let most =
            if follow && over { schedule::followed_of_many(max_log_requests) } else { max_log_requests };
        let streams = allowed.min(most);
        let rest = origins.len() - streams;
        let busiest = nodes.into_iter().max_by_key(|(node, count)| (*count, std::cmp::Reverse(*node)));
        let namespaces = match &plan.selection.namespaces {
            Namespaces::Some(names) => names.len(),
            Namespaces::Default | Namespaces::All => 1,
        };
        let pods = origins.iter().map(|origin| &origin.pod.identity).collect::<BTreeSet<_>>().len();
        // A list comes in pages; each namespace has its own watch.
        let scopes = namespaces.max(pods.div_ceil(PAGE as usize)) + if follow { namespaces } else { 0 };
        // A log that gave the requested number of lines needs no confirmation.
        let confirmed = !follow && plan.logs.confirm && plan.logs.tail.is_none();
        let logs = origins.len() * if confirmed { 2 } else { 1 };
        let requests = scopes + logs;
        let beyond = requests.saturating_sub(burst as usize) as f64;
        let polled = if follow { rest } else { 0 };
        Cost {
            streams,
            busiest: busiest.map(|(node, count)| (node.to_owned(), count.min(a_node).min(streams))),
            polled,
            turn: schedule::shortest_round(polled, qps),
            waiting: rest - polled,
            requests,
            connections: 1 + match (http1, follow) {
                (true, _) => streams.max(1),
                (false, true) => streams.div_ceil(MOST_STREAMS).max(1),
                (false, false) => streams.min(MOST_ALONE) + usize::from(streams > MOST_ALONE),
            },
            time: qps.map_or(Duration::ZERO, |qps| Duration::from_secs_f64(beyond / qps)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::{self, Command},
        environment::Environment,
        origin::{Owner, PodInfo},
        plan::{Plan, Source},
    };

    fn origin(pod: usize, node: &str, container: &str) -> Arc<Origin> {
        let owner = Owner { kind: "ReplicaSet".into(), name: format!("web-{}", pod % 2) };
        let pod = PodInfo {
            namespace: "shop".into(),
            name: format!("web-{pod}"),
            identity: pod.to_string(),
            node: node.into(),
            owner: Some(owner),
            ..PodInfo::default()
        };
        Arc::new(Origin { pod: Arc::new(pod), container: container.into(), ..Origin::default() })
    }

    fn plan(line: &str) -> ClusterPlan {
        let argv = std::iter::once("stern-rs").chain(line.split(' ')).map(Into::into);
        let Ok(Command::Run(args)) = cli::parse(argv, &Environment::bare()) else { panic!("not a run") };
        match Plan::new(&args, &Environment::bare()).expect("a plan").source {
            Source::Cluster(plan) => *plan,
            Source::Stdin => panic!("not a cluster"),
        }
    }

    fn cost(containers: usize, line: &str) -> Cost {
        cost_from(containers, line, None)
    }

    fn cost_from(containers: usize, line: &str, round_trip: Option<Duration>) -> Cost {
        let node = |n: usize| if n.is_multiple_of(3) { "node-b" } else { "node-a" };
        let origins: Vec<_> = (0..containers).map(|n| origin(n, node(n), "app")).collect();
        Cost::of(&origins, &plan(line), round_trip)
    }

    #[test]
    fn it_lists_by_owner_and_node() {
        let origins =
            vec![origin(1, "node-a", "app"), origin(2, "node-b", "app"), origin(3, "node-a", "app")];
        let text = DryRun::new(origins, &plan("web"), None).to_string();
        let wanted = "\
NAMESPACE  OWNER             NODE    POD    CONTAINER
shop       ReplicaSet/web-0  node-b  web-2  app
shop       ReplicaSet/web-1  node-a  web-1  app
shop       ReplicaSet/web-1  node-a  web-3  app

containers   3 of 3 pods, 2 owners, on 2 nodes
streams      3 at once, at most 2 on node-a
connections  2
requests     5 at the start; --qps allows them in 0.0 s
";
        assert_eq!(text, wanted);
    }

    #[test]
    fn columns_are_aligned_and_bounded_whatever_an_owner_is_called() {
        let named = |name: &str, pod: usize| {
            let mut origin = Arc::into_inner(origin(pod, "n", "app")).unwrap();
            let mut info = Arc::into_inner(origin.pod).unwrap();
            info.owner = Some(Owner { kind: "K".into(), name: name.into() });
            origin.pod = Arc::new(info);
            Arc::new(origin)
        };
        let names = ["유니코드", "a", &"x".repeat(70_000)];
        let origins = names.iter().enumerate().map(|(pod, name)| named(name, pod)).collect();
        let text = DryRun::new(origins, &plan("web"), None).to_string();
        let rows: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        let column = |row: &&str| row.find("  n ").map(|at| row[..at].width());
        let columns: Vec<_> = rows.iter().filter_map(column).collect();
        assert_eq!(columns.len(), 3);
        assert!(columns.iter().all(|column| *column == columns[0] && *column < 280), "{columns:?}");
    }

    #[test]
    fn containers_beyond_the_streams_are_read_in_turn() {
        let cost = cost(430, "web");
        assert_eq!((cost.streams, cost.polled, cost.waiting), (45, 385, 0));
        // The first burst may use all requests; then half of the rate.
        assert_eq!(cost.time, Duration::from_secs_f64((432.0 - 100.0) / 50.0));
        assert_eq!(cost.turn, Duration::from_secs(15));
        assert!(cost.to_string().contains("; 385 polled every ~15 s\n"), "{cost}");
    }

    #[test]
    fn with_few_places_one_is_followed() {
        let streams = |places: usize| {
            let cost = cost(5, &format!("web --max-log-requests {places}"));
            (cost.streams, cost.polled)
        };
        assert_eq!([1, 2, 3, 5].map(streams), [(1, 4), (1, 4), (2, 3), (5, 0)]);
    }

    #[test]
    fn without_following_the_rest_waits_and_each_end_is_confirmed() {
        let cost = cost(20, "web --no-follow");
        assert_eq!((cost.streams, cost.polled, cost.waiting, cost.requests), (5, 0, 15, 41));
        assert_eq!(self::cost(20, "web --no-follow --tail 1").requests, 21);
    }

    #[test]
    fn without_following_more_are_read_at_once_from_far_away() {
        let cost = cost_from(60, "web --no-follow", Some(Duration::from_millis(100)));
        assert_eq!((cost.streams, cost.waiting, cost.connections), (30, 30, 10));
    }

    #[test]
    fn a_node_has_its_own_limit() {
        let cost = cost(300, "web --max-log-requests 1000 --max-streams-per-node 150");
        assert_eq!((cost.streams, cost.polled), (250, 50));
        assert_eq!(cost.busiest, Some(("node-a".to_owned(), 150)));
    }

    #[test]
    fn streams_share_connections() {
        assert_eq!(cost(250, "web --max-log-requests 1000 --max-streams-per-node 1000").connections, 4);
    }
}
