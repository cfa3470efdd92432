//! Lets the user pick the pods to tail: a value of the label `app.kubernetes.io/instance`.

use std::{collections::BTreeSet, io::Write};

use futures::future::join_all;
use inquire::{InquireError, Select, ui::RenderConfig};
use kube::api::ListParams;

use crate::{
    cleanup::Cleanup,
    cluster::{Cluster, Error, Meta, Objects},
    io::Io,
    plan::{Query, Selection, name::is_label_value},
    platform::terminal::Settings,
    select,
};

const LABEL: &str = "app.kubernetes.io/instance";

/// Asks on standard error, since standard output is for lines. Returns the label selector with the choice added; None
/// if the user cancelled.
pub async fn pick(cluster: &Cluster, selection: &Selection, color: bool) -> Result<Option<String>, Error> {
    let instances = instances(cluster, selection).await?;
    if instances.is_empty() {
        let place = selection.namespaces.described(cluster.default_namespace());
        return Err(Error::invalid(format!(
            "--prompt: no pod in {place} has the label {LABEL}; choose other namespaces with -n or -A, or give a pattern"
        )));
    }
    let terminal = restored();
    let asked = tokio::task::spawn_blocking(move || ask(instances, color)).await;
    // The prompt ended, and restored the terminal itself.
    if let Some(terminal) = terminal {
        terminal.forget();
    }
    let asked = asked.map_err(|error| Error::invalid(format!("--prompt: {error}")))?;
    Ok(asked?.map(|instance| {
        let given = selection.label_selector.iter().map(|labels| format!("{labels},")).collect::<String>();
        format!("{given}{LABEL}={instance}")
    }))
}

/// The instances of the pods that the rest of the selection matches.
async fn instances(cluster: &Cluster, selection: &Selection) -> Result<BTreeSet<String>, Error> {
    let params = ListParams {
        label_selector: selection.label_selector.clone(),
        field_selector: selection.field_selector.clone(),
        ..ListParams::default()
    };
    let namespaces = selection.namespaces.each(cluster.default_namespace());
    let places: Vec<_> =
        namespaces.into_iter().map(|namespace| Objects::new(select::pods(), namespace)).collect();
    let lists = places.iter().map(|pods| cluster.list_metadata(pods, params.clone()));
    let (mut found, mut failed) = (BTreeSet::new(), None);
    for list in join_all(lists).await {
        match list {
            Ok(pods) => found.extend(pods.into_iter().filter_map(|pod| instance(pod, &selection.query))),
            Err(error) => failed = Some(error),
        }
    }
    // An error in one namespace is reported when it is tailed.
    failed.filter(|_| found.is_empty()).map_or(Ok(found), Err)
}

fn instance(mut pod: Meta, query: &Query) -> Option<String> {
    let is_meant = match query {
        Query::Regex(regex) => regex.is_match(&pod.name),
        Query::Pod(name) => pod.name == *name,
        Query::Resource { .. } => true,
    };
    // A value that no label can have cannot be selected.
    pod.labels.remove(LABEL).filter(|value| is_meant && !value.is_empty() && is_label_value(value))
}

fn ask(instances: BTreeSet<String>, color: bool) -> Result<Option<String>, Error> {
    let picked = Select::new(&format!("{LABEL}:"), instances.into_iter().collect())
        // Keeps their order.
        .with_sorter(&|_| {})
        .with_render_config(if color { RenderConfig::default_colored() } else { RenderConfig::empty() })
        .prompt();
    match picked {
        Ok(instance) => Ok(Some(instance)),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => Ok(None),
        Err(error) => Err(Error::invalid(format!("--prompt: cannot show the prompt: {error}"))),
    }
}

/// Restores the terminal's settings: a signal may end the run during the prompt.
fn restored() -> Option<Cleanup> {
    let found = Settings::of_stdin()?;
    Some(Cleanup::new(move || {
        found.restore();
        // Ends bracketed paste and shows the cursor.
        let _ = write!(Io::process_stderr(), "\x1b[?2004l\x1b[?25h\r\n");
    }))
}
