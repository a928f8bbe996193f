//! Which part of a bundle a file is, by its path (design, section 6).

use super::error::EntryErrorKind;
use crate::model::account::Name;
use crate::model::arn::AccountId;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) enum Part {
    /// `bundle.json`
    Bundle,
    /// `callers.json`
    Callers,
    /// `routes.json`
    Routes,
    /// `catalog/*.json`
    Catalog,
    /// `organizations/*.json`
    Organization,
    /// `accounts/<id>/…`
    Account(AccountId, AccountFilePart),
    /// `policies/system`
    System(Form),
    /// `policies/control`
    Control(Form),
    /// `policies/tag`
    Tag(Form),
    /// `policies/resource`
    Resource(Form),
    /// `resources.jsonl`
    Resources,
    /// `tests/…`: cases, which no bundle needs.
    Tests,
}

/// What a file of an account holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) enum AccountFilePart {
    /// `account.json`
    Account,
    /// `policies/*`
    Policy(Form),
}

/// How documents stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) enum Form {
    /// One, named by the file.
    Whole(Name),
    /// One a line, each with its name.
    Lines,
}

/// Reads a path: names with `/` between them, relative to the bundle.
pub(in crate::document) fn part(path: &str) -> Result<Part, EntryErrorKind> {
    let names: Vec<&str> = path.split('/').collect();
    match names.as_slice() {
        ["bundle.json"] => Ok(Part::Bundle),
        ["callers.json"] => Ok(Part::Callers),
        ["routes.json"] => Ok(Part::Routes),
        ["resources.jsonl"] => Ok(Part::Resources),
        ["tests", .., _] => Ok(Part::Tests),
        ["catalog", file] if is_json(file) => Ok(Part::Catalog),
        ["organizations", file] if is_json(file) => Ok(Part::Organization),
        ["policies", "system", file] => form(file).map(Part::System),
        ["policies", "control", file] => form(file).map(Part::Control),
        ["policies", "tag", file] => form(file).map(Part::Tag),
        ["policies", "resource", file] => form(file).map(Part::Resource),
        ["accounts", account, rest @ ..] => {
            let account =
                AccountId::try_from(*account).map_err(|_| EntryErrorKind::AccountDirectory)?;
            account_part(rest).map(|part| Part::Account(account, part))
        }
        _ => Err(EntryErrorKind::UnknownFile),
    }
}

fn account_part(names: &[&str]) -> Result<AccountFilePart, EntryErrorKind> {
    match names {
        ["account.json"] => Ok(AccountFilePart::Account),
        ["policies", file] => form(file).map(AccountFilePart::Policy),
        _ => Err(EntryErrorKind::UnknownFile),
    }
}

/// The account of a path below `accounts/<id>`, whatever else is wrong with it.
pub(in crate::document) fn account_of(path: &str) -> Option<AccountId> {
    let (account, _) = path.strip_prefix("accounts/")?.split_once('/')?;
    AccountId::try_from(account).ok()
}

fn is_json(file: &str) -> bool {
    file.strip_suffix(".json")
        .is_some_and(|stem| !stem.is_empty())
}

fn form(file: &str) -> Result<Form, EntryErrorKind> {
    if let Some(stem) = file.strip_suffix(".json") {
        return Ok(Form::Whole(Name::try_from(stem)?));
    }
    match file.strip_suffix(".jsonl") {
        Some(stem) if !stem.is_empty() => Ok(Form::Lines),
        _ => Err(EntryErrorKind::UnknownFile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_or_refused() {
        let name = |text| Name::try_from(text).unwrap();
        let account = AccountId::try_from("12").unwrap();
        let check = |path: &str, expected| assert_eq!(part(path), expected, "{path}");
        check("bundle.json", Ok(Part::Bundle));
        check("tests/a/b.jsonl", Ok(Part::Tests));
        check("catalog/x.json", Ok(Part::Catalog));
        check("catalog/x.jsonl", Err(EntryErrorKind::UnknownFile));
        check("catalog/.json", Err(EntryErrorKind::UnknownFile));
        check(
            "policies/system/A.json",
            Ok(Part::System(Form::Whole(name("A")))),
        );
        check("policies/control/all.jsonl", Ok(Part::Control(Form::Lines)));
        check("policies/tag/a.json", Ok(Part::Tag(Form::Whole(name("a")))));
        check("callers.json", Ok(Part::Callers));
        check("routes.json", Ok(Part::Routes));
        check("bundle.json/x", Err(EntryErrorKind::UnknownFile));
        check(
            "accounts/12/account.json",
            Ok(Part::Account(account.clone(), AccountFilePart::Account)),
        );
        check("accounts/12/users.json", Err(EntryErrorKind::UnknownFile));
        assert_eq!(account_of("accounts/12/users.json"), Some(account));
        check(
            "accounts/x/account.json",
            Err(EntryErrorKind::AccountDirectory),
        );
        assert!(matches!(
            part("policies/system/a b.json"),
            Err(EntryErrorKind::Name(_))
        ));
    }
}
