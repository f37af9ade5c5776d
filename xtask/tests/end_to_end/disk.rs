//! A disk that is really full: a small file system of the test's own as home.

use crate::place::Place;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::Command;

/// Room for the programs of a home and a deployment.
const SIZE: &str = "1500m";

/// Nothing outside of the script sees its file system, so all of it is one script. It ends at the
/// first command that does not do what is expected, and with it the cloud.
const SCRIPT: &str = r#"
set -u
mount -t tmpfs -o size="$SIZE" tmpfs "$DISK" || exit 90
trap 'kill "$(cat "$MYSFITS_HOME/cloud.pid")" 2>/dev/null' EXIT
mkdir -p "$MYSFITS_HOME"
fill() { cat /dev/zero > "$DISK/filler" 2>/dev/null; }
step() { echo "== $1"; }

step 'up in an empty home'
fill
"$XTASK" up && exit 1
step 'up with room'
rm "$DISK/filler"
"$XTASK" up || exit 2
step 'up again'
fill
"$XTASK" up && exit 3
step 'down'
"$XTASK" down --yes && exit 4
step 'what a full disk cut off'
rm "$DISK/filler"
: > "$MYSFITS_HOME/pulumi-home/credentials.json"
"$XTASK" up && exit 5
step 'fixed'
"$XTASK" up 2>&1 | sed -n 's/^    \(rm .*\|cp .*\)$/\1/p' > "$DISK/fix"
sh -e "$DISK/fix" || exit 6
"$XTASK" up || exit 7
step 'gone'
"$XTASK" down --yes || exit 8
"#;

#[test]
fn a_full_disk_is_named_and_room_on_it_fixes_everything() -> Result<()> {
    let place = Place::new()?;
    let folder = tempfile::tempdir()?;
    let disk = folder.path().join("disk");
    fs::create_dir(&disk)?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["sh", "-c", SCRIPT]);
    place.enter(&mut command);
    command
        .env("XTASK", env!("CARGO_BIN_EXE_xtask"))
        .env("DISK", &disk)
        .env("SIZE", SIZE)
        .env("MYSFITS_HOME", disk.join("home"));
    let output = command
        .output()
        .context("unshare, of util-linux, is needed")?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(
        output.status.code() != Some(90),
        "this user cannot mount a file system in a namespace of their own; where AppArmor is \
         against it, run `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`: {said}"
    );
    ensure!(output.status.success(), "{}: {said}", output.status);
    let errors = String::from_utf8_lossy(&output.stderr);
    let full = errors.matches("home is full: ").count();
    ensure!(full == 3, "{full} times: {errors}");
    ensure!(errors.matches("Make room on it").count() == 3, "{errors}");
    ensure!(errors.matches("du -xh").count() == 3, "{errors}");
    ensure!(!errors.contains("unexpected end of JSON input"), "{errors}");
    place.assert_clean()
}
