//! Files at an SFTP server: whole under their final names, or as they were before.

use super::servers::{by_password, settings};
use super::support::proxy::Proxy;
use super::support::sshd::{Differences, Sshd, names};
use bytes::Bytes;
use connection_operator::governance::runs::names::hash;
use connector::fault::Ended;
use connector::sftp::{Server, SftpFault, Upload};
use std::fs;
use std::net::SocketAddr;

async fn begin(address: SocketAddr, run: &str) -> Result<Upload, Ended> {
    let settings = settings(address);
    let server = Server::connect(&settings, &by_password()).await?;
    Ok(Upload::begin(server, &settings, ("uid", run)).await?)
}

async fn begun(address: SocketAddr, run: &str) -> Upload {
    let begun = begin(address, run).await;
    begun
        .map_err(|ended| format!("{ended:?}"))
        .expect("the folder can be used")
}

/// Bytes that are the same nowhere.
pub fn content(length: usize) -> Bytes {
    let numbers = (0_u32..).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes());
    numbers.take(length).collect()
}

async fn write(upload: &mut Upload, name: &str, bytes: &Bytes) -> Result<(), SftpFault> {
    let mut file = upload.create(name).await?;
    for piece in bytes.chunks(300_000) {
        file.write(&Bytes::copy_from_slice(piece)).await?;
    }
    file.finish().await
}

#[tokio::test]
async fn files_appear_together_once_all_are_whole() {
    let server = Sshd::start();
    fs::write(server.inside().join("customers.csv"), b"of yesterday").expect("written");
    fs::write(server.inside().join("customers_2.csv"), b"of yesterday").expect("written");
    fs::write(server.inside().join("theirs.txt"), b"theirs").expect("written");
    let mut upload = begun(server.address, "1").await;
    let (large, small) = (content(3_000_001), Bytes::from_static(b"id\n1\n"));
    write(&mut upload, "customers.csv", &large)
        .await
        .expect("written");
    write(&mut upload, "orders.csv", &small).await.expect("written");
    let before = fs::read(server.inside().join("customers.csv")).expect("it is there");
    assert_eq!(before, b"of yesterday", "nothing has its final name yet");
    assert!(!server.inside().join("orders.csv").exists());

    let mut published = Vec::new();
    upload
        .publish(|file| published.push(file))
        .await
        .expect("renamed");
    upload
        .remove(&["customers_2.csv".to_owned(), "customers_3.csv".to_owned()])
        .await
        .expect("removed");
    assert_eq!(published, [0, 1]);
    assert_eq!(server.names(), ["customers.csv", "orders.csv", "theirs.txt"]);
    assert!(fs::read(server.inside().join("customers.csv")).expect("it is there") == large);
    assert_eq!(
        fs::read(server.inside().join("orders.csv")).expect("it is there"),
        small
    );
    assert!(upload.undo(|_| {}).await);
    assert_eq!(server.names().len(), 3, "what has its final name stays");
}

#[tokio::test]
async fn what_is_undone_leaves_nothing() {
    let server = Sshd::start();
    let mut upload = begun(server.address, "1").await;
    write(&mut upload, "customers.csv", &content(100))
        .await
        .expect("written");
    let mut open = upload.create("orders.csv").await.expect("begun");
    open.write(&content(1_000_000)).await.expect("written");
    assert_eq!(server.names().len(), 2);
    assert!(upload.undo(|_| {}).await);
    assert_eq!(server.names(), [""; 0]);
}

#[tokio::test]
async fn what_other_runs_left_behind_is_taken_away() {
    let server = Sshd::start();
    let unfinished = |uid: &str, rest: &str| format!(".connections-{}-{rest}", &hash(uid.as_bytes())[..16]);
    let part = unfinished("uid", "0-0.part");
    let aside = unfinished("uid", "0-1-before.part");
    let kept = [
        unfinished("another", "0-0.part"),
        unfinished("uid", "0-0.txt"),
        "customers.csv".to_owned(),
    ];
    for name in kept.iter().chain([&part, &aside]) {
        fs::write(server.inside().join(name), b"left").expect("written");
    }
    let mut upload = begun(server.address, "1").await;
    write(&mut upload, "orders.csv", &content(10))
        .await
        .expect("written");
    let there = |name: &String| server.inside().join(name).exists();
    assert!(!there(&part));
    assert!(there(&aside), "it may be all that there is of a file");
    upload.publish(|_| {}).await.expect("renamed");
    let mut left = kept.to_vec();
    left.push("orders.csv".to_owned());
    left.sort();
    assert_eq!(server.names(), left, "of the export's own, and nothing of others");
}

/// As one that goes on, on a node that is lost, while another has begun.
#[tokio::test]
async fn a_run_whose_file_another_took_away_changes_nothing() {
    for banned in ["", "posix-rename"] {
        let configuration = format!("ForceCommand internal-sftp -P {banned}");
        let server = Sshd::with(Differences {
            configuration: if banned.is_empty() { "" } else { &configuration },
            ..Differences::default()
        });
        let mut lost = begun(server.address, "1").await;
        let mut newer = begun(server.address, "2").await;
        for (upload, bytes) in [(&mut lost, "of the lost"), (&mut newer, "of the newer")] {
            write(upload, "customers.csv", &Bytes::from_static(bytes.as_bytes()))
                .await
                .expect("written");
        }
        newer.publish(|_| {}).await.expect("renamed");
        let told = lost.publish(|_| {}).await;
        assert!(told.is_err(), "{banned}");
        assert!(lost.undo(|_| {}).await, "{banned}");
        assert_eq!(server.names(), ["customers.csv"], "{banned}");
        let content = fs::read(server.inside().join("customers.csv")).expect("it is there");
        assert_eq!(content, b"of the newer", "{banned}");
    }
}

#[tokio::test]
async fn a_file_is_replaced_or_stays_whatever_the_server_can_rename() {
    let rows = [
        ("over a file, in one step", "", Ok(())),
        ("not over a file", "posix-rename", Ok(())),
        ("nothing", "posix-rename,rename", Err(SftpFault::NotAllowed)),
    ];
    for (case, banned, expected) in rows {
        let configuration = match banned {
            "" => String::new(),
            banned => format!("ForceCommand internal-sftp -P {banned}"),
        };
        let server = Sshd::with(Differences {
            configuration: &configuration,
            ..Differences::default()
        });
        fs::write(server.inside().join("customers.csv"), b"of yesterday").expect("written");
        let mut upload = begun(server.address, "1").await;
        for name in ["customers.csv", "orders.csv"] {
            write(&mut upload, name, &Bytes::from_static(b"of today"))
                .await
                .expect("written");
        }
        let published = upload.publish(|_| {}).await;
        assert_eq!(published, expected, "{case}");
        assert!(upload.undo(|_| {}).await, "{case}");
        let (names, found): (&[&str], &[u8]) = match expected {
            Ok(()) => (&["customers.csv", "orders.csv"], b"of today"),
            Err(_) => (&["customers.csv"], b"of yesterday"),
        };
        assert_eq!(server.names(), names, "{case}");
        let content = fs::read(server.inside().join("customers.csv")).expect("it is there");
        assert_eq!(content, found, "{case}");
    }
}

#[tokio::test]
async fn wherever_the_way_breaks_a_file_is_whole_or_as_before() {
    let server = Sshd::start();
    let (before, after) = (Bytes::from_static(b"of yesterday"), content(200_000));
    let path = server.inside().join("customers.csv");
    let attempt = async |cut: u64| {
        let proxy = Proxy::to(server.address).await;
        proxy.cut_after(cut);
        let ended: Result<(), Ended> = async {
            let mut upload = begin(proxy.address, &cut.to_string()).await?;
            write(&mut upload, "customers.csv", &after).await?;
            Ok(upload.publish(|_| {}).await?)
        }
        .await;
        (ended, proxy.passed())
    };
    let (whole, passed) = attempt(0).await;
    assert_eq!(whole, Ok(()));
    let mut broken = 0;
    for step in 1..=24 {
        fs::write(&path, &before).expect("written");
        let (ended, _) = attempt(passed * step / 24).await;
        let found = fs::read(&path).expect("it is there");
        match ended {
            Ok(()) => assert!(found == after, "at {step}"),
            Err(Ended::Failed(failure)) => {
                broken += 1;
                assert!(
                    found == before || found == after,
                    "at {step}: {} bytes",
                    found.len()
                );
                let transient = connection_operator::api::run::Persistence::Transient;
                assert_eq!(failure.persistence, transient, "at {step}: {}", failure.message);
            }
            Err(Ended::Stopped(stop) | Ended::StoppedLeaving(stop)) => panic!("nobody stopped it: {stop}"),
        }
    }
    assert!(broken >= 20, "{broken} of 24 broke");
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_stays() {
    let server = Sshd::with(Differences {
        before: "mount -t tmpfs -o size=1m,uid=54321,gid=54321,mode=0755 small /srv/in",
        ..Differences::default()
    });
    let mut upload = begun(server.address, "1").await;
    let written = write(&mut upload, "customers.csv", &content(4_000_000)).await;
    assert_eq!(written, Err(SftpFault::Refused));
    assert!(upload.undo(|_| {}).await);
    assert_eq!(names(&server.inside_namespace()), [""; 0]);
}
