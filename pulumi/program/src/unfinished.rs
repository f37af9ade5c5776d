//! How a language host finds out that a program has ended before it was complete.
//!
//! A program that ends well by `std::process::exit`, in the middle, looks like a complete one: the
//! engine would delete all that it has not registered. The host gives a file; it has text for as
//! long as the program is not complete.

use std::env;
use std::fs;
use std::path::PathBuf;

use pulumi_protocol::UNFINISHED_VARIABLE;

/// A program that has begun.
pub(crate) struct Unfinished {
    file: Option<PathBuf>,
}

impl Unfinished {
    /// Without a host that asks for it, nothing is written.
    pub fn begin() -> Self {
        let unfinished = Self {
            file: env::var_os(UNFINISHED_VARIABLE).map(PathBuf::from),
        };
        unfinished.tell("running");
        unfinished
    }

    pub fn end(&self) {
        self.tell("");
    }

    fn tell(&self, text: &str) {
        if let Some(file) = &self.file
            && let Err(error) = fs::write(file, text)
        {
            eprintln!("{} cannot be written: {error}", file.display());
        }
    }
}
