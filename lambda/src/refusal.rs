//! Why a record becomes `ProcessingFailed`. The texts go to the log: they say what was
//! wrong, and nothing of what the click's author wrote.

use crate::mysfit::MysfitId;
use crate::upstream::Failure;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("the record has no data")]
    NoData,
    #[error("the record's data is not base64")]
    NotBase64,
    #[error("the record has no arrival time in milliseconds")]
    NoArrival,
    #[error("the click is not UTF-8")]
    NotUtf8,
    #[error("the click is not JSON")]
    NotJson,
    #[error("the click is not a JSON object")]
    NotAnObject,
    #[error("the click has no {0}")]
    Missing(&'static str),
    #[error("the click's {0} is not a string")]
    NotAString(&'static str),
    #[error("the click has {0} twice")]
    Twice(&'static str),
    #[error("the click's {0} is not a UUID")]
    NotAnId(&'static str),
    #[error("there is no mysfit {0}")]
    UnknownMysfit(MysfitId),
    #[error("mysfit {0} has no usable {1}")]
    UnusableMysfit(MysfitId, &'static str),
    #[error("mysfit {0} could not be looked up: {1}")]
    NotAnswered(MysfitId, Failure),
    #[error("the reply to Firehose would exceed its limit")]
    ReplyFull,
}

impl Refusal {
    /// What the log counts this refusal under.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::UnknownMysfit(_) => RefusalKind::Unknown,
            Self::UnusableMysfit(..) => RefusalKind::Unusable,
            Self::NotAnswered(..) => RefusalKind::NotAnswered,
            Self::ReplyFull => RefusalKind::ReplyFull,
            _ => RefusalKind::Malformed,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    Malformed,
    Unknown,
    Unusable,
    NotAnswered,
    ReplyFull,
}
