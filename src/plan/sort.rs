//! `--sort`: the order in which lines are shown.

use std::time::Duration;

use super::{duration, read::parsed};
use crate::{
    cli::{Args, flags::output::SORT},
    usage_error::UsageError,
};

/// The longest window. Lines wait for it in memory.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// The order of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderPlan {
    /// As lines arrive.
    Arrival,
    /// By the time at which lines were written.
    ByTime {
        /// The longest time that a line waits for older ones of other containers, once all that was written before is
        /// shown.
        window: Duration,
    },
}

impl OrderPlan {
    pub(super) fn new(args: &Args) -> Result<OrderPlan, UsageError> {
        let window = parsed(args, &SORT, window)?.flatten();
        Ok(window.map_or(OrderPlan::Arrival, |window| OrderPlan::ByTime { window }))
    }

    pub fn is_by_time(self) -> bool {
        self != OrderPlan::Arrival
    }
}

/// The window, if there is one.
fn window(text: &str) -> Result<Option<Duration>, String> {
    let window = match text {
        "true" => duration::parse(SORT.entry.bare.unwrap_or_default())?,
        "false" => return Ok(None),
        text => duration::parse(text)?,
    };
    match window > LONGEST {
        true => Err(format!("\"{text}\" is longer than 5m, and no line is shown before that")),
        false => Ok(Some(window)),
    }
}
