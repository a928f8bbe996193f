//! The decision matrix of the examples: principal x action x resource, a line a cell.
//!
//! `UPDATE_GOLDEN=1 cargo test --test main matrix` writes what is found as what is expected.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tagwarden::document::bundle::{Strictness, read_bundle};
use tagwarden::offline::Offline;
use tagwarden::source::files::read_directory;
use tagwarden::wire::v1;

/// What is asked of one example.
struct Matrix {
    example: &'static str,
    principals: &'static [&'static str],
    /// An action, and the tag parameter of its call: `key=value`.
    actions: &'static [(&'static str, Option<&'static str>)],
    resources: &'static [&'static str],
}

const ECI: Matrix = Matrix {
    example: "eci",
    principals: &[
        "acs:ram::123456789012:user/alice",
        "acs:ram::123456789012:user/bob",
        "acs:ram::123456789012:user/nobody",
        "acs:ram::123456789012:root",
        "acs:ram::999:user/alice",
    ],
    actions: &[
        ("eci:CreateContainerGroup", None),
        ("eci:CreateContainerGroup", Some("env=test")),
        ("eci:CreateContainerGroup", Some("env=prod")),
        ("eci:DescribeContainerGroups", None),
        ("eci:DescribeContainerGroups", Some("env=test")),
        ("eci:UpdateContainerGroup", None),
        ("eci:UpdateContainerGroup", Some("env=prod")),
        ("eci:DeleteContainerGroup", None),
    ],
    resources: &[
        "acs:eci:cn-hangzhou:123456789012:containergroup/*",
        "acs:eci:cn-hangzhou:123456789012:containergroup/eci-test",
        "acs:eci:cn-hangzhou:123456789012:containergroup/eci-prod",
        "acs:eci:cn-hangzhou:123456789012:containergroup/eci-plain",
    ],
};

const ORGANIZATION: Matrix = Matrix {
    example: "organization",
    principals: &[
        "acs:ram::100000000002:root",
        "acs:ram::100000000002:user/alice",
        "acs:ram::100000000002:user/bob",
        "acs:ram::100000000002:role/reader/session",
        "acs:ram::100000000002:role/network-team/session",
        "acs:ram::100000000002:role/AliyunServiceRoleForECI",
        "acs:ram::100000000003:root",
        "acs:ram::100000000003:user/alice",
        "eci.aliyuncs.com",
    ],
    actions: &[
        ("ecs:DescribeInstances", None),
        ("ecs:RunInstances", Some("env=prod")),
        ("ecs:StopInstance", None),
        ("ecs:DeleteInstance", None),
        ("ecs:TagResources", Some("env=test")),
        ("vpc:CreateVpc", None),
        ("oss:GetObject", None),
        ("sts:AssumeRole", None),
        ("shop:ListOrders", None),
    ],
    resources: &[
        "acs:ecs:cn-hangzhou:100000000002:instance/*",
        "acs:ecs:cn-hangzhou:100000000002:instance/i-web",
        "acs:ecs:cn-hangzhou:100000000002:instance/i-pay",
        "acs:ecs:cn-hangzhou:100000000003:instance/i-new",
        "acs:ecs:cn-hangzhou:100000000003:instance/i-test",
        "acs:vpc:cn-hangzhou:100000000002:vpc/*",
        "acs:vpc:cn-hangzhou:100000000003:vpc/*",
        "acs:oss:*:100000000002:reports/may.csv",
        "acs:ram::100000000002:role/reader",
        "acs:ram::100000000002:role/AliyunServiceRoleForECI",
        "acs:shop:*:100000000003:orders/o-1",
    ],
};

impl Matrix {
    /// The cells that make sense: an action on resources of its own service.
    fn table(&self) -> String {
        let offline = self.offline();
        let mut cells = Vec::new();
        for principal in self.principals {
            for (action, tag) in self.actions {
                for resource in self.resources {
                    if fits(action, resource) {
                        let answer = ask(&offline, principal, action, *tag, resource);
                        let call = tag
                            .map_or_else(|| (*action).to_owned(), |tag| format!("{action} {tag}"));
                        cells.push((*principal, call, *resource, answer));
                    }
                }
            }
        }
        let call_width = cells
            .iter()
            .map(|(_, call, _, _)| call.len())
            .max()
            .unwrap();
        let resource_width = self
            .resources
            .iter()
            .map(|resource| resource.len())
            .max()
            .unwrap();
        let mut table = String::new();
        let mut above = "";
        for (principal, call, resource, answer) in &cells {
            if *principal != above {
                let blank = if above.is_empty() { "" } else { "\n" };
                writeln!(table, "{blank}{principal}").unwrap();
                above = principal;
            }
            writeln!(
                table,
                "  {call:call_width$}  {resource:resource_width$}  {answer}"
            )
            .unwrap();
        }
        table
    }

    fn offline(&self) -> Offline {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = read_directory(&root.join("examples").join(self.example)).unwrap();
        let loaded = read_bundle(&files, Strictness::Strict).unwrap();
        Offline::new(&loaded.bundle).unwrap()
    }
}

fn fits(action: &str, resource: &str) -> bool {
    let service = action.split(':').next().unwrap();
    let of = resource.split(':').nth(1).unwrap();
    service == of || (service == "sts" && of == "ram")
}

/// Effect, reason, layer and statement.
fn ask(
    offline: &Offline,
    principal: &str,
    action: &str,
    tag: Option<&str>,
    resource: &str,
) -> String {
    let tag_write = tag.map(|tag| {
        let (key, value) = tag.split_once('=').unwrap();
        let tag = v1::Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        v1::TagWrite {
            set: Some(v1::TagSet { tags: vec![tag] }),
            ..v1::TagWrite::default()
        }
    });
    let known = unlisted(resource);
    let message = v1::AuthorizeRequest {
        principal: principal.to_owned(),
        action: action.to_owned(),
        resources: vec![v1::Resource {
            arn: resource.to_owned(),
            tags: known.then(v1::TagSet::default),
            resource_group: known.then(v1::ResourceGroup::default),
            ..v1::Resource::default()
        }],
        tag_write,
        session: Some(v1::Session {
            policy: Some(v1::session::Policy::None(v1::NoSessionPolicy {})),
        }),
        understands_obligations: true,
        ..v1::AuthorizeRequest::default()
    };
    match offline.answer(&message, Timestamp::UNIX_EPOCH) {
        Ok(response) => told(&response),
        Err(error) => format!("ERROR {}", error.reason()),
    }
}

/// Whether the request tells of a resource that the directory does not list: it has no tags.
fn unlisted(resource: &str) -> bool {
    resource.contains("reports/") || resource.contains(":role/")
}

fn told(response: &v1::AuthorizeResponse) -> String {
    let word = |name: &'static str, prefix: &str| name.strip_prefix(prefix).unwrap().to_owned();
    let mut words = vec![word(response.effect().as_str_name(), "EFFECT_")];
    if response.reason() != v1::Reason::Unspecified {
        words.push(word(response.reason().as_str_name(), "REASON_"));
    }
    if response.on_deny() == v1::OnDeny::EmptyResult {
        words.push("(empty)".to_owned());
    }
    if response.layer() != v1::Layer::Unspecified {
        let layer = word(response.layer().as_str_name(), "LAYER_").to_lowercase();
        words.push(if response.layer() == v1::Layer::Control {
            format!("{layer} {}", response.control_level)
        } else {
            layer
        });
    }
    for statement in &response.statements {
        words.push(format!("{}#{}", statement.policy, statement.index));
    }
    for obligation in &response.obligations {
        words.push(match obligation.obligation.as_ref().unwrap() {
            v1::obligation::Obligation::MustFilterTags(_) => "+must_filter_tags".to_owned(),
            v1::obligation::Obligation::FilterResults(_) => "+filter_results".to_owned(),
        });
    }
    words.join(" ")
}

fn check(matrix: &Matrix) {
    let found = matrix.table();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("tests/golden/matrix/{}.txt", matrix.example));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differing = found
        .lines()
        .zip(expected.lines())
        .find(|(found, expected)| found != expected);
    assert!(found == expected, "{}: {differing:?}", path.display());
}

#[test]
fn the_eci_example() {
    check(&ECI);
}

#[test]
fn the_organization_example() {
    check(&ORGANIZATION);
}
