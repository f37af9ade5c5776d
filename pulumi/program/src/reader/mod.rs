//! The configuration of a stack, typed: every key is read once, and all mistakes are reported
//! together.

mod mistakes;
mod nearest;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;

use crate::config::ConfigValue;
pub use mistakes::{Mistake, Mistakes};

/// How engines hand over a `null` in a stack file: at present as an empty text, and by their own
/// announcement as something else in a later version.
const NULL: [&str; 2] = ["", "null"];

/// What is allowed for a value, and a value that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    pub what: &'static str,
    pub example: &'static str,
}

/// Says whether a value is allowed, and if not, what would be.
pub type Check = fn(&str) -> Result<(), Allowed>;

/// Reads values of the configuration of a stack, each with its allowed values and its default, and
/// gathers all mistakes. [`finish`](Self::finish) tells all of it at once: the value, what is
/// allowed, and the command that fixes it. A key that nobody has asked for is refused, with the one
/// that is probably meant. Secrets are never shown.
///
/// ```no_run
/// # use pulumi_program::{Allowed, ConfigValue, Program};
/// struct Shop {
///     currency: &'static str,
///     days: u32,
///     owner: Option<ConfigValue>,
/// }
///
/// fn read(program: &Program) -> anyhow::Result<Shop> {
///     let mut reader = program.reader();
///     let shop = Shop {
///         currency: reader.choice("currency", &["EUR", "USD"], "EUR"),
///         days: reader.number("retention", "days", 1..=365, 30),
///         owner: reader.confidential("owner", |text| match text.contains('@') {
///             true => Ok(()),
///             false => Err(Allowed { what: "an e-mail address", example: "ann@example.com" }),
///         }),
///     };
///     Ok(reader.finish(shop)?)
/// }
/// ```
///
/// A value of `null` is none, and so is an empty text, for engines do not tell them apart.
#[derive(Debug)]
pub struct Reader<'a> {
    project: &'a str,
    stack: &'a str,
    values: BTreeMap<&'a str, &'a ConfigValue>,
    known: BTreeSet<&'static str>,
    /// Those that may be secrets.
    confidential: BTreeSet<&'static str>,
    other_names: Vec<(&'static str, &'static str)>,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    /// For the keys of a project, without its name; [`Program::reader`](crate::Program::reader) has
    /// those of the program.
    pub fn new(
        project: &'a str,
        stack: &'a str,
        values: impl IntoIterator<Item = (&'a str, &'a ConfigValue)>,
    ) -> Self {
        Self {
            project,
            stack,
            values: values
                .into_iter()
                .filter(|(_, value)| !NULL.contains(&value.text.as_str()))
                .collect(),
            known: BTreeSet::new(),
            confidential: BTreeSet::new(),
            other_names: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Other names of choices, in small letters, each with the choice that is meant: for the command
    /// that fixes a value. Some are nearer to another choice by their letters.
    #[must_use]
    pub fn other_names(mut self, names: &[(&'static str, &'static str)]) -> Self {
        self.other_names.extend(names);
        self
    }

    /// A number of a range; `unit` says of what.
    pub fn number(
        &mut self,
        key: &'static str,
        unit: &str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let what = format!("{unit} from {} to {}", range.start(), range.end());
        self.number_among(key, &what, default, range)
    }

    /// A number of those that are allowed.
    pub fn number_among(
        &mut self,
        key: &'static str,
        what: &str,
        default: u32,
        allowed: impl Iterator<Item = u32> + Clone,
    ) -> u32 {
        self.parse(
            key,
            what,
            |text| {
                let number: u32 = text.parse().ok()?;
                allowed.clone().find(|one| *one == number)
            },
            |text| nearest::number(text, allowed.clone()).map(|number| number.to_string()),
        )
        .unwrap_or(default)
    }

    /// A number that means something else when it is missing: a value below the range may be meant as
    /// that, so that the error advises to leave it out.
    pub fn optional_number(
        &mut self,
        key: &'static str,
        unit: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let what = format!("{unit} from {} to {}", range.start(), range.end());
        let above = range.clone();
        self.parse(
            key,
            &what,
            |text| text.parse().ok().filter(|number| range.contains(number)),
            |text| {
                let above = nearest::number(text, above.clone()).filter(|one| one > above.start());
                above.map(|number| number.to_string())
            },
        )
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.parse(
            key,
            "true or false",
            |text| text.parse().ok(),
            |text| nearest::choice(text, &["true", "false"], &[]).map(str::to_owned),
        )
        .unwrap_or(default)
    }

    /// One of several texts.
    pub fn choice(
        &mut self,
        key: &'static str,
        choices: &[&'static str],
        default: &'static str,
    ) -> &'static str {
        let what = format!("one of {}", choices.join(", "));
        let other_names = self.other_names.clone();
        self.parse(
            key,
            &what,
            |text| choices.iter().find(|choice| **choice == text).copied(),
            |text| nearest::choice(text, choices, &other_names).map(str::to_owned),
        )
        .unwrap_or(default)
    }

    /// A text that a check allows.
    pub fn optional(&mut self, key: &'static str, check: Check) -> Option<String> {
        let text = self.take(key)?;
        match check(text) {
            Ok(()) => Some(text.to_owned()),
            Err(allowed) => {
                let set = format!("{} '{}'", self.full(key), allowed.example);
                self.mistake(key, text, allowed.what, &set);
                None
            }
        }
    }

    /// A value of any type that can be read from JSON, as the engine hands lists and maps over. `what`
    /// says what it may be.
    pub fn json<T: DeserializeOwned>(&mut self, key: &'static str, what: &str) -> Option<T> {
        self.parse(key, what, |text| serde_json::from_str(text).ok(), |_| None)
    }

    /// A text that stays a secret when it is set as one.
    pub fn confidential(&mut self, key: &'static str, check: Check) -> Option<ConfigValue> {
        self.confidential.insert(key);
        let text = self.optional(key, check)?;
        let secret = self.is_secret(key);
        Some(ConfigValue { text, secret })
    }

    /// The keys, of those that were asked for until now, whose values are set as secrets and do
    /// not stay so.
    pub fn exposed(&self) -> Vec<String> {
        let secrets = self.known.iter().filter(|key| self.is_secret(key));
        secrets
            .filter(|key| !self.confidential.contains(*key))
            .map(|key| self.full(key))
            .collect()
    }

    /// Two values that make no sense without each other.
    pub fn both(&mut self, keys: [&'static str; 2], checks: [Check; 2]) -> Option<[String; 2]> {
        let present = keys.map(|key| self.values.contains_key(key));
        if present[0] != present[1] {
            let (missing, other) = if present[0] { (1, 0) } else { (0, 1) };
            // The allowed values are those that the check names for an empty text.
            if let Err(allowed) = checks[missing]("") {
                self.missing(keys[missing], keys[other], allowed.example);
            }
        }
        let [first, second] = keys;
        let first = self.optional(first, checks[0]);
        let second = self.optional(second, checks[1]);
        Some([first?, second?])
    }

    /// Notes that a key is missing that another one needs.
    pub fn missing(&mut self, key: &str, needed_by: &str, example: &str) {
        let key = self.full(key);
        self.mistakes.push(Mistake {
            trouble: format!("is missing, {} needs it", self.full(needed_by)),
            fix: format!("pulumi config set --stack {} {key} '{example}'", self.stack),
            key,
        });
    }

    /// A list, as the engine hands it over: JSON.
    pub fn list(&mut self, key: &'static str, check: Check) -> Vec<String> {
        let Some(text) = self.take(key) else {
            return Vec::new();
        };
        let Ok(items) = serde_json::from_str::<Vec<Option<String>>>(text) else {
            let set = format!("--path '{}[0]' VALUE", self.full(key));
            self.mistake(key, text, "a list of strings", &set);
            return Vec::new();
        };
        for (at, item) in items.iter().enumerate() {
            if let Some(Err(allowed)) = item.as_deref().map(check) {
                let item = item.as_deref().unwrap_or_default();
                let set = format!("--path '{}[{at}]' '{}'", self.full(key), allowed.example);
                self.mistake(&format!("{key}[{at}]"), item, allowed.what, &set);
            }
        }
        items.into_iter().flatten().collect()
    }

    /// A map, as the engine hands it over: JSON. The check sees `key=value`.
    pub fn map(&mut self, key: &'static str, check: Check) -> BTreeMap<String, String> {
        let Some(text) = self.take(key) else {
            return BTreeMap::new();
        };
        let Ok(entries) = serde_json::from_str::<BTreeMap<String, Option<String>>>(text) else {
            let set = format!("--path '{}.NAME' VALUE", self.full(key));
            self.mistake(key, text, "a map of strings", &set);
            return BTreeMap::new();
        };
        let set = entries
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let entries: BTreeMap<String, String> = set.collect();
        for (name, value) in &entries {
            let entry = format!("{name}={value}");
            if let Err(allowed) = check(&entry) {
                let set = format!("--path '{}.NAME' '{}'", self.full(key), allowed.example);
                self.mistake(key, &entry, allowed.what, &set);
            }
        }
        entries
    }

    /// What was made of the configuration, when nothing was wrong and every key was asked for.
    ///
    /// # Errors
    /// With every mistake in it.
    pub fn finish<T>(mut self, config: T) -> Result<T, Mistakes> {
        for name in self.values.keys() {
            if !self.known.contains(name) {
                let key = self.full(name);
                let trouble = match self.nearest(name) {
                    Some(nearest) => format!("is no key, {}:{nearest} is", self.project),
                    None => "is no key".to_owned(),
                };
                self.mistakes.push(Mistake {
                    trouble,
                    fix: format!("pulumi config rm --stack {} {key}", self.stack),
                    key,
                });
            }
        }
        if self.mistakes.is_empty() {
            return Ok(config);
        }
        Err(Mistakes {
            stack: self.stack.to_owned(),
            mistakes: self.mistakes,
        })
    }

    /// Takes a value. What is wrong is fixed with the allowed value next to it; without one, and
    /// where it would give a secret away, the key is taken out, so that the default is in force.
    fn parse<T>(
        &mut self,
        key: &'static str,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        nearest: impl FnOnce(&str) -> Option<String>,
    ) -> Option<T> {
        let text = self.take(key)?;
        let parsed = parse(text);
        if parsed.is_none() {
            let full = self.full(key);
            match nearest(text).filter(|_| !self.is_secret(key)) {
                Some(nearest) => self.mistake(key, text, what, &format!("{full} {nearest}")),
                None => {
                    let remove = format!("rm --stack {} {full}", self.stack);
                    self.mistake_with(key, text, what, &remove);
                }
            }
        }
        parsed
    }

    /// The text of a value that another has to agree with.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).map(|value| value.text.as_str())
    }

    fn take(&mut self, key: &'static str) -> Option<&'a str> {
        self.known.insert(key);
        self.values.get(key).map(|value| value.text.as_str())
    }

    /// Notes that a value is not allowed, with the end of the command that sets another.
    pub fn mistake(&mut self, key: &str, value: &str, allowed: &str, set: &str) {
        let command = format!("set --stack {} {set}", self.stack);
        self.mistake_with(key, value, allowed, &command);
    }

    /// The same, with all of the command after `pulumi config`.
    fn mistake_with(&mut self, key: &str, value: &str, allowed: &str, command: &str) {
        let name = key.split('[').next().unwrap_or(key);
        let value = match self.is_secret(name) {
            true => "[secret]",
            false => value,
        };
        self.mistakes.push(Mistake {
            key: self.full(key),
            trouble: format!("is '{value}', allowed: {allowed}"),
            fix: format!("pulumi config {command}"),
        });
    }

    fn is_secret(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| value.secret)
    }

    fn full(&self, key: &str) -> String {
        format!("{}:{key}", self.project)
    }

    fn nearest(&self, name: &str) -> Option<&'static str> {
        let distance = |key: &&'static str| strsim::damerau_levenshtein(key, name);
        let nearest = self.known.iter().copied().min_by_key(distance)?;
        (distance(&nearest) <= 3).then_some(nearest)
    }
}
