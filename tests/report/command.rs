//! The commands `compliance`, `remediate` and `report`, and `tag` fed by `resources`: what they
//! print is kept in `tests/golden/report`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::*;
use crate::support::process::PROGRAM;

/// What a command printed, held against a file.
fn golden(name: &str, found: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/report");
    let path = folder.join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "UPDATE_GOLDEN=1 writes {name}:\n{found}");
}

impl World {
    /// Runs a command against the server.
    async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let manage = format!("unix:{}", self.process.manage_path().display());
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .args(["--manage", &manage])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        let ran = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // One that does not read it may have ended.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        });
        within(ran).await.unwrap()
    }

    /// Runs a command, and holds what it printed against a file.
    async fn print(&self, name: &str, arguments: &[&str], exit: i32) -> String {
        let ran = self.run(arguments, "").await;
        let errors = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(exit), "{arguments:?}: {errors}");
        let printed = String::from_utf8(ran.stdout).unwrap();
        golden(name, &printed);
        printed
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compliance_tells_violations_and_totals() {
    let world = World::new().await;
    let all = ["compliance", "--principal", ALICE];
    world.print("compliance.txt", &all, 5).await;
    let json = [&all[..], &["-o", "json"]].concat();
    let printed = world.print("compliance.jsonl", &json, 5).await;
    for line in printed.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let totals = [&all[..], &["--totals", "--key", "costcenter"]].concat();
    world.print("compliance-totals.txt", &totals, 5).await;
    let none = [&all[..], &["--region", "cn-beijing"]].concat();
    world.print("compliance-none.txt", &none, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn remediate_writes_only_where_it_is_told_to() {
    let world = World::new().await;
    let dry = ["remediate", "--principal", ALICE];
    world.print("remediate-dry.txt", &dry, 0).await;
    let json = [&dry[..], &["-o", "json"]].concat();
    world.print("remediate-dry.jsonl", &json, 0).await;
    let carol = ["remediate", "--apply", "--principal", CAROL];
    world.print("remediate-carol.txt", &carol, 1).await;
    let apply = ["remediate", "--apply", "--principal", ALICE];
    world.print("remediate.txt", &apply, 0).await;
    world.print("remediate-again.txt", &apply, 0).await;
    let refused = world.run(&["remediate", "--from", "x", "--principal", ALICE], "");
    let refused = refused.await;
    assert_eq!(refused.status.code(), Some(1));
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert!(errors.contains("PAGE_TOKEN_INVALID"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_groups_resources_and_sums_what_they_cost() {
    let world = World::new().await;
    let costs = world.folder.path().join("costs.csv");
    let lines = [
        "resource,amount".to_owned(),
        format!("{},0.10", instance("good")),
        format!("{},0.20", instance("value")),
        format!("{},10", instance("bare")),
        // Another line of a resource that stands above.
        format!("\"{}\",0.005", instance("good")),
        "acs:ecs:cn-hangzhou:1:instance/gone,-3.5".to_owned(),
    ];
    std::fs::write(&costs, lines.join("\n")).unwrap();
    let by = ["report", "--by", "CostCenter", "--principal", ALICE];
    world.print("report.txt", &by, 0).await;
    world
        .print(
            "report-types.txt",
            &[&by[..], &["--show", "types"]].concat(),
            0,
        )
        .await;
    let costs = ["--costs", costs.to_str().unwrap()];
    let by = [&by[..], &costs].concat();
    world.print("report-costs.txt", &by, 0).await;
    for (form, name) in [("csv", "report-costs.csv"), ("json", "report-costs.jsonl")] {
        world
            .print(name, &[&by[..], &["-o", form]].concat(), 0)
            .await;
    }
    let each = [&by[..], &["--show", "resources", "-o", "csv"]].concat();
    world.print("report-resources.csv", &each, 0).await;
    // What bob does not see is nowhere in his.
    let bob = ["report", "--by", "team", "--principal", BOB];
    world
        .print("report-bob.txt", &[&bob[..], &costs].concat(), 0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_of_costs_are_told_and_nothing_is_reported() {
    let world = World::new().await;
    let by = [
        "report",
        "--by",
        "team",
        "--costs",
        "-",
        "--principal",
        ALICE,
    ];
    let ran = world.run(&by, "acs:a,1\nacs:b,1.0e3\nacs:c\n").await;
    let errors = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(3), "{errors}");
    assert!(ran.stdout.is_empty());
    let expected = "error: -:2: `1.0e3`: not an amount: up to 18 digits, and up to 12 after a \
                    point\nerror: -:3: 1 field, 2 are expected\n";
    assert_eq!(errors, expected);
}

/// More than one call takes.
const MANY: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn resources_feed_tag_and_untag() {
    let mut files = bundle();
    let lines = (0..MANY).map(|n| {
        let arn = instance(&format!("many-{n}"));
        format!(r#"{{"arn": "{arn}", "tags": {{"env": "test"}}}}"#)
    });
    let lines: Vec<String> = lines.collect();
    files.last_mut().unwrap().1 = lines.join("\n");
    let world = World::with(files).await;
    let list = [
        "resources",
        "--account",
        "1",
        "-t",
        "env=test",
        "-o",
        "arns",
    ];
    let listed = world.run(&list, "").await;
    let arns = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(arns.lines().count(), MANY);
    let tagged = world.run(&["tag", "-t", "team=a", "--principal", ALICE, "-"], &arns);
    let tagged = tagged.await;
    let told = String::from_utf8(tagged.stdout).unwrap();
    assert!(
        tagged.status.success() && told.starts_with("change "),
        "{told}"
    );
    let list = ["resources", "--account", "1", "-t", "team=a"];
    let listed = world.run(&list, "").await;
    assert_eq!(listed.stdout, arns.as_bytes());
    // Fewer than are given at once, or none.
    let whole = ["untag", "--whole", "-k", "team", "--principal", ALICE, "-"];
    let refused = world.run(&whole, &arns).await;
    assert_eq!(refused.status.code(), Some(2));
    let none = world.run(&whole, "\n").await;
    assert_eq!(
        String::from_utf8(none.stdout).unwrap(),
        "nothing was changed\n"
    );
    // What was done before a call is refused is told.
    let mut mixed: Vec<&str> = arns.lines().take(60).collect();
    mixed.push("no ARN");
    let untag = ["untag", "-k", "team", "--principal", ALICE, "-"];
    let half = world.run(&untag, &mixed.join("\n")).await;
    assert_eq!(half.status.code(), Some(1));
    let told = String::from_utf8(half.stdout).unwrap();
    assert!(told.starts_with("change "), "{told}");
    let errors = String::from_utf8(half.stderr).unwrap();
    assert!(errors.contains("INVALID_REQUEST"), "{errors}");
    let left = world.run(&list, "").await;
    let left = String::from_utf8(left.stdout).unwrap();
    assert_eq!(left.lines().count(), MANY - 50);
}
