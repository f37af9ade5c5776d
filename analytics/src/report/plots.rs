//! The plots: bars of HTML for names, SVG for time.

use super::Portraits;
use super::html::{escape, number, shown, thousands};
use crate::answer::Answer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write;
use time::macros::format_description;
use time::{Date, Duration, PrimitiveDateTime};

/// Of a plot over the whole page, and over half of it: signs have the same size in both.
const WIDE: f64 = 900.0;
const NARROW: f64 = 440.0;
const HEIGHT: f64 = 200.0;
/// Beside the bars, for the labels of the axis.
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 20.0;

/// Up to so many hours each has a bar; beyond that each day has.
const HOURS: i64 = 72;

/// Up to so many days each has a bar; beyond that days without clicks are left out.
const DAYS: i64 = 3_700;

/// How many rows a ranking has.
const ROWS: usize = 15;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Vertical bars, each of parts with a class of their own.
struct Bars<'a> {
    width: f64,
    names: Vec<String>,
    parts: Vec<(&'a str, Vec<f64>)>,
}

impl Bars<'_> {
    fn svg(&self) -> Option<String> {
        let (count, width) = (self.names.len(), self.width);
        let sums: Vec<f64> = (0..count)
            .map(|at| {
                self.parts
                    .iter()
                    .filter_map(|(_, values)| values.get(at))
                    .sum()
            })
            .collect();
        let greatest = sums.iter().copied().fold(0.0, f64::max);
        if count == 0 || greatest <= 0.0 {
            return None;
        }
        let top = round_up(greatest);
        let step = (width - LEFT) / count as f64;
        let y = |value: f64| HEIGHT - value / top * HEIGHT;
        let mut svg = format!(
            "<svg class=\"plot\" viewBox=\"0 -12 {width} {}\">\n",
            HEIGHT + BOTTOM + 16.0
        );
        let lines = [0.0, top / 2.0, top];
        for value in lines.into_iter().filter(|value| value.fract() == 0.0) {
            let y = y(value);
            writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{width}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                thousands(value)
            )
            .ok()?;
        }
        for (at, name) in self.names.iter().enumerate() {
            let mut base = 0.0;
            for (class, values) in &self.parts {
                let value = values.get(at).copied().unwrap_or_default();
                if value > 0.0 {
                    writeln!(
                        svg,
                        "<rect class=\"{class}\" x=\"{:.2}\" width=\"{:.2}\" y=\"{:.2}\" \
                         height=\"{:.2}\"><title>{}: {}</title></rect>",
                        LEFT + step * at as f64 + step * 0.08,
                        step * 0.84,
                        y(base + value),
                        value / top * HEIGHT,
                        escape(name),
                        thousands(value)
                    )
                    .ok()?;
                }
                base += value;
            }
        }
        // As many names as there is room for.
        let every = (count as f64 / ((width - LEFT) / 60.0)).ceil().max(1.0) as usize;
        for (at, name) in self.names.iter().enumerate().step_by(every) {
            writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                LEFT + step * (at as f64 + 0.5),
                HEIGHT + BOTTOM,
                escape(name)
            )
            .ok()?;
        }
        Some(svg + "</svg>\n")
    }
}

/// The next round number.
fn round_up(value: f64) -> f64 {
    let scale = 10f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let top = steps.into_iter().map(|step| step * scale);
    top.into_iter()
        .find(|top| *top >= value)
        .unwrap_or(value)
        .max(2.0)
}

/// Clicks by hour, or by day when there are many hours; hours and days without clicks too.
pub fn over_time(answer: &Answer) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
    let hours = answer
        .column("hour")
        .into_iter()
        .zip(answer.column("clicks"));
    let hours: BTreeMap<PrimitiveDateTime, f64> = hours
        .filter_map(|(hour, clicks)| {
            let hour = PrimitiveDateTime::parse(hour.as_str()?, format).ok()?;
            Some((hour, number(clicks)))
        })
        .collect();
    let (first, last) = (*hours.keys().next()?, *hours.keys().next_back()?);
    let length = (last - first).whole_hours();
    if length < HOURS {
        let all = (0..=length).map(|hour| first + Duration::hours(hour));
        let values = all
            .clone()
            .map(|hour| hours.get(&hour).copied().unwrap_or_default());
        let values = values.collect();
        let names = all.map(|hour| format!("{} {:02}:00", short(hour.date()), hour.hour()));
        let names = names.collect();
        return bars(WIDE, names, values);
    }
    let mut days: BTreeMap<Date, f64> = BTreeMap::new();
    for (hour, clicks) in hours {
        *days.entry(hour.date()).or_default() += clicks;
    }
    fill(&mut days);
    let (days, values): (Vec<Date>, Vec<f64>) = days.into_iter().unzip();
    bars(WIDE, days.into_iter().map(short).collect(), values)
}

fn bars(width: f64, names: Vec<String>, values: Vec<f64>) -> Option<String> {
    let parts = vec![("first", values)];
    Bars {
        width,
        names,
        parts,
    }
    .svg()
}

/// Days without clicks have a bar of no height.
fn fill<T: Default>(days: &mut BTreeMap<Date, T>) {
    let (Some(&first), Some(&last)) = (days.keys().next(), days.keys().next_back()) else {
        return;
    };
    let length = (last - first).whole_days();
    if length < DAYS {
        for day in 0..length {
            days.entry(first + Duration::days(day)).or_default();
        }
    }
}

fn short(day: Date) -> String {
    format!("{} {}", day.day(), &day.month().to_string()[..3])
}

/// Rows with the most first, by name, with a portrait where there is one.
pub fn ranking(
    answer: &Answer,
    name: &str,
    measure: &str,
    portraits: &Portraits,
) -> Option<String> {
    let rows = answer.column(name).into_iter().zip(answer.column(measure));
    let rows: Vec<_> = rows.take(ROWS).collect();
    let greatest = rows
        .iter()
        .map(|(_, value)| number(value))
        .fold(0.0, f64::max);
    let mut html = "<div class=\"rows\">\n".to_owned();
    for (name_of_row, value) in rows {
        let portrait = name_of_row.as_str().and_then(|id| portraits.get(id));
        let picture = portrait.map_or_else(String::new, |portrait| {
            let picture = STANDARD.encode(&portrait.picture);
            format!("<img alt=\"\" src=\"data:image/svg+xml;base64,{picture}\">")
        });
        html += &row(
            "row",
            &format!("{picture}{}", shown(name, name_of_row, portraits)),
            "first",
            number(value),
            greatest,
        );
    }
    Some(html + "</div>\n")
}

fn row(class: &str, name: &str, bar: &str, value: f64, greatest: f64) -> String {
    let width = if greatest > 0.0 {
        value / greatest * 100.0
    } else {
        0.0
    };
    format!(
        "<div class=\"{class}\"><span class=\"name\">{name}</span>\
         <div><div class=\"bar {bar}\" style=\"width: {width:.1}%\"></div></div>\
         <span class=\"count\">{}</span></div>\n",
        thousands(value)
    )
}

/// Why records failed.
pub fn reasons(answer: &Answer) -> Option<String> {
    let rows = answer
        .column("reason")
        .into_iter()
        .zip(answer.column("records"));
    let rows: Vec<_> = rows.take(ROWS).collect();
    let greatest = rows
        .iter()
        .map(|(_, value)| number(value))
        .fold(0.0, f64::max);
    let rows = rows.into_iter().map(|(reason, value)| {
        let reason = escape(reason.as_str().unwrap_or_default());
        row("row long", &reason, "bad", number(value), greatest)
    });
    Some(format!(
        "<div class=\"rows\">\n{}</div>\n",
        rows.collect::<String>()
    ))
}

/// Hearts beside manners: the grid of nine, with what else a catalogue may say in more cells.
pub fn nine(answer: &Answer) -> Option<String> {
    let hearts = order(answer.column("goodevil"), &["Good", "Neutral", "Evil"]);
    let manners = order(answer.column("lawchaos"), &["Lawful", "Neutral", "Chaotic"]);
    if hearts.len() > 6 || manners.len() > 6 {
        return None;
    }
    let mut counts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let columns = ["goodevil", "lawchaos", "clicks"].map(|name| answer.column(name));
    for ((heart, manner), clicks) in columns[0].iter().zip(&columns[1]).zip(&columns[2]) {
        let key = (
            heart.as_str().unwrap_or_default(),
            manner.as_str().unwrap_or_default(),
        );
        *counts.entry(key).or_default() += number(clicks);
    }
    let greatest = counts.values().copied().fold(0.0, f64::max);
    let mut html = "<table class=\"nine\">\n<tr><th></th>".to_owned();
    for manner in &manners {
        html += &format!("<th>{}</th>", escape(manner));
    }
    html += "</tr>\n";
    for heart in &hearts {
        html += &format!("<tr><th>{}</th>", escape(heart));
        for manner in &manners {
            let count = counts.get(&(*heart, *manner)).copied().unwrap_or_default();
            let share = if greatest > 0.0 {
                count / greatest * 75.0
            } else {
                0.0
            };
            html += &format!(
                "<td style=\"--share: {share:.0}%\">{}</td>",
                thousands(count)
            );
        }
        html += "</tr>\n";
    }
    Some(html + "</table>\n")
}

/// The known values in their order, then the others.
fn order<'a>(values: Vec<&'a serde_json::Value>, known: &[&'a str]) -> Vec<&'a str> {
    let mut ordered = known.to_vec();
    for value in values {
        let value = value.as_str().unwrap_or_default();
        if !ordered.contains(&value) {
            ordered.push(value);
        }
    }
    ordered
}

/// Guests and users beside each other.
pub fn shares(answer: &Answer) -> Option<String> {
    let columns = ["visitors", "clicks", "share"].map(|name| answer.column(name));
    let mut stack = String::new();
    let mut key = String::new();
    let rows = columns[0].iter().zip(&columns[1]).zip(&columns[2]);
    for (((visitors, clicks), share), class) in rows.zip(["second", "first"]) {
        let percent = number(share) * 100.0;
        stack += &format!("<div class=\"bar {class}\" style=\"width: {percent:.2}%\"></div>");
        key += &format!(
            "<span><i class=\"{class}\"></i>{}: {} clicks, {percent:.1} %</span>",
            escape(visitors.as_str().unwrap_or_default()),
            thousands(number(clicks))
        );
    }
    Some(format!(
        "<div class=\"stack\">{stack}</div>\n<div class=\"key\">{key}</div>\n"
    ))
}

/// Users by day, those who are new and those who come back.
pub fn new_and_returning(answer: &Answer) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]");
    let columns = ["day", "newUsers", "returningUsers"].map(|name| answer.column(name));
    let rows = columns[0].iter().zip(&columns[1]).zip(&columns[2]);
    let mut days: BTreeMap<Date, (f64, f64)> = rows
        .filter_map(|((day, new), returning)| {
            let day = Date::parse(day.as_str()?, format).ok()?;
            Some((day, (number(new), number(returning))))
        })
        .collect();
    fill(&mut days);
    let names = days.keys().map(|day| short(*day)).collect();
    let new = days.values().map(|(new, _)| *new).collect();
    let returning = days.values().map(|(_, returning)| *returning).collect();
    let parts = vec![("first", returning), ("second", new)];
    let svg = Bars {
        width: WIDE,
        names,
        parts,
    }
    .svg()?;
    Some(
        svg + "<div class=\"key\"><span><i class=\"second\"></i>new</span>\
               <span><i class=\"first\"></i>returning</span></div>\n",
    )
}

/// Clicks by day of the week, from Monday on.
pub fn week(answer: &Answer) -> Option<String> {
    let names = WEEKDAYS.map(str::to_owned).to_vec();
    bars(NARROW, names, places(answer, "weekday", 1, WEEKDAYS.len()))
}

/// Clicks by hour of the day.
pub fn day(answer: &Answer) -> Option<String> {
    let names = (0..24).map(|hour| format!("{hour:02}:00"));
    bars(NARROW, names.collect(), places(answer, "hourOfDay", 0, 24))
}

/// Clicks by a number that begins with `first`.
fn places(answer: &Answer, column: &str, first: usize, count: usize) -> Vec<f64> {
    let mut values = vec![0.0; count];
    for (place, clicks) in answer
        .column(column)
        .into_iter()
        .zip(answer.column("clicks"))
    {
        let at = (number(place) as usize).checked_sub(first);
        if let Some(value) = at.and_then(|at| values.get_mut(at)) {
            *value = number(clicks);
        }
    }
    values
}
