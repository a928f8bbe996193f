//! The management channel: whole bundles, all errors at once, and revisions as they come.

use std::path::Path;
use std::process::Command;

use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1;
use tonic::Code;

use crate::support::process::{PROGRAM, Process, files, may, write};
use crate::support::server::within;

fn request(files: Vec<(String, String)>) -> v1::ApplyBundleRequest {
    let files = files.into_iter().map(|(path, content)| v1::BundleFile {
        path,
        content: content.into_bytes(),
    });
    v1::ApplyBundleRequest {
        files: files.collect(),
        dry_run: false,
        options: None,
    }
}

async fn apply(
    process: &Process,
    request: v1::ApplyBundleRequest,
) -> Result<v1::ApplyBundleResponse, tonic::Status> {
    let mut manage = process.manage().await;
    Ok(within(manage.apply_bundle(request)).await?.into_inner())
}

fn tell(arguments: &[&str], process: &Process, bundle: &Path) -> (Option<i32>, String) {
    let manage = format!("unix:{}", process.manage_path().display());
    let output = Command::new(PROGRAM)
        .args(["apply", bundle.to_str().unwrap(), "--manage", &manage])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_directory_serves_what_is_applied() {
    let mut process = Process::start(&[]);
    process.said("listening for metrics and probes").await;
    let mut client = process.client().await;
    let refused = may(&mut client, "1", "1").await.unwrap_err();
    assert_eq!(reason_of(&refused).unwrap(), "SNAPSHOT_NOT_READY");
    assert_eq!(process.info().await, v1::GetSnapshotInfoResponse::default());
    let mut revisions = process.revisions().await;

    let first = apply(&process, request(files(&[("1", "Allow")])))
        .await
        .unwrap();
    assert_eq!(first.outcome(), v1::ApplyOutcome::Published);
    assert_eq!(revisions.next().await, first.revision);
    assert!(may(&mut client, "1", "1").await.unwrap());

    let same = apply(&process, request(files(&[("1", "Allow")])))
        .await
        .unwrap();
    assert_eq!(same.outcome(), v1::ApplyOutcome::Unchanged);
    assert_eq!(same.revision, first.revision);

    let mut dry = request(files(&[("1", "Deny")]));
    dry.dry_run = true;
    let dry = apply(&process, dry).await.unwrap();
    assert_eq!(dry.outcome(), v1::ApplyOutcome::Valid);
    assert_eq!(dry.revision, first.revision);
    assert!(may(&mut client, "1", "1").await.unwrap());

    let second = apply(&process, request(files(&[("1", "Deny")])))
        .await
        .unwrap();
    assert_eq!(revisions.next().await, second.revision);
    assert!(!may(&mut client, "1", "1").await.unwrap());
    let (first, second) = (first.revision.unwrap(), second.revision.unwrap());
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(first.source, second.source);
    assert_ne!(first.digest, second.digest);
    // A watcher that comes late starts with the one in force.
    assert_eq!(process.revisions().await.next().await, Some(second));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_errors_of_all_accounts_are_told_at_once_and_nothing_changes() {
    let mut process = Process::start(&[]);
    process.said("listening for metrics and probes").await;
    let good = apply(&process, request(files(&[("1", "Allow")])))
        .await
        .unwrap();
    let mut bad = files(&[("1", "Deny"), ("2", "Perhaps")]);
    bad.push(("accounts/3/account.json".to_owned(), "{".to_owned()));
    bad.push(("notes.json".to_owned(), "{}".to_owned()));
    let refused = apply(&process, request(bad.clone())).await.unwrap();
    assert_eq!(refused.outcome(), v1::ApplyOutcome::Refused);
    assert_eq!(refused.revision, good.revision);
    for file in [
        "accounts/2/policies/P.json",
        "accounts/3/account.json",
        "notes.json",
    ] {
        let found = refused.findings.iter().find(|found| found.file == file);
        let found = found.unwrap_or_else(|| panic!("{file}: {refused:?}"));
        assert_eq!(found.severity(), v1::Severity::Error);
        assert!(found.line > 0 && found.column > 0 && !found.code.is_empty());
    }
    let info = process.info().await;
    // Whoever asked was told; what is in force is not stale for that.
    assert_eq!((info.refusal, info.stale_since), (None, None));
    assert_eq!(info.snapshot.unwrap().revision, good.revision);
    let mut client = process.client().await;
    assert!(may(&mut client, "1", "1").await.unwrap());
    bad.push(("notes.json".to_owned(), "{}".to_owned()));
    let twice = apply(&process, request(bad)).await.unwrap_err();
    assert_eq!(twice.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_the_only_truth_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let process = Process::serving(folder.path()).await;
    let mut other = request(files(&[("1", "Deny")]));
    let refused = apply(&process, other.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason_of(&refused).unwrap(), "MANAGEMENT_READ_ONLY");
    other.dry_run = true;
    let checked = apply(&process, other).await.unwrap();
    assert_eq!(checked.outcome(), v1::ApplyOutcome::Valid);
    assert_eq!(checked.revision.unwrap().number, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_what_check_tells() {
    let mut process = Process::start(&[]);
    process.said("listening for metrics and probes").await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let (code, said) = tell(&["--dry-run"], &process, folder.path());
    assert_eq!(
        (code, &*said),
        (Some(0), "valid: 0 errors, 0 warnings, 4 objects\n")
    );
    let (code, said) = tell(&["-o", "json"], &process, folder.path());
    assert_eq!(code, Some(0), "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&said["outcome"], &said["revision"]["number"]),
        (&"published".into(), &1.into())
    );
    write(folder.path(), &files(&[("1", "Perhaps"), ("2", "Never")]));
    let (code, applied) = tell(&[], &process, folder.path());
    assert_eq!(code, Some(3), "{applied}");
    let checked = Command::new(PROGRAM)
        .arg("check")
        .arg(folder.path())
        .output();
    let checked = String::from_utf8(checked.unwrap().stdout).unwrap();
    let findings = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains(": error: "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(findings(&applied), findings(&checked));
    assert_eq!(findings(&applied).len(), 2, "{applied}");
}
