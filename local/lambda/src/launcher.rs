//! The program between the cloud and a function: it enters namespaces of users and mounts, makes
//! what is in them look as on AWS, and then becomes the function's `bootstrap`.
//!
//! It is a process of its own because namespaces are a process's, and because only one with a
//! single thread may enter a namespace of users. The cloud starts its own program for it, with
//! [`SUBCOMMAND`]. What is to be done comes over standard input, which is a socket: the answer
//! goes back over it when something fails, and it is closed when `bootstrap` runs.
//!
//! A function then sees the machine's files, read-only, but
//!
//! | path | what is there |
//! | --- | --- |
//! | `/var/task` | its code, read-only |
//! | `/tmp` | an empty file system of its own, of the size that is declared |
//! | `/dev`, `/proc`, `/sys` | the machine's, as they are |
//!
//! File systems that are mounted below the machine's top-level folders stay as writable as they
//! are for the user who runs the cloud.

use anyhow::{Context, Result};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount, mount_bind, mount_bind_recursive, mount_change,
    mount_remount,
};
use rustix::process::{chdir, chroot, getgid, getuid};
use rustix::thread::UnshareFlags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The hidden subcommand of the cloud's program that this is.
pub const SUBCOMMAND: &str = "launch";

/// Where AWS has a function's code.
pub(crate) const TASK_ROOT: &str = "/var/task";

/// The user of the function when the cloud runs as root. It must not be root, who could make
/// everything writable again.
const NOBODY: u32 = 1000;

/// What is left as it is: they hold no files of the machine.
const UNTOUCHED: [&str; 3] = ["dev", "proc", "sys"];

/// What is to be launched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// The folder with `bootstrap`; none to see whether it would work.
    pub code: Option<PathBuf>,
    /// The size of `/tmp`.
    pub tmp_mb: u32,
    /// The environment of `bootstrap`.
    pub variables: BTreeMap<String, String>,
}

impl Order {
    /// One that launches nothing.
    pub fn probe() -> Self {
        Self {
            code: None,
            tmp_mb: 1,
            variables: BTreeMap::new(),
        }
    }
}

/// What is said when `bootstrap` cannot be run; after it comes the system's number for the reason.
const NOT_RUN: &str = "exec ";

/// Why a function was not launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// `bootstrap` cannot be run, for the system's reason of this number.
    Bootstrap(i32),
    /// The namespaces, or what has to be in them.
    Environment(String),
}

impl Failure {
    /// What came over the socket before it was closed; none when nothing did.
    pub fn parse(said: &str) -> Option<Self> {
        if said.is_empty() {
            return None;
        }
        let number = said
            .strip_prefix(NOT_RUN)
            .and_then(|rest| rest.parse().ok());
        Some(match number {
            Some(number) => Self::Bootstrap(number),
            None => Self::Environment(said.to_owned()),
        })
    }
}

/// Runs the order that comes over standard input. Returns only when nothing was launched: with
/// an error, or because nothing was to be launched.
pub fn run() -> Result<()> {
    let mut socket = take_standard_input()?;
    let mut order = Vec::new();
    socket.read_to_end(&mut order)?;
    let order: Order = serde_json::from_slice(&order).context("the order cannot be read")?;
    if let Err(error) = enter(&order) {
        // The socket is a plain pipe when nothing is to be launched.
        if order.code.is_some() {
            socket.write_all(format!("{error:#}").as_bytes())?;
        }
        return Err(error);
    }
    if order.code.is_some() {
        let bootstrap = Path::new(TASK_ROOT).join("bootstrap");
        let error = match is_for_the_shell(&bootstrap) {
            true => std::io::Error::from_raw_os_error(rustix::io::Errno::NOEXEC.raw_os_error()),
            false => Command::new(&bootstrap)
                .env_clear()
                .envs(&order.variables)
                .exec(),
        };
        let number = error.raw_os_error().unwrap_or_default();
        socket.write_all(format!("{NOT_RUN}{number}").as_bytes())?;
        return Err(error).context("bootstrap cannot be run");
    }
    Ok(())
}

/// Whether a file is executable but of no kind that the kernel runs: neither a script that names
/// its interpreter nor a program for this machine. The C library runs such a file with the shell,
/// and Lambda does not. All other errors come from the kernel itself.
fn is_for_the_shell(path: &Path) -> bool {
    let head = |path: &Path| {
        let mut bytes = [0; 64];
        let mut file = File::open(path).ok()?;
        let length = file.read(&mut bytes).ok()?;
        Some((bytes, length))
    };
    let may_run = rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    let (Some((file, length)), Some((own, _))) = (head(path), head(Path::new("/proc/self/exe")))
    else {
        return false;
    };
    // Of the head of an ELF file: magic, class and byte order; the machine; the size of a program
    // header; and the type, a program (2) or one that is loaded anywhere (3).
    let same = |range: std::ops::Range<usize>| file.get(range.clone()) == own.get(range);
    let of_this_machine = length == file.len()
        && same(0..7)
        && same(18..20)
        && same(54..56)
        && matches!(file[16], 2 | 3);
    may_run && !file.starts_with(b"#!") && !of_this_machine
}

/// Takes what is at standard input to where `bootstrap` does not inherit it, and puts nothing in
/// its place.
fn take_standard_input() -> Result<File> {
    let socket = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(File::from(socket))
}

fn enter(order: &Order) -> Result<()> {
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    unshare_user_and_mounts().context("user and mount namespaces")?;
    let inside = |id: u32| if id == 0 { NOBODY } else { id };
    // Without this a user who is not root may not map groups.
    fs::write("/proc/self/setgroups", "deny").context("setgroups")?;
    map("/proc/self/uid_map", inside(user), user)?;
    map("/proc/self/gid_map", inside(group), group)?;
    // Nothing that is mounted from here on shows outside.
    let alone = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", alone).context("private mounts")?;

    // Found before `/tmp`, where it may be, is something else.
    let code = match &order.code {
        Some(code) => Some(File::open(code).with_context(|| code.display().to_string())?),
        None => None,
    };
    // `/tmp` is not to be seen any more, so that the new root can be made there.
    let root = Path::new("/tmp");
    tmpfs(root, "mode=0755,size=1m")?;
    mirror(Path::new("/"), root, &["tmp", "var"])?;
    let var = root.join("var");
    fs::create_dir(&var)?;
    mirror(Path::new("/var"), &var, &["task"])?;

    let task = var.join("task");
    fs::create_dir(&task)?;
    if let Some(code) = &code {
        let from = format!("/proc/self/fd/{}", code.as_raw_fd());
        mount_bind(from, &task).context(TASK_ROOT)?;
        read_only(&task)?;
    }
    let tmp = root.join("tmp");
    fs::create_dir(&tmp)?;
    tmpfs(&tmp, &format!("mode=0777,size={}m", order.tmp_mb))?;
    read_only(root)?;
    drop(code);
    chroot(root).context("the new root")?;
    chdir(TASK_ROOT).context(TASK_ROOT)?;
    Ok(())
}

/// rustix has `unshare` as deprecated because files can be unshared with it too, which would
/// need `unsafe`; namespaces do not.
#[allow(deprecated)]
fn unshare_user_and_mounts() -> rustix::io::Result<()> {
    rustix::thread::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)
}

fn map(file: &str, inside: u32, outside: u32) -> Result<()> {
    fs::write(file, format!("{inside} {outside} 1")).with_context(|| file.to_owned())
}

fn tmpfs(place: &Path, options: &str) -> Result<()> {
    let options = std::ffi::CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", place, "tmpfs", flags, &*options)
        .with_context(|| format!("a file system at {}", place.display()))
}

/// Mounts the content of a folder read-only into another one, except for some entries.
fn mirror(from: &Path, to: &Path, left_out: &[&str]) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if left_out.iter().any(|one| name == *one) {
            continue;
        }
        let (path, place) = (entry.path(), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(&path)?, &place)?;
        } else if kind.is_dir() {
            DirBuilder::new().mode(0o755).create(&place)?;
            // What this user may not show stays an empty folder.
            let shown = mount_bind_recursive(&path, &place).is_ok();
            if shown && !UNTOUCHED.iter().any(|one| name == *one) {
                read_only(&place)?;
            }
        }
    }
    Ok(())
}

/// Makes a mount read-only. Its present restrictions have to be given again, because a user
/// namespace may not lift them.
fn read_only(place: &Path) -> Result<()> {
    let mounted = statvfs(place)?.f_flag;
    let kept = [
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    let flags = kept
        .into_iter()
        .filter(|(has, _)| mounted.contains(*has))
        .fold(MountFlags::BIND | MountFlags::RDONLY, |flags, (_, flag)| {
            flags | flag
        });
    mount_remount(place, flags, c"").with_context(|| format!("{} read-only", place.display()))
}
