//! What a binary asks of the machine that runs it.

use anyhow::{Context, Result, bail};
use object::Endianness;
use object::elf::{FileHeader64, VER_FLG_WEAK};
use object::read::elf::{FileHeader, Sym};
use std::collections::{BTreeMap, BTreeSet};

/// The glibc of `provided.al2023`.
pub const GLIBC: (u32, u32) = (2, 34);

/// Refuses a binary for another machine. `machine` is the ELF number of the architecture.
pub fn check_machine(binary: &[u8], machine: u16) -> Result<()> {
    let header = FileHeader64::<Endianness>::parse(binary).context("it is no 64-bit ELF file")?;
    let endian = header.endian().context("its byte order is unknown")?;
    let found = header.e_machine(endian);
    if found != machine {
        bail!(
            "it is for ELF machine {found}, and the function's architecture is machine {machine}"
        );
    }
    Ok(())
}

/// What a binary needs of glibc that Lambda's runtime `provided.al2023` does not have, in words;
/// nothing when it would start there.
pub fn newer_glibc(binary: &[u8]) -> Result<Option<String>> {
    let header = FileHeader64::<Endianness>::parse(binary).context("it is no 64-bit ELF file")?;
    let endian = header.endian().context("its byte order is unknown")?;
    let needed = newer_versions(header, endian, binary)?;
    if needed.is_empty() {
        return Ok(None);
    }
    let needs: Vec<String> = needed
        .iter()
        .map(|(version, symbols)| {
            let symbols: Vec<&str> = symbols.iter().map(String::as_str).take(5).collect();
            format!("{version} ({})", symbols.join(", "))
        })
        .collect();
    Ok(Some(format!(
        "it needs {}, and provided.al2023 has glibc {}.{}",
        needs.join(", "),
        GLIBC.0,
        GLIBC.1
    )))
}

/// The versions of glibc above the runtime's that the binary cannot do without, each with the
/// symbols it is needed for.
fn newer_versions(
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    binary: &[u8],
) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut newer = BTreeMap::new();
    let sections = header.sections(endian, binary)?;
    let Some((mut needs, link)) = sections.gnu_verneed(endian, binary)? else {
        return Ok(newer);
    };
    let strings = sections.strings(endian, binary, link)?;
    while let Some((_, mut versions)) = needs.next()? {
        while let Some(version) = versions.next()? {
            // The dynamic linker lets a weak version be absent.
            let weak = version.vna_flags.get(endian) & VER_FLG_WEAK != 0;
            let name = String::from_utf8_lossy(version.name(endian, strings)?).into_owned();
            if !weak && glibc(&name).is_some_and(|version| version > GLIBC) {
                newer.insert(name, BTreeSet::new());
            }
        }
    }
    if newer.is_empty() {
        return Ok(newer);
    }
    let Some(table) = sections.versions(endian, binary)? else {
        return Ok(newer);
    };
    let symbols = sections.symbols(endian, binary, object::elf::SHT_DYNSYM)?;
    for (index, symbol) in symbols.enumerate() {
        let Some(version) = table.version(table.version_index(endian, index))? else {
            continue;
        };
        if let Some(users) = newer.get_mut(String::from_utf8_lossy(version.name()).as_ref()) {
            let name = symbol.name(endian, symbols.strings())?;
            users.insert(String::from_utf8_lossy(name).into_owned());
        }
    }
    Ok(newer)
}

/// `GLIBC_2.34` and `GLIBC_2.2.5` as numbers; nothing for `GCC_3.0` and `GLIBC_PRIVATE`.
fn glibc(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("GLIBC_")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::elf::{EM_AARCH64, EM_X86_64};

    fn own_machine() -> u16 {
        if cfg!(target_arch = "aarch64") {
            EM_AARCH64
        } else {
            EM_X86_64
        }
    }

    #[test]
    fn another_machine_is_refused() -> Result<()> {
        let binary = std::fs::read(std::env::current_exe()?)?;
        let other = if own_machine() == EM_X86_64 {
            EM_AARCH64
        } else {
            EM_X86_64
        };
        let error = check_machine(&binary, other).unwrap_err().to_string();
        assert!(error.contains(&format!("machine {other}")), "{error}");
        Ok(())
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert!(check_machine(b"#!/bin/sh\n", own_machine()).is_err());
    }

    #[test]
    fn a_newer_glibc_is_refused_with_its_symbols() -> Result<()> {
        let mut binary = std::fs::read(std::env::current_exe()?)?;
        check_machine(&binary, own_machine())?;
        assert_eq!(newer_glibc(&binary)?, None);
        // The version of some symbol that every Rust program uses, as if glibc were newer.
        let old = b"\0GLIBC_2.34\0";
        let position = binary
            .windows(old.len())
            .position(|window| window == old)
            .context("no symbol of glibc 2.34 here")?;
        binary[position..position + old.len()].copy_from_slice(b"\0GLIBC_2.99\0");
        let needs = newer_glibc(&binary)?.unwrap_or_default();
        assert!(needs.contains("GLIBC_2.99 (__libc_start_main"), "{needs}");
        Ok(())
    }

    #[test]
    fn only_versions_of_glibc_count() {
        assert_eq!(glibc("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc("GLIBC_2.34"), Some((2, 34)));
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
        assert_eq!(glibc("GCC_3.0"), None);
    }
}
