//! `tagwarden report`: which value of a tag has which resources, and what they cost.
//!
//! The resources come from a running server, page by page; costs from a file that somebody exported.
//! Amounts are exact: nothing is rounded.

mod amount;
mod costs;
mod sum;
mod table;

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use self::costs::Costs;
use self::sum::{Row, Show, Sum};
use super::Exit;
use super::change::{Called, Place};
use super::output::{print_bytes, print_line};
use super::within::Within;
use crate::wire::v1;

/// How many resources are asked for at once.
const PAGE: u32 = 1_000;

/// Tell which value of a tag has which resources of a running server, and what they cost.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The key of the tag.
    #[arg(long, value_name = "KEY")]
    by: String,
    #[command(flatten)]
    within: Within,
    /// What resources cost: a CSV file of ARN and amount, `-` being standard input; the line
    /// `resource,amount` may stand first. Amounts are decimals, and are summed exactly.
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// What is a row: a value, a type of resources with a value, or a single resource.
    #[arg(long, value_enum, default_value_t)]
    show: Show,
    /// On whose behalf: the ARN of a user or role. Default: what you are to the server, and
    /// everything as its own user.
    #[arg(long, default_value = "")]
    principal: String,
    #[command(flatten)]
    place: Place,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Form,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Table,
    /// JSON, one row a line.
    Json,
    /// CSV, with a head.
    Csv,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let costs = match args.costs.as_deref().map(Costs::read).transpose()? {
        Some(Err(errors)) => {
            for error in errors {
                eprintln!("error: {error}");
            }
            return Ok(Exit::Refused);
        }
        Some(Ok(costs)) => Some(costs),
        None => None,
    };
    let mut sum = Sum::new(&args.by, args.show, costs);
    let mut request = v1::ListResourcesByTagsRequest {
        principal: args.principal.clone(),
        scope: Some(args.within.scope()),
        filters: Vec::new(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let called = args.place.directory(async |mut client| {
        loop {
            let asked = client.list_resources_by_tags(request.clone());
            let page = asked.await?.into_inner();
            for resource in page.resources {
                if let Err(error) = sum.add(resource) {
                    return Ok(Err(error));
                }
            }
            if page.next_page_token.is_empty() {
                return Ok(Ok(()));
            }
            request.page_token = page.next_page_token;
        }
    })?;
    match called {
        Called::Answered(added) => tell(args, &added.and_then(|()| sum.finish())?),
        Called::Failed(exit) => Ok(exit),
    }
}

fn tell(args: &Args, told: &Told) -> anyhow::Result<Exit> {
    match args.output {
        Form::Table => print_line(table::table(&args.by, told)?.trim_end())?,
        Form::Json => {
            for row in &told.rows {
                print_line(&as_json(row, told).to_string())?;
            }
        }
        Form::Csv => print_bytes(&as_csv(told)?)?,
    }
    Ok(Exit::Ok)
}

/// A whole report.
#[derive(Debug)]
struct Told {
    rows: Vec<Row>,
    show: Show,
    /// How many decimal places amounts are told with; `None`: there are no amounts.
    places: Option<usize>,
}

impl Told {
    /// The names of the columns, behind those of the group.
    fn head(&self, group: &[&str]) -> Vec<String> {
        let mut head = group.to_vec();
        match self.show {
            Show::Groups => {}
            Show::Types => head.push("type"),
            Show::Resources => head.extend(["arn", "type"]),
        }
        head.push("resources");
        head.extend(self.places.map(|_| "amount"));
        head.into_iter().map(str::to_owned).collect()
    }

    /// The columns of a row, behind those of its group.
    fn line(&self, group: &[&str], row: &Row) -> Vec<String> {
        let mut line: Vec<String> = group.iter().map(|&cell| cell.to_owned()).collect();
        match self.show {
            Show::Groups => {}
            Show::Types => line.push(row.kind.clone()),
            Show::Resources => line.extend([row.arn.clone(), row.kind.clone()]),
        }
        line.push(row.resources.to_string());
        line.extend(self.places.map(|places| row.amount.told(places)));
        line
    }
}

fn as_json(row: &Row, told: &Told) -> Value {
    let mut object = Map::new();
    object.insert("group".to_owned(), row.group.name().into());
    object.insert("value".to_owned(), json!(row.group.value()));
    match told.show {
        Show::Groups => {}
        Show::Types => drop(object.insert("type".to_owned(), json!(row.kind))),
        Show::Resources => {
            object.insert("arn".to_owned(), json!(row.arn));
            object.insert("type".to_owned(), json!(row.kind));
        }
    }
    object.insert("resources".to_owned(), row.resources.into());
    if let Some(places) = told.places {
        object.insert("amount".to_owned(), row.amount.told(places).into());
    }
    object.into()
}

fn as_csv(told: &Told) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(told.head(&["group", "value"]))?;
    for row in &told.rows {
        let value = row.group.value().unwrap_or_default();
        writer.write_record(told.line(&[row.group.name(), value], row))?;
    }
    Ok(writer.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::sum::Group;

    #[test]
    fn groups_stand_in_their_order() {
        let value = |text: &str| Group::Value(text.to_owned());
        let mut groups = [Group::Unlisted, Group::Untagged, value("b"), value("")];
        groups.sort();
        let names = groups.map(|group| group.name());
        assert_eq!(names, ["value", "value", "untagged", "unlisted"]);
    }
}
