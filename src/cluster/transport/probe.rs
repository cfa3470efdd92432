//! Probes a server that is silent: a hanging server still accepts connections, since its kernel answers.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::Request;
use tokio::time::{Instant, sleep_until};

use super::{
    super::{error::Error, exchange::AnswerMode},
    Transport,
};
use crate::purpose::Purpose;

/// Silence before a probe, and between probes.
const QUIET: Duration = Duration::from_secs(10);

impl Transport {
    /// The result of each probe is recorded like that of any request.
    pub async fn probe_whenever_silent(&self) -> Infallible {
        let mut asked = None::<Instant>;
        loop {
            let heard = self.pulse.last();
            sleep_until(asked.map_or(heard, |asked| asked.max(heard)) + QUIET).await;
            // Streams that survived an outage go on without an answer, which alone ends it.
            if self.pulse.last() == heard || self.outage.is_known() {
                asked = Some(Instant::now());
                self.probe().await;
            }
        }
    }

    /// Requests an answer, whatever it is, for its date. False: it may be that of a server between, whose clock does
    /// not count.
    pub async fn ask_the_time(&self) -> Result<bool, Error> {
        let answer = self.send(minimal(), Purpose::List, AnswerMode::Probe, None).await?;
        Ok(!answer.status().is_server_error())
    }

    /// Sends a minimal request. Any answer counts, also a refusal, and expired credentials are sufficient; without
    /// credentials no request was sent so far.
    async fn probe(&self) {
        let Some(credential) = self.auth.at_hand() else { return };
        let _ = self.attempt(&minimal(), &credential, Purpose::Probe, AnswerMode::Probe, None).await;
        self.outage.probes(None);
    }
}

fn minimal() -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = http::Uri::from_static("/version");
    request
}

#[cfg(test)]
mod tests;
