//! An error with an exit code of its own, so that a workflow can tell it from a failure.

/// Data would be lost, or drift was found: what was asked is answered, and it is not fine.
pub const NOT_FINE: u8 = 2;

/// What the command would do is not what was approved.
pub const NOT_APPROVED: u8 = 3;

#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Exit {
    pub code: u8,
    why: String,
}

impl Exit {
    pub fn with(code: u8, why: impl Into<String>) -> anyhow::Error {
        Self {
            code,
            why: why.into(),
        }
        .into()
    }
}

/// The exit code of an error: 1 where it says nothing else.
pub fn code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Exit>().map_or(1, |exit| exit.code)
}
