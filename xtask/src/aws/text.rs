//! The text in an object that Firehose wrote: as it is, or compressed.

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use std::io::Read;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The text of lines of JSON, of which GZIP is taken off.
///
/// # Errors
/// When the bytes are compressed in another way, or are no text.
pub fn of(bytes: &[u8]) -> Result<String> {
    let mut text = String::new();
    if bytes.starts_with(&GZIP) {
        let mut decoder = MultiGzDecoder::new(bytes);
        decoder.read_to_string(&mut text).context("broken GZIP")?;
    } else if bytes.first().is_some_and(|&byte| byte != b'{') {
        bail!("it is compressed in another way than GZIP: unpack it by hand");
    } else {
        text = std::str::from_utf8(bytes)
            .context("it is no text")?
            .to_owned();
    }
    Ok(text)
}
