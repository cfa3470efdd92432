//! Lets the user pick what to tail: a value of the label `app.kubernetes.io/instance`.

use std::{
    collections::BTreeSet,
    io::{Write, stderr, stdin},
};

use futures::future::join_all;
use inquire::{InquireError, Select, ui::RenderConfig};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, ListParams, ObjectMeta};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{
    cluster::{Cluster, Error},
    plan::{Query, Selection},
};

const LABEL: &str = "app.kubernetes.io/instance";

/// Asks on standard error, since standard output is for lines. Gives the selection's label selector with what was
/// picked added to it; None where the user left.
pub async fn pick(cluster: &Cluster, selection: &Selection, color: bool) -> Result<Option<String>, Error> {
    let instances = instances(cluster, selection).await?;
    if instances.is_empty() {
        let place = selection.namespaces.described(cluster.default_namespace());
        return Err(Error::invalid(format!(
            "--prompt: no pod in {place} has the label {LABEL}; look elsewhere with -n or -A, or say a pattern"
        )));
    }
    let terminal = Terminal::found();
    let asked = tokio::task::spawn_blocking(move || ask(instances, color)).await;
    terminal.forget();
    let asked = asked.map_err(|error| Error::invalid(format!("--prompt: {error}")))?;
    Ok(asked?.map(|instance| {
        let said = selection.label_selector.iter().map(|labels| format!("{labels},")).collect::<String>();
        format!("{said}{LABEL}={instance}")
    }))
}

/// Those of the pods that the rest of the selection leaves.
async fn instances(cluster: &Cluster, selection: &Selection) -> Result<BTreeSet<String>, Error> {
    let pods = ApiResource::erase::<Pod>(&());
    let params = ListParams {
        label_selector: selection.label_selector.clone(),
        field_selector: selection.field_selector.clone(),
        ..ListParams::default()
    };
    let namespaces = selection.namespaces.each(cluster.default_namespace());
    let lists =
        namespaces.into_iter().map(|namespace| cluster.list_metadata(&pods, namespace, params.clone()));
    let (mut found, mut failed) = (BTreeSet::new(), None);
    for list in join_all(lists).await {
        match list {
            Ok(pods) => found.extend(pods.into_iter().filter_map(|pod| instance(pod, &selection.query))),
            Err(error) => failed = Some(error),
        }
    }
    // What cannot be read is told when it is tailed.
    failed.filter(|_| found.is_empty()).map_or(Ok(found), Err)
}

fn instance(pod: ObjectMeta, query: &Query) -> Option<String> {
    let is_meant = match query {
        Query::Regex(regex) => regex.is_match(pod.name.as_deref()?),
        Query::Pod(name) => pod.name.as_ref() == Some(name),
        Query::Resource { .. } => true,
    };
    pod.labels?.remove(LABEL).filter(|value| is_meant && !value.is_empty())
}

fn ask(instances: BTreeSet<String>, color: bool) -> Result<Option<String>, Error> {
    let picked = Select::new(&format!("{LABEL}:"), instances.into_iter().collect())
        // They stay in their order.
        .with_sorter(&|_| {})
        .with_render_config(if color { RenderConfig::default_colored() } else { RenderConfig::empty() })
        .prompt();
    match picked {
        Ok(instance) => Ok(Some(instance)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(error) => Err(Error::invalid(format!("--prompt: cannot ask: {error}"))),
    }
}

/// The terminal as it was found. A signal may end the run in the midst of the question: then it is left that way too.
struct Terminal(Option<Termios>);

impl Terminal {
    fn found() -> Terminal {
        Terminal(tcgetattr(stdin()).ok())
    }

    /// It was asked to the end, and is so already.
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(found) = &self.0 else { return };
        // Where the terminal is gone there is nothing to mend.
        let _ = tcsetattr(stdin(), OptionalActions::Now, found);
        // Pasting is plain again and the cursor is seen.
        let _ = write!(stderr(), "\x1b[?2004l\x1b[?25h\r\n");
    }
}
