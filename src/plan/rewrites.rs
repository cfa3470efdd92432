//! What is shown in place of messages.

use std::sync::{Arc, OnceLock};

use super::{
    Display, Ending, FilterPlan,
    read::{given, wrong},
    redact::RedactPlan,
};
use crate::{
    cli::{Args, flags::structured::JQ},
    fields::Vocabulary,
    jq,
    usage_error::UsageError,
};

#[derive(Debug, Default)]
pub struct Rewrites {
    /// None: nothing is redacted.
    pub redact: Option<RedactPlan>,
    pub jq: Option<JqPlan>,
}

/// A program of jq for records.
#[derive(Debug, Default, Clone)]
pub struct JqPlan {
    /// It compiles.
    pub program: String,
    /// The context of the kubeconfig, once it is chosen.
    pub context: Arc<OnceLock<String>>,
    /// The words of the user's records.
    pub vocabulary: Vocabulary,
}

impl Rewrites {
    pub(super) fn new(
        args: &Args,
        filter: &FilterPlan,
        display: &Display,
        ending: &Ending,
        context: &Arc<OnceLock<String>>,
    ) -> Result<Rewrites, UsageError> {
        // Those to include are highlighted too.
        let patterns = filter.exclude.iter().chain(&display.highlight).chain(&ending.until_match);
        let redact = RedactPlan::new(args, patterns)?;
        let Some(program) = given(args, &JQ) else { return Ok(Rewrites { redact, jq: None }) };
        jq::check(program).map_err(|reason| wrong(&JQ, reason))?;
        let (program, context) = (program.to_owned(), context.clone());
        let vocabulary = filter.vocabulary.clone();
        Ok(Rewrites { redact, jq: Some(JqPlan { program, context, vocabulary }) })
    }

    /// Whether a line must be in memory to be rewritten.
    pub fn looks_into_lines(&self) -> bool {
        let Rewrites { redact, jq } = self;
        redact.is_some() || jq.is_some()
    }

    /// Whether a record must be whole to be rewritten.
    pub fn needs_whole_records(&self) -> bool {
        self.jq.is_some()
    }
}
