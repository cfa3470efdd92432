//! How a request got its turn: an answer that comes long after the log was wanted says nothing of the time before.

use http::Response;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Turn {
    #[default]
    Soon,
    /// It waited long.
    Late,
    /// It was refused before, until a time for which the server asked.
    PutOff,
}

impl Turn {
    /// The turn with which a response was marked.
    pub(super) fn of<B>(response: &Response<B>) -> Turn {
        response.extensions().get().copied().unwrap_or_default()
    }

    pub(super) fn mark<B>(self, mut response: Response<B>) -> Response<B> {
        response.extensions_mut().insert(self);
        response
    }
}
