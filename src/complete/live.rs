//! What exists, by name: in the kubeconfig, and in the cluster that the line typed so far means.

use futures::{future::join_all, join};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use kube::api::{ApiResource, ListParams};
use tokio::sync::mpsc;

use super::{beginning_with, in_list};
use crate::{
    cli::Args,
    cluster::{self, Cluster},
    notice::{Notice, Scope},
    plan::{ClusterPlan, Environment, Plan, Selects, Source, kind_of},
    select::{self, Selected},
    stats::Stats,
};

pub struct Live {
    wish: Box<ClusterPlan>,
}

impl Live {
    /// None where what is typed cannot mean anything.
    pub fn new(mut args: Args, env: &Environment) -> Option<Live> {
        args.query.get_or_insert_with(|| ".".into());
        match Plan::new(args, env).ok()?.source {
            Source::Cluster(wish) => Some(Live { wish }),
            Source::Stdin => None,
        }
    }

    /// The values of a flag that begin with `typed`.
    pub async fn values(&self, flag: &str, typed: &str) -> Vec<String> {
        let names = match flag {
            "namespace" => {
                return in_list(typed, self.names(&ApiResource::erase::<Namespace>(&()), None).await);
            }
            "node" => self.names(&ApiResource::erase::<Node>(&()), None).await,
            "container" | "exclude-container" => self.containers().await,
            "context" => self.named().contexts,
            "cluster" => self.named().clusters,
            "user" => self.named().users,
            _ => Vec::new(),
        };
        beginning_with(typed, names).collect()
    }

    /// The names of the objects of a kind, as the query says it.
    pub async fn of_kind(&self, kind: &str) -> Vec<String> {
        let resource = match kind_of(kind) {
            Some(Selects::Itself) => ApiResource::erase::<Pod>(&()),
            Some(Selects::Pods(kind)) => select::api_resource(kind),
            None => return Vec::new(),
        };
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let namespaces = self.wish.selection.namespaces.each(cluster.default_namespace());
        join_all(namespaces.into_iter().map(|namespace| self.names(&resource, namespace))).await.concat()
    }

    /// The containers that would be tailed.
    async fn containers(&self) -> Vec<String> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let (sender, mut selected) = mpsc::channel(64);
        let names = async {
            let mut names = Vec::new();
            while let Some(selected) = selected.recv().await {
                match selected {
                    Selected::Started { instance, .. } => names.push(instance.origin.container.clone()),
                    Selected::Notice(Notice { scope: Scope::Origin(waiting), .. }) => {
                        names.push(waiting.container.clone());
                    }
                    Selected::Notice(_) | Selected::Gone(_) => {}
                }
            }
            names
        };
        // What could not be read has no names.
        let (_, names) = join!(select::run(&cluster, &self.wish.selection, false, false, sender), names);
        names
    }

    async fn names(&self, resource: &ApiResource, namespace: Option<&str>) -> Vec<String> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let listed = cluster.list_metadata(resource, namespace, ListParams::default()).await;
        listed.unwrap_or_default().into_iter().filter_map(|object| object.name).collect()
    }

    fn cluster(&self) -> Option<Cluster> {
        Cluster::connect(&self.wish.connect, &self.wish.limits, None, Stats::default()).ok()
    }

    fn named(&self) -> cluster::Named {
        cluster::Named::load(&self.wish.connect).unwrap_or_default()
    }
}
