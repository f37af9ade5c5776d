//! Why a value is not of a type, and what is not there at all.

use std::fmt;
use std::sync::LazyLock;

use crate::value::PulumiValue;

/// Why a value is not of a type. It does not say the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What takes the place of a field for which generated code gives up.
///
/// It gives up on a field that an object lacks without asking whether the field is optional. There
/// the place wants a value, and gets an absent one: an optional field takes that for `None`, and
/// any other type refuses it. Everywhere else the place wants a result, and gets an error.
pub trait Instead: Sized {
    fn instead(absent: &'static LazyLock<PulumiValue>) -> Option<Self>;
}

impl Instead for &PulumiValue {
    fn instead(absent: &'static LazyLock<PulumiValue>) -> Option<Self> {
        Some(absent)
    }
}

impl<T> Instead for Result<T> {
    fn instead(_: &'static LazyLock<PulumiValue>) -> Option<Self> {
        None
    }
}

/// The names by which generated code knows these.
pub mod rootcause {
    pub use super::Result;
    pub use crate::give_up as bail;
}

#[doc(hidden)]
#[macro_export]
macro_rules! give_up {
    ($reason:literal $(, $argument:expr)* $(,)?) => {{
        static ABSENT: ::std::sync::LazyLock<$crate::PulumiValue> =
            ::std::sync::LazyLock::new(|| $crate::PulumiValueContent::Absent($reason).into());
        match $crate::__private::Instead::instead(&ABSENT) {
            Some(instead) => instead,
            None => return Err($crate::Error::new(format!($reason $(, $argument)*))),
        }
    }};
}
