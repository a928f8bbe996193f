//! Compiler and reference merge random chains alike, with all operators, sections and dialects.
//!
//! `TAGWARDEN_CASES` tells how many; failures are shrunk and saved beside this file.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{Strategy as _, any};
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use tagwarden::compiler::effective::MergeError;
use tagwarden::model::tag_policy::{
    Correction, Corrections, Dialect, ListClause, ListSetting, Operator, Operators,
    PolicyStatement, ScopeMember, Section, Single, TagPolicy,
};
use tagwarden::reference::tag_policy::effective;

use super::compiled;
use crate::support::generate::Tape;

const CASES: u32 = 20_000;

#[test]
fn compiler_and_reference_merge_alike() {
    let cases = std::env::var("TAGWARDEN_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let file = "tests/tag_policy/differential.proptest-regressions";
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(file))),
        ..Config::default()
    });
    let tapes = vec(any::<u16>(), 0..400).prop_map(|tape| world(&tape));
    let result = runner.run(&tapes, |(dialect, policies)| {
        let chain: Vec<Vec<&TagPolicy>> =
            policies.iter().map(|node| node.iter().collect()).collect();
        match compiled(dialect, &chain) {
            Ok(found) => {
                let expected = effective(dialect, &chain);
                proptest::prop_assert_eq!(found, expected);
                Ok(())
            }
            // One node alone is over a limit: there is nothing to compare.
            Err(MergeError::OverLimit { .. }) => Ok(()),
            Err(error @ MergeError::Regex { .. }) => Err(TestCaseError::fail(error.to_string())),
        }
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

type World = (Dialect, Vec<Vec<TagPolicy>>);

fn world(tape: &[u16]) -> World {
    let tape = &mut Tape::new(tape);
    let dialect = tape.pick(&Dialect::ALL);
    let nodes = 1 + tape.below(4);
    let chain = (0..nodes).map(|_| {
        let policies = tape.below(4);
        (0..policies).map(|_| policy(tape, dialect)).collect()
    });
    let chain = chain.collect();
    (dialect, chain)
}

fn policy(tape: &mut Tape<'_>, dialect: Dialect) -> TagPolicy {
    let mut statements: Vec<PolicyStatement> = Vec::new();
    for _ in 0..=tape.below(3) {
        let made = statement(tape, dialect);
        let is_known = |one: &PolicyStatement| one.section == made.section && one.key == made.key;
        if !statements.iter().any(is_known) {
            statements.push(made);
        }
    }
    TagPolicy {
        dialect,
        statements,
    }
}

fn statement(tape: &mut Tape<'_>, dialect: Dialect) -> PolicyStatement {
    let section = match dialect {
        Dialect::Alibaba => tape.pick(&[
            Section::Tags,
            Section::Tags,
            Section::MatchedTags,
            Section::RgInherit,
        ]),
        Dialect::Huawei | Dialect::Aws => Section::Tags,
    };
    let key: Arc<str> = tape.pick(&["env", "team"]).into();
    let tag_key = tape.percent(60).then(|| {
        let spelling = [&*key, "Env", "TEAM"].map(Arc::from);
        single(tape, |tape| tape.pick(&spelling))
    });
    let mut lists = BTreeMap::new();
    for setting in settings(dialect, section) {
        if tape.percent(45) {
            lists.insert(setting, clause(tape, setting));
        }
    }
    let has_correction = dialect == Dialect::Alibaba && section != Section::RgInherit;
    let correction = (has_correction && tape.percent(20)).then(|| single(tape, corrections));
    PolicyStatement {
        section,
        key,
        tag_key,
        lists,
        correction,
    }
}

fn settings(dialect: Dialect, section: Section) -> Vec<ListSetting> {
    let scopes = [
        ListSetting::ResourceTypeScope,
        ListSetting::RegionScope,
        ListSetting::RgScope,
    ];
    let mut settings = match (dialect, section) {
        (_, Section::RgInherit) => Vec::new(),
        (_, Section::MatchedTags) => vec![ListSetting::TagValue],
        (Dialect::Alibaba | Dialect::Huawei, Section::Tags) => {
            vec![ListSetting::TagValue, ListSetting::EnforcedFor]
        }
        (Dialect::Aws, Section::Tags) => vec![
            ListSetting::TagValue,
            ListSetting::EnforcedFor,
            ListSetting::ReportRequiredTagFor,
        ],
    };
    if dialect == Dialect::Alibaba {
        settings.extend(scopes);
    }
    settings
}

fn single<T>(tape: &mut Tape<'_>, make: impl FnOnce(&mut Tape<'_>) -> T) -> Single<T> {
    Single {
        assign: tape.percent(75).then(|| make(tape)),
        children: children(tape),
    }
}

fn clause(tape: &mut Tape<'_>, setting: ListSetting) -> ListClause {
    ListClause {
        assign: tape.percent(40).then(|| values(tape, setting)),
        append: tape.percent(45).then(|| values(tape, setting)),
        remove: tape.percent(35).then(|| values(tape, setting)),
        children: children(tape),
    }
}

fn children(tape: &mut Tape<'_>) -> Option<Operators> {
    tape.percent(30).then(|| {
        let held = Operator::ALL.into_iter().filter(|_| tape.percent(50));
        held.collect()
    })
}

/// Few values, so that they meet; sometimes so many groups that two nodes are over the limit.
fn values(tape: &mut Tape<'_>, setting: ListSetting) -> Vec<Arc<str>> {
    if setting == ListSetting::RgScope && tape.percent(15) {
        let first = tape.below(20);
        return (first..first + 14)
            .map(|number| format!("rg-{number}").into())
            .collect();
    }
    let names: [&str; 4] = match setting {
        ListSetting::TagValue => ["a", "b", "c", "x.y"],
        ListSetting::RegionScope => ["cn-1", "cn-2", "cn-3", "cn-4"],
        ListSetting::RgScope => ["rg-1", "rg-2", "rg-3", "rg-4"],
        ListSetting::ResourceTypeScope
        | ListSetting::EnforcedFor
        | ListSetting::ReportRequiredTagFor => ["ecs:a", "ecs:b", "ec2:a", "ec2:b"],
    };
    let count = tape.below(4);
    (0..count).map(|_| tape.pick(&names).into()).collect()
}

fn corrections(tape: &mut Tape<'_>) -> Corrections {
    let value: Arc<str> = tape.pick(&["a", "b"]).into();
    let scope = vec![(
        ScopeMember::ResourceGroup,
        tape.pick(&["rg-1", "rg-2"]).into(),
    )];
    Corrections(vec![Correction { value, scope }])
}
