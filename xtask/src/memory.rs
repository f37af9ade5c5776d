//! How much memory processes have.

use std::fs;

/// What a process and those under it have in memory, in bytes; none when it is gone.
pub fn resident(pid: u32) -> Option<u64> {
    let own = resident_alone(pid)?;
    let children = children(pid).into_iter().filter_map(resident);
    Some(own + children.sum::<u64>())
}

fn resident_alone(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The processes that the threads of a process have started.
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|children| {
            let pids = children.split_whitespace().map(str::parse);
            pids.filter_map(Result::ok).collect::<Vec<_>>()
        })
        .collect()
}

/// As people read it.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}
