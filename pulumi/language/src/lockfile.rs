//! What Cargo.lock says about a program: its dependencies, and the providers among them.

use anyhow::{Context, Result};
use pulumi_package::toolchain::answer;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

const NAME: &str = "Cargo.lock";

/// A crate of a provider's binding is named so, followed by the provider's name.
const BINDING: &str = "pulumi_gestalt_providers_";

/// The packages of a Cargo.lock.
#[derive(Debug, Deserialize)]
pub struct Lockfile {
    #[serde(default, rename = "package")]
    packages: Vec<LockedPackage>,
}

#[derive(Debug, Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// A name and its version, of a crate or of a provider plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Versioned {
    pub name: String,
    pub version: String,
}

impl Versioned {
    /// The provider that a crate of this name is the binding of.
    pub fn provider(&self) -> Option<String> {
        let name = self.name.strip_prefix(BINDING)?;
        Some(name.replace('_', "-"))
    }
}

impl Lockfile {
    /// A workspace that was never built gets its lock file now.
    pub async fn of(root: &Path) -> Result<Self> {
        if !root.join(NAME).exists() {
            let arguments = ["generate-lockfile", "--quiet"];
            answer(root, "cargo", &arguments).await?;
        }
        Self::read(root)
    }

    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(NAME);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a lock file", path.display()))
    }

    /// Whether there is a crate of this name.
    pub fn has(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }

    /// The crates that a program depends on: those it names, or all.
    pub fn dependencies(&self, program: &str, transitive: bool) -> BTreeSet<Versioned> {
        let packages = if transitive {
            let mut all = self.reachable(program);
            all.retain(|package| package.name != program);
            all
        } else {
            self.direct(program)
        };
        packages
            .into_iter()
            .map(|package| Versioned {
                name: package.name.clone(),
                version: package.version.clone(),
            })
            .collect()
    }

    fn direct(&self, name: &str) -> Vec<&LockedPackage> {
        let index = self.index();
        let roots = self.packages.iter().filter(|package| package.name == name);
        roots
            .flat_map(|package| &package.dependencies)
            .filter_map(|dependency| resolve(&index, dependency))
            .collect()
    }

    fn reachable(&self, name: &str) -> Vec<&LockedPackage> {
        let index = self.index();
        let mut queue: Vec<&LockedPackage> = self
            .packages
            .iter()
            .filter(|package| package.name == name)
            .collect();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        while let Some(package) = queue.pop() {
            if !seen.insert((&package.name, &package.version)) {
                continue;
            }
            found.push(package);
            let dependencies = package.dependencies.iter();
            queue.extend(dependencies.filter_map(|dependency| resolve(&index, dependency)));
        }
        found
    }

    fn index(&self) -> HashMap<&str, Vec<&LockedPackage>> {
        let mut index: HashMap<&str, Vec<&LockedPackage>> = HashMap::new();
        for package in &self.packages {
            index.entry(&package.name).or_default().push(package);
        }
        index
    }
}

/// A dependency is written `name`, or `name version` where the name alone is ambiguous, or with
/// its source as a third word.
fn resolve<'a>(
    index: &HashMap<&str, Vec<&'a LockedPackage>>,
    dependency: &str,
) -> Option<&'a LockedPackage> {
    let mut words = dependency.split(' ');
    let candidates = index.get(words.next()?)?;
    match words.next() {
        Some(version) => candidates
            .iter()
            .find(|package| package.version == version)
            .copied(),
        None => candidates.first().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "infra"
version = "0.1.0"
dependencies = ["pulumi_gestalt_providers_aws", "helper 2.0.0"]
[[package]]
name = "helper"
version = "1.0.0"
dependencies = ["pulumi_gestalt_providers_docker"]
[[package]]
name = "helper"
version = "2.0.0"
dependencies = ["pulumi_gestalt_providers_aws_native", "infra"]
[[package]]
name = "pulumi_gestalt_providers_aws"
version = "7.48.0"
[[package]]
name = "pulumi_gestalt_providers_aws_native"
version = "1.2.3"
[[package]]
name = "pulumi_gestalt_providers_docker"
version = "4.0.0"
"#;

    fn named(packages: BTreeSet<Versioned>) -> Vec<String> {
        packages
            .into_iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect()
    }

    fn providers(packages: BTreeSet<Versioned>) -> Vec<String> {
        let named =
            |package: Versioned| Some(format!("{} {}", package.provider()?, package.version));
        packages.into_iter().filter_map(named).collect()
    }

    #[test]
    fn providers_are_the_bindings_that_the_program_reaches() -> Result<()> {
        let lock: Lockfile = toml::from_str(LOCK)?;
        assert_eq!(
            providers(lock.dependencies("infra", true)),
            ["aws 7.48.0", "aws-native 1.2.3"]
        );
        assert_eq!(named(lock.dependencies("absent", true)), [""; 0]);
        Ok(())
    }

    #[test]
    fn dependencies_are_direct_or_all() -> Result<()> {
        let lock: Lockfile = toml::from_str(LOCK)?;
        assert_eq!(
            named(lock.dependencies("infra", false)),
            ["helper 2.0.0", "pulumi_gestalt_providers_aws 7.48.0"]
        );
        assert_eq!(
            named(lock.dependencies("infra", true)),
            [
                "helper 2.0.0",
                "pulumi_gestalt_providers_aws 7.48.0",
                "pulumi_gestalt_providers_aws_native 1.2.3"
            ]
        );
        Ok(())
    }
}
