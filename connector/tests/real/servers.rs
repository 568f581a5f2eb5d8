//! Reaching an SFTP server: by its key, with its account's credentials, and what is told when that fails.

use super::support::sshd::{Differences, KEYS, PASSPHRASE, PASSWORD, Sshd, USER, free_address};
use connection_operator::api::run::{FailureClass, Persistence};
use connector::credentials::{self, Credentials};
use connector::encode::Form;
use connector::fault::Ended;
use connector::sftp::{Server, Settings, SftpFault, Upload};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;

/// The way to a server, whoever it is.
pub fn settings(address: SocketAddr) -> Settings {
    Settings {
        host: address.ip().to_string(),
        port: address.port(),
        host_key: None,
        folder: "/in".to_owned(),
        subfolders: Vec::new(),
        form: Form {
            delimiter: b',',
            gzip: false,
        },
        files_max: 5,
    }
}

/// Credentials of an SFTP account, as they are mounted.
fn credentials(given: &[(&str, &str)]) -> Credentials {
    credentials_of("sftp-export", given)
}

/// Credentials of a connection of this type, as they are mounted.
pub fn credentials_of(type_: &str, given: &[(&str, &str)]) -> Credentials {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, value) in given {
        std::fs::write(folder.path().join(name), value).expect("written");
    }
    let declared = super::support::cluster::type_of(type_).secrets;
    credentials::read(folder.path(), &declared)
        .map_err(|fault| fault.to_string())
        .expect("read")
}

/// Those of the account.
pub fn by_password() -> Credentials {
    credentials(&[("username", USER), ("password", PASSWORD)])
}

/// Signs in and looks at the folder.
async fn enter(settings: &Settings, credentials: &Credentials) -> Result<Upload, Ended> {
    let server = Server::connect(settings, credentials).await?;
    Ok(Upload::begin(server, settings, ("uid", "1")).await?)
}

/// What an account signs in by.
type Given = Vec<(&'static str, String)>;
/// How that ended, in the words of whoever reads exports.
type Told = Result<(), String>;

fn told(entered: Result<Upload, Ended>) -> Told {
    match entered {
        Ok(_) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure.message),
        Err(Ended::Stopped(stop) | Ended::StoppedLeaving(stop)) => panic!("nobody stopped it: {stop}"),
    }
}

fn fault(fault: SftpFault) -> Told {
    Err(fault.to_string())
}

#[tokio::test]
async fn an_account_signs_in_by_password_or_by_key() {
    let server = Sshd::start();
    let key = |sort: &str| server.key(sort);
    let refused = || fault(SftpFault::CredentialsRejected);
    let windows = key("ed25519").replace('\n', "\r\n");
    let rows: [(&str, Given, Told); 12] = [
        ("the password", vec![("password", PASSWORD.to_owned())], Ok(())),
        ("another password", vec![("password", "wrong".to_owned())], refused()),
        ("an Ed25519 key", vec![("privateKey", key("ed25519"))], Ok(())),
        ("an ECDSA key", vec![("privateKey", key("ecdsa"))], Ok(())),
        ("an RSA key", vec![("privateKey", key("rsa"))], Ok(())),
        ("a key as Windows ends lines", vec![("privateKey", windows)], Ok(())),
        (
            "a key with its passphrase",
            vec![("privateKey", key("locked")), ("passphrase", PASSPHRASE.to_owned())],
            Ok(()),
        ),
        ("a key without its passphrase", vec![("privateKey", key("locked"))], fault(SftpFault::KeyUnreadable)),
        (
            "a key with another passphrase",
            vec![("privateKey", key("locked")), ("passphrase", "wrong".to_owned())],
            fault(SftpFault::KeyUnreadable),
        ),
        ("somebody else's key", vec![("privateKey", key("other"))], refused()),
        ("no key", vec![("privateKey", "-----BEGIN".to_owned())], fault(SftpFault::KeyUnreadable)),
        (
            "nothing",
            Vec::new(),
            Err("The credential password of the connection isn't there. Its administrator can see why in the connection's \
                 condition SecretsResolved."
                .to_owned()),
        ),
    ];
    for (case, mut given, expected) in rows {
        given.push(("username", USER.to_owned()));
        let given: Vec<(&str, &str)> = given
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let entered = enter(&settings(server.address), &credentials(&given)).await;
        assert_eq!(told(entered), expected, "{case}: {}", server.log());
    }
}

#[tokio::test]
async fn a_password_is_given_where_it_is_asked_for_as_a_question() {
    let server = Sshd::with(Differences {
        configuration: "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes",
        ..Differences::default()
    });
    let entered = enter(&settings(server.address), &by_password()).await;
    assert_eq!(told(entered), Ok(()), "{}", server.log());
    let wrong = credentials(&[("username", USER), ("password", "wrong")]);
    let entered = enter(&settings(server.address), &wrong).await;
    assert_eq!(
        told(entered),
        fault(SftpFault::CredentialsRejected),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn a_server_is_known_by_any_of_its_keys() {
    let server = Sshd::start();
    for sort in KEYS {
        let pinned = Settings {
            host_key: Some(server.fingerprint(sort)),
            ..settings(server.address)
        };
        assert_eq!(
            told(enter(&pinned, &by_password()).await),
            Ok(()),
            "{sort}: {}",
            server.log()
        );
    }
}

#[tokio::test]
async fn another_server_hears_no_credentials() {
    let (server, other) = (Sshd::start(), Sshd::start());
    for sort in KEYS {
        let pinned = Settings {
            host_key: Some(other.fingerprint(sort)),
            ..settings(server.address)
        };
        let entered = enter(&pinned, &by_password()).await;
        assert_eq!(told(entered), fault(SftpFault::HostKeyDiffers), "{sort}");
    }
    let log = server.log();
    for word in ["Accepted", "Failed", USER] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

/// A server that says this to whoever comes.
fn saying(greeting: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.expect("a connection").write_all(greeting);
        }
    });
    address
}

#[tokio::test]
async fn what_keeps_from_a_folder_is_told_apart() {
    let server = Sshd::start();
    std::fs::write(server.inside().join("file"), b"x").expect("written");
    let at = |folder: &str| Settings {
        folder: folder.to_owned(),
        ..settings(server.address)
    };
    let below = |folders: &[&str]| Settings {
        subfolders: folders.iter().map(|folder| (*folder).to_owned()).collect(),
        ..settings(server.address)
    };
    let nobody = Settings {
        host: "no-such-host.invalid".to_owned(),
        ..settings(server.address)
    };
    let rows = [
        ("an unknown host", nobody, fault(SftpFault::HostUnknown)),
        (
            "nobody there",
            settings(free_address()),
            fault(SftpFault::NotReached),
        ),
        (
            "another protocol",
            settings(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            fault(SftpFault::NotSsh),
        ),
        ("another folder", at("/out"), fault(SftpFault::FolderMissing)),
        ("a file", at("/in/file"), fault(SftpFault::FolderMissing)),
        (
            "a subfolder that is a file",
            below(&["file"]),
            fault(SftpFault::FolderMissing),
        ),
        ("a subfolder that is made", below(&["a", "b"]), Ok(())),
        ("a subfolder that is there", below(&["a", "b"]), Ok(())),
        ("the account's home", at("."), Ok(())),
        ("a folder of the account's home", at("a/b"), Ok(())),
        ("a folder with a slash", at("/"), Ok(())),
    ];
    for (case, settings, expected) in rows {
        let entered = enter(&settings, &by_password()).await;
        assert_eq!(told(entered), expected, "{case}: {}", server.log());
    }
    assert!(server.inside().join("a/b").is_dir());
    let closed = at("/closed");
    let mut upload = enter(&closed, &by_password())
        .await
        .map_err(|_| "it can be entered")
        .expect("entered");
    let made = upload.create("customers.csv").await.map(drop);
    assert_eq!(made, Err(SftpFault::NotAllowed));
    assert!(upload.undo(|_| {}).await, "there is nothing to take away");
}

#[tokio::test]
async fn an_account_without_sftp_is_told() {
    let server = Sshd::with(Differences {
        configuration: "ForceCommand /bin/false",
        ..Differences::default()
    });
    let entered = enter(&settings(server.address), &by_password()).await;
    assert_eq!(told(entered), fault(SftpFault::NoSftp), "{}", server.log());
}

#[tokio::test]
async fn failures_say_who_can_act_and_whether_they_pass() {
    let rows = [
        (SftpFault::HostUnknown, Persistence::Transient),
        (SftpFault::NotReached, Persistence::Transient),
        (SftpFault::Refused, Persistence::Transient),
        (SftpFault::Broken, Persistence::Transient),
        (SftpFault::NotSsh, Persistence::Permanent),
        (SftpFault::HostKeyDiffers, Persistence::Permanent),
        (SftpFault::CredentialsRejected, Persistence::Permanent),
        (SftpFault::KeyUnreadable, Persistence::Permanent),
        (SftpFault::NoSftp, Persistence::Permanent),
        (SftpFault::FolderMissing, Persistence::Permanent),
        (SftpFault::NotAllowed, Persistence::Permanent),
        (SftpFault::Unsupported, Persistence::Permanent),
    ];
    for (fault, persistence) in rows {
        let Ended::Failed(failure) = Ended::from(fault) else {
            panic!("it is a failure")
        };
        assert_eq!(
            (failure.class, failure.persistence),
            (FailureClass::Destination, persistence),
            "{fault}"
        );
        assert!(failure.message.ends_with('.'), "{fault}");
    }
}
