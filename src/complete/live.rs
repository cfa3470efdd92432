//! Completions by name, from the kubeconfig and from the cluster that the line typed so far selects.

use futures::{future::join_all, join};
use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::api::{ApiResource, ListParams};
use tokio::sync::mpsc;

use super::{beginning_with, in_list};
use crate::{
    cli::{Args, Positional, flags::Complete},
    cluster::{self, Cluster, Objects},
    completion::Completion,
    environment::Environment,
    notice::{Notice, Scope},
    plan::{ClusterPlan, Plan, Selection, Selects, Source, kind_of},
    select::{self, Selected},
    stats::Stats,
};

pub struct Live {
    plan: Box<ClusterPlan>,
}

impl Live {
    /// None if the typed flags are wrong.
    pub fn new(mut args: Args, env: &Environment) -> Option<Live> {
        if args.positionals.is_empty() {
            args.positionals.push(Positional { value: ".".into(), after: None });
        }
        match Plan::new(&args, env).ok()?.source {
            Source::Cluster(plan) => Some(Live { plan }),
            Source::Stdin => None,
        }
    }

    /// The values that begin with `typed`.
    pub async fn values(&self, completes: Complete, typed: &str) -> Vec<String> {
        let names = match completes {
            Complete::Namespaces => {
                return in_list(typed, self.names(&ApiResource::erase::<Namespace>(&()), None).await);
            }
            Complete::Nodes => self.names(&ApiResource::erase::<Node>(&()), None).await,
            Complete::Containers => self.containers().await,
            Complete::Contexts => self.named().contexts,
            Complete::Clusters => self.named().clusters,
            Complete::Users => self.named().users,
            _ => Vec::new(),
        };
        beginning_with(typed, names).collect()
    }

    /// The names of the objects of a kind, as spelled in a query.
    pub async fn of_kind(&self, kind: &str) -> Vec<String> {
        let resource = match kind_of(kind) {
            Some(Selects::Itself) => select::pods(),
            Some(Selects::Pods(kind)) => select::api_resource(kind),
            None => return Vec::new(),
        };
        let Some(cluster) = self.cluster().await else { return Vec::new() };
        let namespaces = self.plan.selection.namespaces.each(cluster.default_namespace());
        join_all(namespaces.into_iter().map(|namespace| self.names(&resource, namespace))).await.concat()
    }

    /// The containers that would be tailed.
    async fn containers(&self) -> Vec<String> {
        let Some(cluster) = self.cluster().await else { return Vec::new() };
        let (sender, mut selected) = mpsc::channel(64);
        let names = async {
            let mut names = Vec::new();
            while let Some(selected) = selected.recv().await {
                match selected {
                    Selected::Started { instance, .. } => names.push(instance.origin.container.clone()),
                    Selected::Notice(Notice { scope: Scope::Origin(waiting), .. }) => {
                        names.push(waiting.container.clone());
                    }
                    Selected::Notice(_) | Selected::LeftOut(_) | Selected::Gone(_) | Selected::Listed => {}
                }
            }
            names
        };
        // Objects that cannot be read have no names.
        let selection = Selection { on_complete: false, ..self.plan.selection.clone() };
        let completion = Completion::default();
        let (_, names) =
            join!(select::run(&cluster, &selection, false, None, false, &completion, sender), names);
        names
    }

    async fn names(&self, resource: &ApiResource, namespace: Option<&str>) -> Vec<String> {
        let Some(cluster) = self.cluster().await else { return Vec::new() };
        let objects = Objects::new(resource.clone(), namespace);
        let listed = cluster.list_metadata(&objects, ListParams::default()).await;
        listed.unwrap_or_default().into_iter().map(|object| object.name).collect()
    }

    async fn cluster(&self) -> Option<Cluster> {
        Cluster::connect(&self.plan.connect, &self.plan.limits, None, Stats::default()).await.ok()
    }

    fn named(&self) -> cluster::Named {
        cluster::Named::load(&self.plan.connect).unwrap_or_default()
    }
}
