//! A named query for each file in `analytics/queries`, as it is there.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use aws::athena::named_query;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output};

use crate::scope::Scope;

/// Athena's service model: `NamedQuery`.
const LONGEST_DESCRIPTION: usize = 1_024;
const LONGEST_QUERY: usize = 262_144;
const LONGEST_NAME: usize = 128;

#[derive(Debug, PartialEq, Eq)]
struct Query {
    name: String,
    description: String,
    sql: String,
}

pub fn create(
    scope: &Scope<'_>,
    parent: &Component,
    workgroup: &Output<String>,
    database: &Output<String>,
) -> Result<()> {
    let folder = scope.program.root_directory().join("analytics/queries");
    let queries = read(&folder)
        .with_context(|| format!("cannot read the queries in {}", folder.display()))?;
    for query in queries {
        named_query::create_with_options(
            scope.program,
            &format!("mysfits-{}", query.name),
            named_query::NamedQueryArgs::builder()
                .name(query.name)
                .description(query.description)
                .database(database.clone())
                .workgroup(workgroup.clone())
                .query(query.sql)
                .build_struct(),
            Options::new().parent(parent),
        );
    }
    Ok(())
}

/// The queries in order of name.
fn read(folder: &Path) -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "sql") {
            let name = path.file_stem().and_then(|name| name.to_str());
            let name = name.context("a file name is no text")?;
            let query = parse(name, fs::read_to_string(&path)?);
            queries.push(query.with_context(|| format!("{name}.sql"))?);
        }
    }
    ensure!(!queries.is_empty(), "there is none");
    queries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(queries)
}

fn parse(name: &str, sql: String) -> Result<Query> {
    let head = sql.lines().map_while(|line| line.strip_prefix("-- "));
    let about = head.take_while(|line| !line.starts_with("Columns:"));
    let description = about.collect::<Vec<_>>().join(" ");
    ensure!(
        (1..=LONGEST_DESCRIPTION).contains(&description.chars().count()),
        "it does not begin with `-- ` and what it answers, in at most {LONGEST_DESCRIPTION} letters"
    );
    ensure!(
        name.len() <= LONGEST_NAME && sql.len() <= LONGEST_QUERY,
        "Athena takes {LONGEST_NAME} letters of a name and {LONGEST_QUERY} bytes of a query"
    );
    Ok(Query {
        name: name.to_owned(),
        description,
        sql,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_described_by_its_first_lines() -> Result<()> {
        let query = parse(
            "a",
            "-- What?\n-- And why?\n-- Columns: a\nSELECT 1\n".to_owned(),
        )?;
        assert_eq!(query.description, "What? And why?");
        let error = parse("a", "SELECT 1".to_owned()).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("what it answers")));
        Ok(())
    }
}
