//! Lists of objects no more than their metadata, which is all that it takes to name them.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams, ObjectMeta},
};

use super::{Asked, Cluster, Error};

impl Cluster {
    /// What the apiserver has at hand, which may be a moment old: that spares it asking its storage. `namespace`: None
    /// is all, or for what has no namespace.
    pub async fn list_metadata(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        params: ListParams,
    ) -> Result<Vec<ObjectMeta>, Error> {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, resource),
            None => Api::all_with(self.client(), resource),
        };
        let listed = api.list_metadata(&params.match_any()).await.map_err(|error| {
            let (resource, namespace) = (resource.plural.clone(), namespace.map(str::to_owned));
            Error::from_kube(error, &Asked { verb: "list", resource, namespace, name: None })
        })?;
        Ok(listed.items.into_iter().map(|object| object.metadata).collect())
    }
}
