//! A report for people: columns side by side, numbers to the right.

use super::Told;
use super::amount::{Amount, Overflow};
use super::sum::{Group, Row, Show};

/// What stands between two columns.
const GAP: &str = "  ";

/// A report as a table, with the total below.
pub(super) fn table(key: &str, told: &Told) -> Result<String, Overflow> {
    let mut lines = vec![told.head(&[key])];
    let (mut resources, mut amount) = (0_u64, Amount::default());
    for row in &told.rows {
        resources = resources.saturating_add(row.resources);
        amount = amount.plus(row.amount)?;
        lines.push(told.line(&[&name(&row.group)], row));
    }
    let total = Row {
        group: Group::Untagged,
        arn: String::new(),
        kind: String::new(),
        resources,
        amount,
    };
    lines.push(told.line(&["total"], &total));
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
