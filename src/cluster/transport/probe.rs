//! Asks a server from which nothing comes whether it is there: one that hangs still takes connections, and its kernel
//! answers for it.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::Request;
use tokio::time::{Instant, sleep_until};

use super::{super::exchange::AnswerMode, Transport};
use crate::purpose::Purpose;

/// How long nothing comes before it is asked, and from one question to the next.
const QUIET: Duration = Duration::from_secs(10);

impl Transport {
    /// The outcome of each question is noted with that of all requests.
    pub async fn probe_whenever_silent(&self) -> Infallible {
        let mut asked = None::<Instant>;
        loop {
            let heard = self.pulse.last();
            sleep_until(asked.map_or(heard, |asked| asked.max(heard)) + QUIET).await;
            if self.pulse.last() == heard {
                asked = Some(Instant::now());
                self.probe().await;
            }
        }
    }

    /// Asks for as little as there is. Any answer will do, a refusal too, and so will credentials that have expired; where
    /// there are none yet, nothing was asked so far.
    async fn probe(&self) {
        let Some(credential) = self.auth.at_hand() else { return };
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = http::Uri::from_static("/version");
        let _ = self.attempt(&request, &credential, Purpose::Probe, AnswerMode::Probe).await;
    }
}

#[cfg(test)]
mod tests;
