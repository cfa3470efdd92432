//! Which containers to tail.

use regex::Regex;

use super::{
    name, pattern,
    query::{self, Query},
    read::{each, error, given, none_of, parsed, split, wrong},
    selector,
};
use crate::{
    cli::{
        Args,
        flags::{Flag, List, ending::EXIT_ON_COMPLETE, logs::WITH_PREVIOUS, selection as flags},
    },
    usage_error::UsageError,
};

#[derive(Debug, Clone)]
pub struct Selection {
    pub namespaces: Namespaces,
    pub query: Query,
    pub label_selector: Option<String>,
    /// `--field-selector` and `--node`, joined.
    pub field_selector: Option<String>,
    pub exclude_pod: Vec<Regex>,
    pub container: Regex,
    pub exclude_container: Vec<Regex>,
    pub states: ContainerStates,
    pub condition: Option<Condition>,
    pub init_containers: bool,
    pub ephemeral_containers: bool,
    /// Also the instance before the current one.
    pub with_previous: bool,
    /// Whether it ends once the selected pods have completed.
    pub on_complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespaces {
    /// The namespace of the kubeconfig's context.
    Default,
    /// At least one, each once, in the order given.
    Some(Vec<String>),
    All,
}

/// The states in which a container is selected when it is first seen at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerStates {
    pub running: bool,
    pub waiting: bool,
    pub terminated: bool,
}

/// `--condition`: a pod condition and the status it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As the apiserver spells it, such as `Ready`.
    pub name: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
}

impl Selection {
    pub(super) fn new(args: &Args, query: &str) -> Result<Selection, UsageError> {
        let parsed_query = query::parse(query).map_err(error)?;
        let label_selector = parsed(args, &flags::SELECTOR, selector::check_labels)?;
        if label_selector.is_some() && query.contains('/') {
            return Err(error("--selector and a KIND/NAME query cannot be combined; remove one"));
        }
        let container = pattern::name(args.get(&flags::CONTAINER).unwrap_or_default());
        Ok(Selection {
            namespaces: Namespaces::new(args)?,
            query: parsed_query,
            label_selector,
            field_selector: field_selector(args)?,
            exclude_pod: patterns(args, &flags::EXCLUDE_POD)?,
            container: container.map_err(|reason| wrong(&flags::CONTAINER, reason))?,
            exclude_container: patterns(args, &flags::EXCLUDE_CONTAINER)?,
            states: ContainerStates::new(args)?,
            condition: parsed(args, &flags::CONDITION, condition)?,
            init_containers: args.get(&flags::INIT_CONTAINERS),
            ephemeral_containers: args.get(&flags::EPHEMERAL_CONTAINERS),
            with_previous: args.get(&WITH_PREVIOUS),
            on_complete: args.get(&EXIT_ON_COMPLETE),
        })
    }
}

fn patterns(args: &Args, flag: &Flag<List>) -> Result<Vec<Regex>, UsageError> {
    each(args, flag, pattern::name_of(args.get(flag).len()))
}

impl Namespaces {
    fn new(args: &Args) -> Result<Namespaces, UsageError> {
        let mut names: Vec<String> = Vec::new();
        for namespace in split(args, &flags::NAMESPACE).filter(|namespace| !namespace.is_empty()) {
            if !name::is_label(namespace) {
                let reason = format!(
                    "\"{namespace}\" cannot be a namespace; give full names as a,b, or use -A for all"
                );
                return Err(wrong(&flags::NAMESPACE, reason));
            }
            if !names.iter().any(|known| known == namespace) {
                names.push(namespace.to_owned());
            }
        }
        Ok(match names {
            _ if args.get(&flags::ALL_NAMESPACES) => Namespaces::All,
            names if names.is_empty() => Namespaces::Default,
            names => Namespaces::Some(names),
        })
    }

    /// Each of them; None is all. `default` is the namespace of the context.
    pub fn each<'a>(&'a self, default: &'a str) -> Vec<Option<&'a str>> {
        match self {
            Namespaces::All => vec![None],
            Namespaces::Default => vec![Some(default)],
            Namespaces::Some(names) => names.iter().map(|name| Some(name.as_str())).collect(),
        }
    }

    /// For messages, after "in".
    pub fn described(&self, default: &str) -> String {
        match self.each(default)[..] {
            [None] => "any namespace".to_owned(),
            [Some(name)] => format!("namespace \"{name}\""),
            ref names => {
                format!("namespaces {}", names.iter().flatten().copied().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn field_selector(args: &Args) -> Result<Option<String>, UsageError> {
    let fields = parsed(args, &flags::FIELD_SELECTOR, selector::check_fields)?;
    let node = given(args, &flags::NODE);
    if let Some(node) = node.filter(|node| !name::is_subdomain(node)) {
        let reason = format!("\"{node}\" cannot be the name of a node; give the full name");
        return Err(wrong(&flags::NODE, reason));
    }
    let terms: Vec<_> = fields.into_iter().chain(node.map(|node| format!("spec.nodeName={node}"))).collect();
    Ok(Some(terms.join(",")).filter(|selector| !selector.is_empty()))
}

impl ContainerStates {
    pub const ALL: Self = Self { running: true, waiting: true, terminated: true };
    const NONE: Self = Self { running: false, waiting: false, terminated: false };

    fn new(args: &Args) -> Result<Self, UsageError> {
        let mut states = Self::NONE;
        for state in split(args, &flags::CONTAINER_STATE).filter(|state| !state.is_empty()) {
            match state {
                "running" => states.running = true,
                "waiting" => states.waiting = true,
                "terminated" => states.terminated = true,
                "all" => states = Self::ALL,
                _ => return Err(none_of(&flags::CONTAINER_STATE, state, flags::STATES)),
            }
        }
        Ok(if states == Self::NONE { Self::ALL } else { states })
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    const STATUSES: [&str; 3] = ["True", "False", "Unknown"];
    let (given, status) = text.split_once('=').unwrap_or((text, "True"));
    let name = flags::CONDITIONS
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(given))
        .ok_or_else(|| format!("\"{given}\" is none of {}", flags::CONDITIONS.join(", ")))?;
    let status = STATUSES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(status))
        .ok_or_else(|| format!("\"{status}\" is none of true, false or unknown, as in {name}=false"))?;
    Ok(Condition { name, status })
}
