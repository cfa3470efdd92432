//! The data of a line for a template: stern's `Log`.

use gotemplate::{Host, Map, Object, Str, Value};

use super::color::Color;
use crate::origin::Origin;

pub struct Log<'l> {
    pub message: &'l [u8],
    /// Empty without `--timestamps`.
    pub timestamp: &'l [u8],
    pub origin: &'l Origin,
    pub pod_color: &'l Color<'l>,
    pub container_color: &'l Color<'l>,
}

const FIELDS: [&str; 10] = [
    "Message",
    "Timestamp",
    "NodeName",
    "Namespace",
    "PodName",
    "ContainerName",
    "Labels",
    "Annotations",
    "PodColor",
    "ContainerColor",
];

impl Host for Log<'_> {
    fn type_name(&self) -> &'static str {
        "stern.Log"
    }

    fn field(&self, name: &str) -> Option<Value<'_>> {
        let pod = &self.origin.pod;
        Some(match name {
            "Message" => Value::Str(Str::Borrowed(self.message)),
            "Timestamp" => Value::Str(Str::Borrowed(self.timestamp)),
            "NodeName" => Value::text(&pod.node),
            "Namespace" => Value::text(&pod.namespace),
            "PodName" => Value::text(&pod.name),
            "ContainerName" => Value::text(&self.origin.container),
            "Labels" => Value::Map(Map::Strings(pod.labels.as_ref())),
            "Annotations" => Value::Map(Map::Strings(pod.annotations.as_ref())),
            "PodColor" => Value::Object(Object::Borrowed(self.pod_color)),
            "ContainerColor" => Value::Object(Object::Borrowed(self.container_color)),
            _ => return None,
        })
    }

    fn fields(&self) -> Vec<(&'static str, Value<'_>)> {
        FIELDS.iter().filter_map(|&name| Some((name, self.field(name)?))).collect()
    }
}
