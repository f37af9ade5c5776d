//! The log that the CLI keeps of each command by itself, in the folder `logs` of its home.
//!
//! It is a record of everything at the most verbose level, compressed and encrypted: a seventh of
//! the time of a preview and 350 kB. No setting turns it off, but the CLI goes on without an error
//! when it cannot make the folder.

use crate::checkout::Checkout;
use anyhow::{Context, Result};
use std::fs;
use std::io::ErrorKind;

/// Puts a file in the folder's place, unless there is such a folder already: who wants the logs
/// makes it.
pub fn turn_off(checkout: &Checkout) -> Result<()> {
    let path = checkout.pulumi_home().join("logs");
    let text = "A folder here instead of this file, and Pulumi keeps a log of each command in it: \
                see `pulumi logs --help`.\n";
    let file = fs::File::create_new(&path);
    match file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("{} cannot be written", path.display()))
        }
        _ => Ok(()),
    }
}
