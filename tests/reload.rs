//! Bundles change under a running server: every way to change a directory is seen, what is bad
//! changes nothing but itself, and what was removed is gone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1::StaleAccountState;
use tonic::Code;

use crate::support::process::{Process, account_files, files, may, write};

/// A server on a bundle in which alice of account 1 is allowed, watched until revision 1.
macro_rules! serving {
    ($directory:expr, $process:ident, $client:ident, $revisions:ident) => {
        let $process = Process::serving($directory).await;
        let mut $client = $process.client().await;
        let mut $revisions = $process.revisions().await;
        assert_eq!($revisions.next().await.unwrap().number, 1);
        assert!(may(&mut $client, "1", "1").await.unwrap());
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn files_written_in_place_and_new_directories_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    serving!(folder.path(), process, client, revisions);
    write(folder.path(), &account_files("1", "Deny"));
    assert_eq!(revisions.next().await.unwrap().number, 2);
    assert!(!may(&mut client, "1", "1").await.unwrap());
    write(folder.path(), &account_files("2", "Allow"));
    assert_eq!(revisions.next().await.unwrap().number, 3);
    assert!(may(&mut client, "2", "2").await.unwrap());
    // A file below the new directory.
    write(folder.path(), &account_files("2", "Deny"));
    assert_eq!(revisions.next().await.unwrap().number, 4);
    assert!(!may(&mut client, "2", "2").await.unwrap());
    // What was removed is gone.
    fs::remove_dir_all(folder.path().join("accounts/1")).unwrap();
    assert_eq!(revisions.next().await.unwrap().number, 5);
    assert_eq!(process.info().await.snapshot.unwrap().accounts, 1);
    assert!(!may(&mut client, "1", "1").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_directories_moved_into_place_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    write(&bundle, &files(&[("1", "Allow")]));
    serving!(&bundle, _process, client, revisions);
    // One file over another.
    let next = folder.path().join("next.json");
    fs::write(&next, &account_files("1", "Deny")[1].1).unwrap();
    fs::rename(&next, bundle.join("accounts/1/policies/P.json")).unwrap();
    assert_eq!(revisions.next().await.unwrap().number, 2);
    assert!(!may(&mut client, "1", "1").await.unwrap());
    // The directory itself, removed and made again by a move.
    for (number, effect) in [(3, "Allow"), (4, "Deny")] {
        let next = folder.path().join("next");
        write(&next, &files(&[("1", effect)]));
        fs::rename(&bundle, folder.path().join(format!("old-{number}"))).unwrap();
        fs::rename(&next, &bundle).unwrap();
        assert_eq!(revisions.next().await.unwrap().number, number);
        let allowed = may(&mut client, "1", "1").await.unwrap();
        assert_eq!(allowed, effect == "Allow");
    }
    // And written into again after that.
    write(&bundle, &account_files("1", "Allow"));
    assert_eq!(revisions.next().await.unwrap().number, 5);
    assert!(may(&mut client, "1", "1").await.unwrap());
}

/// A directory as Kubernetes mounts a ConfigMap: names lead through `..data` to a directory of the
/// time, and a change swaps `..data`.
fn mount(volume: &Path, time: &str, effect: &str) {
    write(&volume.join(format!("..{time}")), &files(&[("1", effect)]));
    symlink(format!("..{time}"), volume.join("..data_tmp")).unwrap();
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_links_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    mount(folder.path(), "1", "Allow");
    for name in ["bundle.json", "accounts"] {
        symlink(format!("..data/{name}"), folder.path().join(name)).unwrap();
    }
    serving!(folder.path(), _process, client, revisions);
    for (number, time, effect) in [(2, "2", "Deny"), (3, "3", "Allow")] {
        mount(folder.path(), time, effect);
        fs::remove_dir_all(folder.path().join(format!("..{}", number - 1))).unwrap();
        assert_eq!(revisions.next().await.unwrap().number, number);
        let allowed = may(&mut client, "1", "1").await.unwrap();
        assert_eq!(allowed, effect == "Allow");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_another_bundle_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let current = folder.path().join("current");
    for (name, effect) in [("one", "Allow"), ("two", "Deny")] {
        write(&folder.path().join(name), &files(&[("1", effect)]));
    }
    symlink("one", &current).unwrap();
    serving!(&current, _process, client, revisions);
    symlink("two", folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), &current).unwrap();
    assert_eq!(revisions.next().await.unwrap().number, 2);
    assert!(!may(&mut client, "1", "1").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_without_events_is_found_by_its_digest() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(elsewhere.path(), &files(&[("1", "Allow")]));
    let policy = elsewhere.path().join("accounts/1/policies/P.json");
    // Another name of the same file: events of the one are none of the other.
    write(folder.path(), &files(&[("1", "Allow")]));
    let linked = folder.path().join("accounts/1/policies/P.json");
    fs::remove_file(&linked).unwrap();
    symlink(&policy, &linked).unwrap();
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory, "--poll", "1"]);
    process.said("in force").await;
    let mut revisions = process.revisions().await;
    assert_eq!(revisions.next().await.unwrap().number, 1);
    fs::write(&policy, &account_files("1", "Deny")[1].1).unwrap();
    assert_eq!(revisions.next().await.unwrap().number, 2);
    let mut client = process.client().await;
    assert!(!may(&mut client, "1", "1").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_account_stays_at_its_last_good_state_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow"), ("2", "Allow")]));
    serving!(folder.path(), process, client, revisions);
    // Half a file of one account, and a change of the other at the same time.
    let half = folder.path().join("accounts/1/policies/P.json");
    fs::write(&half, &account_files("1", "Deny")[1].1[..40]).unwrap();
    write(folder.path(), &account_files("2", "Deny"));
    while may(&mut client, "2", "2").await.unwrap() {
        revisions.next().await.unwrap();
    }
    assert!(may(&mut client, "1", "1").await.unwrap());
    let stale = process.info().await.snapshot.unwrap().stale_accounts;
    assert_eq!((stale.len(), &*stale[0].account), (1, "1"));
    assert_eq!(stale[0].state(), StaleAccountState::LastGood);
    let found = &stale[0].errors[0];
    assert_eq!(found.file, "accounts/1/policies/P.json");
    assert!(found.line > 0 && !found.code.is_empty(), "{found:?}");
    // The rest of the file.
    write(folder.path(), &account_files("1", "Deny"));
    // A revision that only the other account changed may have been told since.
    while may(&mut client, "1", "1").await.unwrap() {
        revisions.next().await.unwrap();
    }
    assert!(
        process
            .info()
            .await
            .snapshot
            .unwrap()
            .stale_accounts
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_never_was_good_is_quarantined_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow"), ("2", "Allow")]));
    fs::write(folder.path().join("accounts/2/account.json"), "{").unwrap();
    serving!(folder.path(), process, client, revisions);
    let stale = process.info().await.snapshot.unwrap().stale_accounts;
    assert_eq!(stale[0].state(), StaleAccountState::Quarantined);
    // The principal's account, and the owner's.
    for (account, owner) in [("2", "2"), ("1", "2"), ("2", "1")] {
        let refused = may(&mut client, account, owner).await.unwrap_err();
        let reason = reason_of(&refused).unwrap();
        assert_eq!(refused.code(), Code::Unavailable, "{account} {owner}");
        assert_eq!(reason, "ACCOUNT_QUARANTINED");
    }
    write(folder.path(), &account_files("2", "Allow"));
    assert_eq!(revisions.next().await.unwrap().number, 2);
    assert!(may(&mut client, "2", "2").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_good_state_that_spoils_others_is_quarantined() {
    let folder = tempfile::tempdir().unwrap();
    let with_uid = |account: &str| {
        let [(path, text), _] = account_files(account, "Allow");
        let user = r#"{"name": "alice", "uid": "7"}"#;
        [(path, text.replace(r#"{"name": "alice"}"#, user))]
    };
    write(folder.path(), &files(&[("1", "Allow"), ("2", "Allow")]));
    write(folder.path(), &with_uid("2"));
    serving!(folder.path(), process, client, revisions);
    // The number of a user of account 2 goes to account 1, and account 2 gets bad.
    let next = tempfile::tempdir_in(folder.path().parent().unwrap()).unwrap();
    write(next.path(), &files(&[("1", "Allow"), ("2", "Allow")]));
    write(next.path(), &with_uid("1"));
    fs::write(next.path().join("accounts/2/account.json"), "{").unwrap();
    let old = tempfile::tempdir().unwrap();
    fs::rename(folder.path(), old.path().join("old")).unwrap();
    fs::rename(next.path(), folder.path()).unwrap();
    assert_eq!(revisions.next().await.unwrap().number, 2);
    assert!(may(&mut client, "1", "1").await.unwrap());
    let refused = may(&mut client, "2", "2").await.unwrap_err();
    assert_eq!(reason_of(&refused).unwrap(), "ACCOUNT_QUARANTINED");
    let stale = process.info().await.snapshot.unwrap().stale_accounts;
    assert_eq!(stale[0].state(), StaleAccountState::Quarantined);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_bundle_changes_nothing_and_is_told_until_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let mut process = Process::serving(folder.path()).await;
    let mut client = process.client().await;
    let bundle = folder.path().join("bundle.json");
    fs::write(&bundle, r#"{"format": 2, "wrong": 1}"#).unwrap();
    process.said("the bundle is refused").await;
    let info = process.info().await;
    assert_eq!(info.snapshot.unwrap().revision.unwrap().number, 1);
    let errors = info.refusal.unwrap().errors;
    let codes: Vec<&str> = errors.iter().map(|error| &*error.code).collect();
    assert_eq!(codes.len(), 2, "{codes:?}");
    assert!(codes.contains(&"UNKNOWN_FORMAT"), "{codes:?}");
    let since = info.stale_since.unwrap();
    assert!(may(&mut client, "1", "1").await.unwrap());
    process.signal("HUP");
    process.said("the bundle is still refused").await;
    // Another refusal: it has been stale since the first.
    fs::remove_file(&bundle).unwrap();
    process.said("the bundle is refused").await;
    assert_eq!(process.info().await.stale_since, Some(since));
    // What was in force before is no new revision.
    fs::write(&bundle, r#"{"format": 1}"#).unwrap();
    process.said("nothing changed").await;
    let info = process.info().await;
    assert_eq!((info.refusal, info.stale_since), (None, None));
    assert_eq!(info.snapshot.unwrap().revision.unwrap().number, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_does_not_meet_its_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let mut process = Process::serving(folder.path()).await;
    let manifest = r#"{"format": 1, "manifest": {"accounts/1/account.json":
        "0000000000000000000000000000000000000000000000000000000000000000"}}"#;
    fs::write(folder.path().join("bundle.json"), manifest).unwrap();
    process.said("the bundle is refused").await;
    let errors = process.info().await.refusal.unwrap().errors;
    let codes: Vec<&str> = errors.iter().map(|error| &*error.code).collect();
    assert!(codes.contains(&"FILE_DIFFERS"), "{codes:?}");
    assert!(codes.contains(&"FILE_EXTRA"), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_with_a_manifest_takes_effect_with_its_last_byte() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow"), ("2", "Allow")]));
    let mut process = Process::serving(folder.path()).await;
    let mut client = process.client().await;
    let mut revisions = process.revisions().await;
    assert_eq!(revisions.next().await.unwrap().number, 1);
    let next: Vec<_> = ["1", "2"]
        .into_iter()
        .flat_map(|account| account_files(account, "Deny"))
        .collect();
    let digests = next.iter().map(|(path, text)| {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(text);
        let digest = digest.iter().map(|byte| format!("{byte:02x}"));
        let digest = digest.collect::<Vec<_>>().concat();
        format!(r#""{path}": "{digest}""#)
    });
    let manifest = digests.collect::<Vec<_>>().join(", ");
    let manifest = format!(r#"{{"format": 1, "manifest": {{{manifest}}}}}"#);
    fs::write(folder.path().join("bundle.json"), manifest).unwrap();
    process.said("the bundle is refused").await;
    // Half of the files, and then half of a file.
    write(folder.path(), &next[..2]);
    process.said("the bundle is refused").await;
    let (path, text) = &next[3];
    fs::write(folder.path().join(path), &text[..40]).unwrap();
    process.said("the bundle is refused").await;
    for account in ["1", "2"] {
        assert!(may(&mut client, account, account).await.unwrap());
    }
    write(folder.path(), &next[2..]);
    assert_eq!(revisions.next().await.unwrap().number, 2);
    for account in ["1", "2"] {
        assert!(!may(&mut client, account, account).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reads_the_bundle_again_and_another_ends_the_server() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let mut process = Process::serving(folder.path()).await;
    process.signal("HUP");
    process.said("nothing changed").await;
    let mut revisions = process.revisions().await;
    assert_eq!(revisions.next().await.unwrap().number, 1);
    process.signal("TERM");
    assert_eq!(revisions.next().await, None);
    assert_eq!(process.ended().await.code(), Some(0));
    assert!(!process.manage_path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_on_a_refused_bundle() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    fs::write(
        folder.path().join("bundle.json"),
        r#"{"format": 2, "x": 1}"#,
    )
    .unwrap();
    let mut process = Process::start(&["--bundle", folder.path().to_str().unwrap()]);
    let wrote = process.wrote().await;
    assert_eq!(process.ended().await.code(), Some(3), "{wrote:?}");
    let at = format!("{}/bundle.json:1:", folder.path().display());
    let told = wrote.iter().filter(|line| line.starts_with(&at)).count();
    assert_eq!(told, 2, "{wrote:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow")]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory, "--listen", &address]);
    let wrote = process.wrote().await;
    assert_eq!(process.ended().await.code(), Some(1), "{wrote:?}");
    assert!(
        wrote.iter().any(|line| line.contains(&address)),
        "{wrote:?}"
    );
}
