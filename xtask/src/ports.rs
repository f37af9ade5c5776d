//! The ports of a checkout's embedded cloud: the same from run to run, others in each checkout.

use crate::checkout::Checkout;
use anyhow::{Context, Result, bail};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// How many ports a cloud takes, from its first one on.
const BLOCK: u16 = 16;

/// Where blocks are looked for: above the well-known services, below the ports that Linux hands
/// out to clients.
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

/// The first port: the one that the home remembers, or `MYSFITS_PORT`, or a free block that
/// follows from the checkout's path; remembered from then on.
///
/// # Errors
/// When `MYSFITS_PORT` is no port, or another one than that of a cloud that runs in this home or
/// has something deployed: its addresses are in the outputs of the stacks.
pub fn first(checkout: &Checkout) -> Result<u16> {
    let file = checkout.home.join("port");
    let remembered = match std::fs::read_to_string(&file) {
        Ok(text) => Some(
            parse(text.trim())
                .with_context(|| format!("{} holds no port: remove it", file.display()))?,
        ),
        Err(_) => None,
    };
    let asked = match std::env::var_os("MYSFITS_PORT").filter(|port| !port.is_empty()) {
        Some(port) => Some(parse(&port.to_string_lossy()).context("MYSFITS_PORT is no port")?),
        None => None,
    };
    let port = match (remembered, asked) {
        (Some(remembered), None) => return Ok(remembered),
        (Some(remembered), Some(asked)) if remembered == asked => return Ok(asked),
        (Some(remembered), Some(asked)) if checkout.is_in_use()? => bail!(
            "MYSFITS_PORT is {asked}, and the embedded cloud of {} has the ports from \
             {remembered} on: unset MYSFITS_PORT, or run `cargo xtask down` without it first",
            checkout.home.display()
        ),
        (_, Some(asked)) => asked,
        (None, None) => free(&checkout.home)?,
    };
    std::fs::write(&file, format!("{port}\n"))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(port)
}

fn parse(port: &str) -> Result<u16> {
    let port: u16 = port.parse().with_context(|| format!("`{port}`"))?;
    if port == 0 || port > u16::MAX - BLOCK {
        bail!("`{port}`: a block of {BLOCK} ports starts there");
    }
    Ok(port)
}

/// The first port of a free block that follows from a path.
pub fn free(path: &Path) -> Result<u16> {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let blocks = (LAST - FIRST) / BLOCK;
    let start = (hasher.finish() % u64::from(blocks)) as u16;
    (0..blocks)
        .map(|step| FIRST + (start + step) % blocks * BLOCK)
        .find(|port| is_free(*port))
        .with_context(|| {
            format!("no {BLOCK} free ports in a row from {FIRST} to {LAST}: set MYSFITS_PORT")
        })
}

fn is_free(first: u16) -> bool {
    (first..first + BLOCK).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}
