//! Case files: one JSON object a line, each with its own documents, a question and its answer.
//!
//! A case of the RAM form becomes a [`Bundle`] and an [`AccessRequest`], which engine and reference
//! evaluator are both asked. A policy that is refused does not refuse the case: it is the outcome.
//!
//! Not here: deciding, and comparing what was decided with what was expected.

mod association;
mod compliance;
mod expect;
mod request;
mod route;
mod tag_policy;
mod world;

pub use association::{AssociationCase, Pair, Step};
pub use compliance::ComplianceCase;
pub use expect::{Expectation, Expected};
pub use route::{RouteCase, RouteExpected, RouteQuestion, SentBody, SentRequest};
pub use tag_policy::{Admission, ChainNode, TagPolicyCase, TagPolicyQuestion};

use super::bundle::FileErrors;
use super::cursor::{self, Cursor, Sink, Told};
use super::error::{DocumentErrors, ShapeErrorKind};
use super::position::Source;
use crate::model::bundle::Bundle;
use crate::model::request::AccessRequest;

/// The most bytes of one case.
pub const MAX_CASE_BYTES: usize = 1024 * 1024;

/// The cases of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseFile {
    /// The cases that can be asked.
    pub cases: Vec<Case>,
    /// The cases of compliance.
    pub compliance: Vec<ComplianceCase>,
    /// Those of tag policies.
    pub tag_policies: Vec<TagPolicyCase>,
    /// Those of associated inheritance.
    pub associations: Vec<AssociationCase>,
    /// Those of routes.
    pub routes: Vec<RouteCase>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name in the file.
    pub id: String,
    /// The line that it stands on.
    pub line: usize,
    /// What the question is asked of.
    pub world: World,
    /// The question.
    pub request: AccessRequest,
    /// The answer.
    pub expectation: Expectation,
}

/// What the documents of a case came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum World {
    /// All that its documents say.
    Ready(Box<Bundle>),
    /// A policy is refused: the outcome is the error `INVALID_DOCUMENT`.
    Refused(DocumentErrors),
}

/// Reads a case file. `file` is its name in errors.
///
/// # Errors
///
/// All errors of the file, but for those of policies.
pub fn read_cases(file: &str, text: &str) -> Result<CaseFile, FileErrors> {
    let mut read = CaseFile::default();
    let mut refused = FileErrors::default();
    for (line, number) in text.lines().zip(1..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let source = Source::on_line(line, number);
        match cursor::read(source, MAX_CASE_BYTES, |at, sink| case(at, source, sink)) {
            Ok(parsed) => match parsed.value {
                Read::Ram(case) => read.cases.push(*case),
                Read::Compliance(case) => read.compliance.push(*case),
                Read::TagPolicy(case) => read.tag_policies.push(case),
                Read::Association(case) => read.associations.push(case),
                Read::Route(case) => read.routes.push(*case),
            },
            Err(errors) => refused.push_all(file, &errors),
        }
    }
    if refused.is_empty() {
        Ok(read)
    } else {
        Err(refused)
    }
}

/// What tells the forms apart.
enum Form {
    Ram,
    Compliance,
    Effective,
    Admission,
    Association,
    Route,
}

/// A case of one of the forms.
enum Read {
    Ram(Box<Case>),
    Compliance(Box<ComplianceCase>),
    TagPolicy(TagPolicyCase),
    Association(AssociationCase),
    Route(Box<RouteCase>),
}

fn form(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Form, Told> {
    let entries = at.entries(sink)?;
    let has = |name: &str| entries.iter().any(|(known, _)| *known == name);
    if has("routes") {
        Ok(Form::Route)
    } else if has("request") {
        Ok(Form::Ram)
    } else if has("effective_policy") {
        Ok(Form::Compliance)
    } else if has("chain") {
        Ok(Form::Effective)
    } else if has("document") {
        Ok(Form::Admission)
    } else if has("steps") {
        Ok(Form::Association)
    } else {
        let name = "request";
        Err(at.refuse(ShapeErrorKind::MissingMember { name }, sink))
    }
}

fn case(at: &Cursor<'_, '_>, source: Source<'_>, sink: &mut Sink<'_>) -> Result<Read, Told> {
    match form(at, sink)? {
        Form::Ram => ram_case(at, source, sink).map(|case| Read::Ram(Box::new(case))),
        Form::Compliance => compliance::read(at, source.first_line, sink)
            .map(|case| Read::Compliance(Box::new(case))),
        Form::Association => association::read(at, source.first_line, sink).map(Read::Association),
        Form::Route => route::read(at, source, sink).map(|case| Read::Route(Box::new(case))),
        Form::Effective => tag_policy::effective(at, source, sink).map(Read::TagPolicy),
        Form::Admission => tag_policy::admission(at, source, sink).map(Read::TagPolicy),
    }
}

const MEMBERS: [&str; 18] = [
    "id",
    "name",
    "source",
    "why",
    "features",
    "pivotal",
    "ambiguous",
    "alt",
    "policies",
    "request",
    "unknown_resources",
    "organization",
    "catalog",
    "settings",
    "expect",
    "decision",
    "expect_error",
    "obligations",
];

fn ram_case(at: &Cursor<'_, '_>, source: Source<'_>, sink: &mut Sink<'_>) -> Result<Case, Told> {
    let members = at.members(&MEMBERS, sink)?;
    let id = members
        .required("id", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let expectation = expect::read(&members, sink);
    let asked = request::read(&members, sink);
    let asked = asked?;
    let world = world::read(&members, &asked, source, sink)?;
    Ok(Case {
        id: id?,
        line: source.first_line,
        request: asked.into_request(world.session),
        world: world.world,
        expectation: expectation?,
    })
}
