//! The report of what was read.

use jiff::tz::TimeZone;

use super::{
    FilterPlan,
    display::timezone,
    read::{error, given, none_of},
};
use crate::{
    cli::{
        Args,
        flags::{logs::STDIN, structured as flags},
    },
    environment::Environment,
    fields::Vocabulary,
    usage_error::UsageError,
};

#[derive(Debug, Clone)]
pub struct SummaryPlan {
    /// Names of fields whose values are counted.
    pub fields: Vec<String>,
    pub format: SummaryFormat,
    pub timezone: TimeZone,
    pub from_stdin: bool,
    pub vocabulary: Vocabulary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryFormat {
    Text,
    Json,
}

impl SummaryPlan {
    /// None: there is no report.
    pub(super) fn new(
        args: &Args,
        filter: &FilterPlan,
        env: &Environment,
    ) -> Result<Option<SummaryPlan>, UsageError> {
        let format = match given(args, &flags::SUMMARY_FORMAT) {
            None | Some("text") => SummaryFormat::Text,
            Some("json") => SummaryFormat::Json,
            Some(other) => return Err(none_of(&flags::SUMMARY_FORMAT, other, flags::SUMMARY_FORMATS)),
        };
        let fields = match given(args, &flags::SUMMARY) {
            None | Some("false") => return Ok(None),
            // Without fields, as a config file says it too.
            Some("true") => Vec::new(),
            Some(fields) => fields.split(',').map(|field| field.trim().to_owned()).collect(),
        };
        if fields.iter().any(String::is_empty) {
            return Err(error(
                "--summary: a name is missing between commas; give names of fields, such as duration,status",
            ));
        }
        Ok(Some(SummaryPlan {
            fields,
            format,
            timezone: timezone(args, env)?,
            from_stdin: args.get(&STDIN),
            vocabulary: filter.vocabulary.clone(),
        }))
    }
}
