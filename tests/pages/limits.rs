//! The page of limits is what the constants say.
//!
//! `UPDATE_GOLDEN=1 cargo test --test main pages` writes it.

use std::fmt::{Display, Write as _};
use std::fs;
use std::path::Path;

use tagwarden::document::error::{Limit, ShapeErrorKind};
use tagwarden::document::policy::{self, PolicyErrorKind};
use tagwarden::document::{bundle, case, catalog, error, json};
use tagwarden::model::resource::MAX_PRIMARIES;
use tagwarden::model::tagging::{
    FailureCode, MAX_KEYS_OF_CALL, MAX_PREDEFINED_KEYS, MAX_PREDEFINED_VALUES,
};
use tagwarden::model::verdict::{RefusalReason, limits};
use tagwarden::model::{action, arn, organization, pattern, tag};
use tagwarden::service::{Config, pap, rest};
use tagwarden::source::files;
use tagwarden::tagging::shape::{Form, MAX_RESOURCES};
use tagwarden::wire::status::{CallError, CallLimit, DirectoryFault, TaggingFault};
use tagwarden::wire::{change, listing};

const OPENING: &str = "# Limits

Everything that comes in is bounded, and refused before work is done on what is over a bound. Nothing
is cut off or repaired.
";

/// One row: what is counted, the most that is taken, and what more is answered with.
type Row = (&'static str, String, String);

fn row(what: &'static str, most: impl Display, reason: impl Display) -> Row {
    (what, most.to_string(), format!("`{reason}`"))
}

/// A number with commas between thousands.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(number: usize) -> String {
    const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS
        .iter()
        .find(|(size, _)| number >= *size && number.is_multiple_of(*size));
    match unit {
        Some((size, name)) => format!("{} {name}", number / size),
        None => format!("{} bytes", count(number)),
    }
}

fn table(page: &mut String, title: &str, opening: &str, reason: &str, rows: &[Row]) {
    writeln!(page, "\n## {title}\n\n{opening}\n").unwrap();
    writeln!(page, "| what | at most | {reason} |\n|---|---|---|").unwrap();
    for (what, most, reason) in rows {
        writeln!(page, "| {what} | {most} | {reason} |").unwrap();
    }
}

fn requests() -> Vec<Row> {
    use RefusalReason::{ContextLimit, InvalidDocument, InvalidRequest, ResourceLimit, TagLimit};
    vec![
        row("resources", count(limits::RESOURCES), ResourceLimit),
        row(
            "tags of the tag parameter, or of a filter",
            count(limits::REQUEST_TAGS),
            TagLimit,
        ),
        row("removed tag keys", count(limits::REMOVED_KEYS), TagLimit),
        row(
            "tags of one resource",
            count(limits::RESOURCE_TAGS),
            TagLimit,
        ),
        row(
            "characters of a tag key",
            count(tag::MAX_KEY_CHARS),
            InvalidRequest,
        ),
        row(
            "characters of a tag value",
            count(tag::MAX_VALUE_CHARS),
            InvalidRequest,
        ),
        row("bytes of an ARN", count(arn::MAX_ARN_BYTES), InvalidRequest),
        row(
            "bytes of an action",
            count(action::MAX_ACTION_BYTES),
            InvalidRequest,
        ),
        row(
            "bytes of a resource's type",
            count(limits::RESOURCE_TYPE_BYTES),
            InvalidRequest,
        ),
        row(
            "context entries",
            count(limits::CONTEXT_ENTRIES),
            ContextLimit,
        ),
        row(
            "values of a context entry",
            count(limits::CONTEXT_VALUES),
            ContextLimit,
        ),
        row(
            "bytes of a context key or value",
            count(limits::CONTEXT_BYTES),
            InvalidRequest,
        ),
        row(
            "characters of a session policy",
            count(limits::SESSION_POLICY_CHARS),
            InvalidDocument,
        ),
    ]
}

fn calls() -> Vec<Row> {
    let over = |limit| CallError::OverLimit { limit, found: 0 }.reason();
    let waiting = CallError::TooManyWaiters.reason();
    let late = CallError::RevisionNotReached {
        asked: 0,
        served: 0,
    };
    vec![
        row(
            "requests of a batch",
            count(limits::BATCH),
            over(CallLimit::Batch),
        ),
        row(
            "resources of a batch, in all",
            count(limits::SUB_CHECKS),
            over(CallLimit::SubChecks),
        ),
        row(
            "candidates of a filter",
            count(limits::CANDIDATES),
            over(CallLimit::Candidates),
        ),
        row(
            "revisions that `min_revision` may be ahead",
            count(usize::try_from(limits::REVISIONS_AHEAD).unwrap()),
            CallError::RevisionUnreachable.reason(),
        ),
        row(
            "seconds of waiting for a revision",
            limits::WAIT_SECONDS,
            late.reason(),
        ),
        row(
            "calls that wait for a revision",
            count(limits::WAITERS),
            waiting,
        ),
        row(
            "of one connection",
            count(limits::CONNECTION_WAITERS),
            waiting,
        ),
    ]
}

fn writes() -> Vec<Row> {
    let tags = [Form::Unified, Form::Ecs].map(|form| count(form.most_tags()));
    let tags = tags.join(", in the form of ECS ");
    vec![
        row(
            "resources, or associations",
            count(MAX_RESOURCES),
            FailureCode::TooManyResources,
        ),
        row("tags or keys", tags, FailureCode::TooManyTags),
        row(
            "primaries of a resource",
            count(MAX_PRIMARIES),
            FailureCode::TooManyPrimaries,
        ),
        row(
            "keys that are predefined",
            count(MAX_KEYS_OF_CALL),
            FailureCode::TooManyTags,
        ),
        row(
            "predefined keys of an account",
            count(MAX_PREDEFINED_KEYS),
            FailureCode::QuotaExceeded,
        ),
        row(
            "predefined values of a key",
            count(MAX_PREDEFINED_VALUES),
            FailureCode::QuotaExceeded,
        ),
    ]
}

fn listings() -> Vec<Row> {
    use RefusalReason::InvalidRequest;
    let broad = CallError::Tagging {
        reason: TaggingFault::ScopeTooBroad,
        field: "scope",
    };
    let slots = count(usize::try_from(limits::PAGE_SLOTS).unwrap());
    let looked = count(usize::try_from(limits::LOOKED_AT).unwrap());
    let ends = |what, most: &str| (what, most.to_owned(), "the page ends".to_owned());
    vec![
        row(
            "ARNs",
            count(limits::RESOURCES),
            RefusalReason::ResourceLimit,
        ),
        row("filters", count(listing::MAX_FILTERS), InvalidRequest),
        row(
            "values of a filter",
            count(listing::MAX_VALUES),
            InvalidRequest,
        ),
        row(
            "regions, types or groups of a scope",
            count(listing::MAX_NAMED),
            InvalidRequest,
        ),
        row(
            "characters of a text that is looked for",
            count(tag::MAX_VALUE_CHARS),
            InvalidRequest,
        ),
        row(
            "entries of a page",
            count(listing::MAX_PAGE),
            InvalidRequest,
        ),
        ends(
            "slots that a page of resources passes, where not all is seen",
            &slots,
        ),
        ends("resources that it looks at, where all is seen", &slots),
        row(
            "resources of a scope of keys or values, where not all is seen",
            looked,
            broad.reason(),
        ),
        row(
            "checks of compliance and repairs at once",
            count(limits::REPORTS),
            CallError::from(DirectoryFault::TooManyReports).reason(),
        ),
        (
            "pairs of key and type whose compliance is counted by itself",
            count(limits::SERIES),
            "all others are counted together".to_owned(),
        ),
    ]
}

fn connections() -> Vec<Row> {
    let Config {
        connections,
        connection,
        ..
    } = Config::default();
    let told = |what, most: String, then: &str| (what, most, then.to_owned());
    vec![
        told(
            "connections",
            count(connections),
            "further ones wait to be accepted",
        ),
        told(
            "bytes of a message",
            bytes(connection.message_bytes),
            "`MESSAGE_TOO_LARGE`",
        ),
        told(
            "bytes of a call's headers",
            bytes(usize::try_from(connection.header_bytes).unwrap()),
            "status 431",
        ),
        told(
            "calls of a connection at once",
            connection.streams.to_string(),
            "a client waits; one more is refused with REFUSED_STREAM",
        ),
        told(
            "calls reset before they are taken up",
            count(connection.pending_resets),
            "the connection ends",
        ),
        told(
            "calls reset for the peer's errors",
            count(connection.error_resets),
            "the connection ends",
        ),
        told(
            "time for the HTTP/2 preface",
            format!("{:?}", connection.handshake),
            "the connection ends",
        ),
        told(
            "time to the first call",
            format!("{:?}", connection.first_call),
            "the connection ends",
        ),
        told(
            "time of a call without a stream",
            format!("{:?}", connection.longest_call),
            "`DEADLINE_EXCEEDED`",
        ),
        told(
            "time to answer a ping",
            format!("{:?}", connection.ping_timeout),
            "the connection ends",
        ),
    ]
}

fn http() -> Vec<Row> {
    let config = rest::Config::new("127.0.0.1:0".parse().unwrap(), Vec::new());
    let told = |what, most: String, then: &str| (what, most, then.to_owned());
    vec![
        told(
            "connections",
            count(config.connections),
            "further ones wait to be accepted",
        ),
        told("bytes of a body", bytes(config.message_bytes), "status 413"),
        told(
            "time of a request, its body included",
            format!("{:?}", config.longest),
            "`DEADLINE_EXCEEDED`",
        ),
        row(
            "levels of nesting",
            json::MAX_NESTING,
            RefusalReason::InvalidRequest,
        ),
    ]
}

fn counted(limit: Limit) -> Row {
    row(limit.what, count(limit.most), limit.code)
}

fn documents() -> Vec<Row> {
    let large = ShapeErrorKind::TooLarge { limit: 0 }.code();
    let long = PolicyErrorKind::ValueTooLong.code();
    let mut rows = vec![
        row(
            "bytes of a policy",
            bytes(policy::MAX_DOCUMENT_BYTES),
            large,
        ),
        row(
            "characters of a session policy",
            count(limits::SESSION_POLICY_CHARS),
            PolicyErrorKind::SessionTooLong.code(),
        ),
        row(
            "levels of nesting",
            json::MAX_NESTING,
            ShapeErrorKind::TooDeep.code(),
        ),
    ];
    let of_policies = [
        policy::STATEMENTS,
        policy::ACTIONS,
        policy::RESOURCES,
        policy::PRINCIPALS,
        policy::CONDITIONS,
        policy::VALUES,
    ];
    rows.extend(of_policies.map(counted));
    rows.extend([
        row(
            "bytes of a condition key or value",
            count(policy::MAX_VALUE_BYTES),
            long,
        ),
        row(
            "wildcards of a pattern",
            pattern::MAX_WILDCARDS,
            "INVALID_ACTION`, `INVALID_RESOURCE` or `INVALID_OPERAND_PATTERN",
        ),
        row(
            "bytes of a catalog file",
            bytes(catalog::MAX_CATALOG_BYTES),
            large,
        ),
        counted(catalog::REQUIRED_KEYS),
        row(
            "bytes of any other file",
            bytes(bundle::MAX_FILE_BYTES),
            large,
        ),
        row(
            "bytes of a line of JSON Lines, or of an attached policy",
            bytes(bundle::MAX_LINE_BYTES),
            large,
        ),
        row("bytes of a case", bytes(case::MAX_CASE_BYTES), large),
        row(
            "levels of folders",
            organization::MAX_FOLDER_DEPTH,
            "FOLDER_DEPTH",
        ),
        row(
            "tags of a resource",
            count(limits::RESOURCE_TAGS),
            "TAG_LIMIT",
        ),
    ]);
    rows
}

fn directories() -> Vec<Row> {
    let refused = |what, most| (what, most, "the bundle is refused".to_owned());
    let told = |what, most| (what, most, "the rest is counted".to_owned());
    vec![
        refused("files", count(files::MAX_FILES)),
        refused("bytes of all files", bytes(files::MAX_BUNDLE_BYTES)),
        refused("directories in each other", files::MAX_DEPTH.to_string()),
        told("errors told of a document", count(error::MAX_TOLD)),
        told("errors told of a bundle", count(bundle::MAX_TOLD)),
    ]
}

fn managing() -> Vec<Row> {
    let told = |what, most: String, then: &str| (what, most, then.to_owned());
    let documents = format!(
        "{}, of `resources` {}",
        bytes(change::MAX_DOCUMENT_BYTES),
        bytes(change::MAX_RESOURCES_BYTES)
    );
    vec![
        told(
            "connections",
            count(pap::CONNECTIONS),
            "further ones wait to be accepted",
        ),
        told(
            "bytes of a message",
            bytes(pap::MAX_MESSAGE_BYTES),
            "`MESSAGE_TOO_LARGE`",
        ),
        told(
            "time of a message",
            format!("{:?}", pap::LONGEST_MESSAGE),
            "`MESSAGE_TOO_SLOW`",
        ),
        told(
            "operations of a change",
            count(change::MAX_OPERATIONS),
            "`OPERATION_LIMIT`",
        ),
        told("bytes of a document", documents, "`DOCUMENT_LIMIT`"),
        told(
            "bytes of an idempotency key",
            count(change::MAX_KEY_BYTES),
            "`INVALID_REQUEST`",
        ),
        told(
            "bytes of what is said of a change",
            count(change::MAX_MESSAGE_BYTES),
            "`INVALID_REQUEST`",
        ),
        told(
            "entries of a page",
            count(pap::MAX_PAGE),
            "`INVALID_REQUEST`",
        ),
        told(
            "bytes of documents in a page",
            bytes(pap::PAGE_BYTES),
            "the page ends",
        ),
    ]
}

fn page() -> String {
    let mut page = OPENING.to_owned();
    let reason = "more is answered with";
    let opening = "The reason stands in `ErrorInfo`, the field in `BadRequest`.";
    table(&mut page, "A request", opening, reason, &requests());
    let opening =
        "Counted before any work; a request of a batch that is refused is an error of its own.";
    table(&mut page, "A call", opening, reason, &calls());
    let opening = "Of the directory ([directory.md](directory.md)).";
    table(&mut page, "A listing", opening, reason, &listings());
    table(&mut page, "A write", opening, reason, &writes());
    let opening = "The defaults of the data listener.";
    table(&mut page, "A connection", opening, "then", &connections());
    let opening =
        "Of the listener of `--http`, if there is one. A head has at most 16 KiB and 5 s, and
a connection ends after 5 minutes.";
    table(&mut page, "HTTP", opening, "then", &http());
    let opening = "Of the management channel, whose connections have the same limits else.";
    table(&mut page, "A change", opening, reason, &managing());
    let opening = "The code stands beside file, JSON Pointer, line and column.";
    table(&mut page, "A document", opening, reason, &documents());
    let opening = "A bundle on disk, and what is told of it.";
    table(&mut page, "A bundle", opening, "then", &directories());
    page
}

#[test]
fn the_page_of_limits_is_what_the_constants_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let found = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "UPDATE_GOLDEN=1 writes docs/limits.md:\n{found}"
    );
}
