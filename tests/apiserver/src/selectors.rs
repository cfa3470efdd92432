//! Label and field selectors, as a query has them.

use crate::resources::Resource;

/// The conditions that a selected object meets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, String, bool)>,
}

#[derive(Debug, Clone)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// An error is the apiserver's message for a 400.
    pub fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, String> {
        let fields = parse_fields(resource, labels, fields)?;
        let labels = split(labels).into_iter().map(parse_requirement).collect::<Result<_, _>>()?;
        Ok(Selector { labels, fields })
    }

    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn covers<'a>(
        &self,
        label: impl Fn(&str) -> Option<&'a str>,
        field: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        let has =
            |key: &str, values: &[String]| label(key).is_some_and(|v| values.iter().any(|value| value == v));
        self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => has(key, values),
            Requirement::NotIn(key, values) => !has(key, values),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
        }) && self
            .fields
            .iter()
            .all(|(key, value, equal)| (field(key).unwrap_or_default() == value) == *equal)
    }
}

/// Commas separate requirements, except within parentheses.
fn split(selector: &str) -> Vec<&str> {
    let mut depth = 0;
    selector
        .split(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn parse_requirement(text: &str) -> Result<Requirement, String> {
    let one = |key: &str, value: &str| (key.trim().to_owned(), vec![value.trim().to_owned()]);
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement::Absent(key.trim().to_owned()));
    }
    if let Some((head, values)) = text.split_once('(') {
        let values = values.trim_end_matches(')').split(',').map(|value| value.trim().to_owned()).collect();
        return match head.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => Ok(Requirement::In(key.to_owned(), values)),
            [key, "notin"] => Ok(Requirement::NotIn(key.to_owned(), values)),
            [_, operator] => Err(misunderstood(operator)),
            _ => Err(misunderstood(head)),
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        let (key, values) = one(key, value);
        return Ok(Requirement::NotIn(key, values));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        let (key, values) = one(key, value);
        return Ok(Requirement::In(key, values));
    }
    match text.split_once(char::is_whitespace) {
        None => Ok(Requirement::Exists(text.to_owned())),
        Some((_, operator)) => Err(misunderstood(operator.trim())),
    }
}

fn misunderstood(found: &str) -> String {
    // The apiserver has this unpaired quote.
    format!("unable to parse requirement: found '{found}', expected: '=', '!=', '==', 'in', notin'")
}

fn parse_fields(
    resource: &Resource,
    labels: &str,
    fields: &str,
) -> Result<Vec<(String, String, bool)>, String> {
    let mut parsed = Vec::new();
    for part in fields.split(',').filter(|part| !part.is_empty()) {
        let (key, value, equal) = if let Some((key, value)) = part.split_once("!=") {
            (key, value, false)
        } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (key, value, true)
        } else {
            return Err(format!("invalid field selector: {part:?}: couldn't understand {part:?}"));
        };
        let namespaced = resource.namespaced && key == "metadata.namespace";
        if key != "metadata.name" && !namespaced && !resource.fields.contains(&key) {
            let Resource { group, plural, .. } = resource;
            return Err(format!(
                "Unable to find \"{group}/v1, Resource={plural}\" that match label selector \"{labels}\", \
                 field selector \"{fields}\": field label not supported: {key}"
            ));
        }
        parsed.push((key.to_owned(), value.to_owned(), equal));
    }
    Ok(parsed)
}
