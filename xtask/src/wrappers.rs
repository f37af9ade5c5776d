//! The `pulumi` and `aws` in the shell of `cargo xtask env`: they run the real programs, after a
//! warning when the embedded cloud is stopped.
//!
//! Without the warning people see a refused connection after a reboot, and nothing says what to
//! start. Neither program can be made to say more.

use crate::checkout::Checkout;
use crate::tools;
use anyhow::{Context, Result};
use pulumi_package::whole;
use std::fs;
use std::path::Path;

/// Puts a wrapper of the Pulumi CLI on the shell's PATH, and one of the AWS CLI where there is one.
pub fn install(checkout: &Checkout, pulumi: &Path) -> Result<()> {
    wrap(checkout, "pulumi", pulumi)?;
    match tools::on_path("aws", &checkout.bin()) {
        Some(aws) => wrap(checkout, "aws", &aws),
        None => Ok(()),
    }
}

fn wrap(checkout: &Checkout, name: &str, program: &Path) -> Result<()> {
    let path = checkout.bin().join(name);
    let script = script(checkout, program)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file())
        && fs::read_to_string(&path).is_ok_and(|old| old == script)
    {
        return Ok(());
    }
    // The old one may be running.
    whole::write(&path, script.as_bytes(), 0o755)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The number in `cloud.pid` may be another process's after a reboot, so its program is looked at.
fn script(checkout: &Checkout, program: &Path) -> Result<String> {
    let quoted = |path: &Path| -> Result<String> {
        let path = path
            .to_str()
            .with_context(|| format!("{} is not UTF-8", path.display()))?;
        Ok(format!("'{}'", path.replace('\'', r"'\''")))
    };
    let home = quoted(&checkout.home)?;
    let program = quoted(program)?;
    Ok(format!(
        "#!/bin/sh\n\
         read -r pid 2>/dev/null < {home}/cloud.pid\n\
         case \"$(readlink \"/proc/$pid/exe\")\" in\n\
         */mysfits-local*) ;;\n\
         *) echo 'note: the embedded cloud of this shell is stopped, `cargo xtask start` starts it' >&2 ;;\n\
         esac\n\
         exec {program} \"$@\"\n"
    ))
}
