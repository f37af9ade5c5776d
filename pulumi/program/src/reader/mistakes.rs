//! The mistakes in a configuration.

use std::fmt;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub key: String,
    /// The value and what is allowed instead.
    pub trouble: String,
    /// The command that fixes it.
    pub fix: String,
}

/// Everything that is wrong with the configuration of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes {
    pub stack: String,
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, trouble, fix } = self;
        write!(f, "{key} {trouble}; fix it with: {fix}")
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(
            f,
            "{count} {noun} in the configuration of stack {}",
            self.stack
        )?;
        for mistake in &self.mistakes {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
