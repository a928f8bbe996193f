//! A report for people: columns side by side, numbers to the right.

use super::Told;
use super::amount::{Amount, Overflow};
use super::sum::{Group, Row, Show};

/// What stands between two columns.
const GAP: &str = "  ";

/// A report as a table, with the total below.
pub(super) fn table(key: &str, told: &Told) -> Result<String, Overflow> {
    let mut lines = vec![head(key, told)];
    let (mut resources, mut amount) = (0_u64, Amount::default());
    for row in &told.rows {
        resources = resources.saturating_add(row.resources);
        amount = amount.plus(row.amount)?;
        lines.push(line(name(&row.group), row, told));
    }
    let total = Row {
        group: Group::Untagged,
        arn: String::new(),
        kind: String::new(),
        resources,
        amount,
    };
    lines.push(line("total".to_owned(), &total, told));
    Ok(aligned(&lines, texts(told.show)))
}

/// How many columns are text.
fn texts(show: Show) -> usize {
    match show {
        Show::Groups => 1,
        Show::Types => 2,
        Show::Resources => 3,
    }
}

fn name(group: &Group) -> String {
    match group {
        Group::Value(value) if value.is_empty() => "\"\"".to_owned(),
        Group::Value(value) => value.clone(),
        Group::Untagged => "(untagged)".to_owned(),
        Group::Unlisted => "(not listed)".to_owned(),
    }
}

fn head(key: &str, told: &Told) -> Vec<String> {
    let mut head = vec![key];
    match told.show {
        Show::Groups => {}
        Show::Types => head.push("type"),
        Show::Resources => head.extend(["arn", "type"]),
    }
    head.push("resources");
    head.extend(told.places.map(|_| "amount"));
    head.into_iter().map(str::to_owned).collect()
}

fn line(name: String, row: &Row, told: &Told) -> Vec<String> {
    let mut line = vec![name];
    match told.show {
        Show::Groups => {}
        Show::Types => line.push(row.kind.clone()),
        Show::Resources => line.extend([row.arn.clone(), row.kind.clone()]),
    }
    line.push(row.resources.to_string());
    line.extend(told.places.map(|places| row.amount.told(places)));
    line
}

fn aligned(lines: &[Vec<String>], texts: usize) -> String {
    let width = |cell: &String| cell.chars().count();
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        widths.resize(line.len().max(widths.len()), 0);
        for (widest, cell) in widths.iter_mut().zip(line) {
            *widest = width(cell).max(*widest);
        }
    }
    let mut table = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate();
        let cells = cells.map(|(place, (cell, width))| match place {
            place if place < texts => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let cells: Vec<String> = cells.collect();
        table.push_str(cells.join(GAP).trim_end());
        table.push('\n');
    }
    table
}
