//! What a change costs: the lines of docs/prices.json, each with how much of it the stack before
//! and the stack afterwards have.

mod measure;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

use crate::preview::Preview;
use measure::Measures;

/// The parts of a dollar that are told apart.
const PRECISION: f64 = 1e6;

/// The file of prices. Its prices are those of us-east-1, in dollars.
#[derive(Debug, Clone, Deserialize)]
pub struct Prices {
    prices: BTreeMap<String, Price>,
    #[serde(deserialize_with = "in_order")]
    tables: Vec<(String, Vec<Line>)>,
}

/// The entries of an object, in the order of the file.
fn in_order<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, Vec<Line>)>, D::Error> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(String, Vec<Line>)>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("tables by their titles")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_map(Entries)
}

#[derive(Debug, Clone, Deserialize)]
struct Price {
    dollars: f64,
    per: f64,
    /// What every account has for nothing each month.
    #[serde(default)]
    free: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct Line {
    price: String,
    quantity: f64,
    /// What of the stack it is a multiple of; without it, it is the same for every stack.
    measure: Option<String>,
    #[serde(default)]
    each: f64,
}

/// What a stack costs before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    pub tables: Vec<Table>,
}

/// A sum, such as that of a month in which nobody clicks. What is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    pub of: String,
    /// Dollars.
    pub before: Option<f64>,
    pub after: Option<f64>,
    /// The prices whose part of the sum changes.
    pub changes: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    pub price: String,
    pub before: Option<f64>,
    pub after: Option<f64>,
}

impl Prices {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no such file, or a line has a price that the file lacks.
    pub fn parse(text: &str) -> Result<Self, String> {
        let prices: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let lines = prices.tables.iter().flat_map(|(_, lines)| lines);
        for line in lines {
            if !prices.prices.contains_key(&line.price) {
                return Err(format!("there is no price `{}`", line.price));
            }
            if let Some(measure) = &line.measure
                && !measure::NAMES.contains(&measure.as_str())
            {
                return Err(format!("there is no measure `{measure}`"));
            }
        }
        Ok(prices)
    }

    fn dollars(&self, line: &Line, measures: &Measures) -> Option<f64> {
        let price = self.prices.get(&line.price)?;
        let quantity = line.quantity_of(measures)?;
        let dollars = (quantity - price.free).max(0.0) / price.per * price.dollars;
        // What is beyond is noise of the arithmetic.
        Some((dollars * PRECISION).round() / PRECISION)
    }
}

impl Line {
    fn quantity_of(&self, measures: &Measures) -> Option<f64> {
        match &self.measure {
            None => Some(if measures.is_empty() {
                0.0
            } else {
                self.quantity
            }),
            Some(measure) => Some(measures.of(measure)? * self.each),
        }
    }
}

impl Cost {
    pub fn of(preview: &Preview, prices: &Prices) -> Self {
        let (before, after) = (Measures::before(preview), Measures::after(preview));
        let tables = prices.tables.iter().map(|(name, lines)| {
            let mut items: Vec<Item> = Vec::new();
            for line in lines {
                let item = Item {
                    price: line.price.clone(),
                    before: prices.dollars(line, &before),
                    after: prices.dollars(line, &after),
                };
                match items.iter_mut().find(|known| known.price == item.price) {
                    Some(known) => {
                        known.before = sum([known.before, item.before]);
                        known.after = sum([known.after, item.after]);
                    }
                    None => items.push(item),
                }
            }
            Table {
                of: name.clone(),
                before: sum(items.iter().map(|item| item.before)),
                after: sum(items.iter().map(|item| item.after)),
                changes: items
                    .into_iter()
                    .filter(|item| item.before != item.after)
                    .collect(),
            }
        });
        Self {
            tables: tables.collect(),
        }
    }

    /// Whether any sum is another.
    pub fn changes(&self) -> bool {
        self.tables.iter().any(|table| !table.changes.is_empty())
    }
}

/// Nothing is known of a sum when a part of it is not known.
fn sum(parts: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    parts.into_iter().sum()
}
