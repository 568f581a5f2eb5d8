//! Blobs in a container of Azure: whole under their names, or as they were before.

use super::deliveries::content;
use super::servers::credentials_of;
use super::support::azurite::{ACCOUNT, ACCOUNT_KEY, Azurite, CONTAINER, HOST};
use super::support::sshd::free_address;
use bytes::Bytes;
use connector::encode::Form;
use connector::fault::Ended;
use connector::objects::{ObjectsFault, Service, Settings, Store, Upload, Way};

fn settings() -> Settings {
    Settings {
        service: Service::AzureBlob {
            host: HOST.to_owned(),
            account: ACCOUNT.to_owned(),
            container: CONTAINER.to_owned(),
        },
        folders: Vec::new(),
        form: Form {
            delimiter: b',',
            gzip: false,
        },
        files_max: 5,
    }
}

fn way(server: &Azurite) -> Way {
    Way {
        authorities: Some(server.authority.clone()),
        address: Some(server.address),
    }
}

fn begin(settings: &Settings, key: &str, way: &Way) -> Result<Upload, Ended> {
    let credentials = credentials_of("azure-blob-storage", &[("accountKey", key)]);
    let store = Store::new(settings, &credentials, way)?;
    Ok(Upload::begin(store, settings))
}

fn begun(server: &Azurite) -> Upload {
    let begun = begin(&settings(), ACCOUNT_KEY, &way(server));
    begun
        .map_err(|ended| format!("{ended:?}"))
        .expect("the key can be read")
}

async fn write(upload: &mut Upload, name: &str, bytes: &Bytes) -> Result<(), ObjectsFault> {
    let mut object = upload.create(name).await?;
    for piece in bytes.chunks(300_000) {
        object.write(&Bytes::copy_from_slice(piece)).await?;
    }
    object.finish().await
}

/// One blob, from its beginning to its name.
async fn sent(mut upload: Upload, name: &str, bytes: &Bytes) -> Result<(), ObjectsFault> {
    write(&mut upload, name, bytes).await?;
    upload.publish(|_| {}).await
}

#[tokio::test]
async fn blobs_appear_once_all_are_whole() {
    let server = Azurite::start();
    for name in ["customers.csv", "customers_2.csv"] {
        let before = Bytes::from_static(b"of yesterday");
        sent(begun(&server), name, &before).await.expect("sent");
    }
    let mut upload = begun(&server);
    let (large, small) = (content(30_000_001), Bytes::from_static(b"id\n1\n"));
    write(&mut upload, "customers.csv", &large)
        .await
        .expect("written");
    write(&mut upload, "orders.csv", &small).await.expect("written");
    assert_eq!(server.blob("customers.csv").1, b"of yesterday");
    assert!(server.blob("orders.csv").0.starts_with("HTTP/1.1 404"));

    let mut published = Vec::new();
    upload
        .publish(|object| published.push(object))
        .await
        .expect("completed");
    let unneeded = ["customers_2.csv", "customers_3.csv"].map(str::to_owned);
    upload.remove(&unneeded).await.expect("removed");
    assert_eq!(published, [0, 1]);
    assert_eq!(server.names(), ["customers.csv", "orders.csv"]);
    let (head, found) = server.blob("customers.csv");
    assert!(found == large, "{} bytes", found.len());
    assert!(
        head.to_lowercase()
            .contains("content-type: text/csv; charset=utf-8"),
        "{head}"
    );
    assert_eq!(server.blob("orders.csv").1, small);
    assert!(upload.undo(|_| {}).await);
    assert_eq!(server.names().len(), 2, "what has its name stays");
}

#[tokio::test]
async fn what_is_undone_is_seen_by_nobody() {
    let server = Azurite::start();
    sent(
        begun(&server),
        "customers.csv",
        &Bytes::from_static(b"of yesterday"),
    )
    .await
    .expect("sent");
    let mut upload = begun(&server);
    write(&mut upload, "customers.csv", &content(100))
        .await
        .expect("written");
    let mut open = upload.create("orders.csv").await.expect("begun");
    open.write(&content(20_000_000)).await.expect("written");
    drop(open);
    assert!(!upload.undo(|_| {}).await, "Azure is never told to forget parts");
    assert_eq!(server.blob("customers.csv").1, b"of yesterday");
    assert!(server.blob("orders.csv").0.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn of_two_runs_one_blob_is_whole() {
    let server = Azurite::start();
    let (mut lost, mut newer) = (begun(&server), begun(&server));
    let (first, second) = (content(9_000_000), Bytes::from_static(b"of the newer"));
    write(&mut lost, "customers.csv", &first).await.expect("written");
    write(&mut newer, "customers.csv", &second)
        .await
        .expect("written");
    newer.publish(|_| {}).await.expect("completed");
    assert_eq!(lost.publish(|_| {}).await, Err(ObjectsFault::Unclear));
    assert_eq!(server.blob("customers.csv").1, second);
}

#[tokio::test]
async fn what_a_store_refuses_is_told_apart() {
    let mut server = Azurite::start();
    let other = Azurite::start();
    let small = Bytes::from_static(b"id\n");
    let missing = {
        let mut settings = settings();
        if let Service::AzureBlob { container, .. } = &mut settings.service {
            "missing".clone_into(container);
        }
        settings
    };
    let nobody = Way {
        address: Some(free_address()),
        ..way(&server)
    };
    let untrusted = Way {
        authorities: Some(other.authority.clone()),
        ..way(&server)
    };
    let another_key = "Y2FuYXJ5LWFjY291bnQta2V5LW90aGVyLWFjY291bnQta2V5IQ==";
    let right = way(&server);
    let rows = [
        ("all is well", settings(), ACCOUNT_KEY, &right, Ok(())),
        (
            "another key",
            settings(),
            another_key,
            &right,
            Err(ObjectsFault::CredentialsRejected),
        ),
        (
            "no container",
            missing,
            ACCOUNT_KEY,
            &right,
            Err(ObjectsFault::BucketMissing),
        ),
        (
            "another authority",
            settings(),
            ACCOUNT_KEY,
            &untrusted,
            Err(ObjectsFault::NotTrusted),
        ),
        (
            "nobody there",
            settings(),
            ACCOUNT_KEY,
            &nobody,
            Err(ObjectsFault::NotReached),
        ),
    ];
    for (case, settings, key, way, expected) in rows {
        let upload = begin(&settings, key, way);
        let upload = upload.map_err(|ended| format!("{ended:?}")).expect("a key");
        assert_eq!(sent(upload, "customers.csv", &small).await, expected, "{case}");
    }
    for unfit in ["", "not Base64!", "****"] {
        let Err(Ended::Failed(failure)) = begin(&settings(), unfit, &way(&server)) else {
            panic!("{unfit} is no key");
        };
        assert!(
            failure.message.starts_with("The credential accountKey"),
            "{}",
            failure.message
        );
    }
    let mut upload = begun(&server);
    let mut object = upload.create("orders.csv").await.expect("begun");
    object.write(&content(9_000_000)).await.expect("written");
    server.kill();
    let ended = async {
        object.write(&content(9_000_000)).await?;
        object.finish().await
    };
    let told = ended.await.expect_err("it is gone");
    assert!(
        [ObjectsFault::Broken, ObjectsFault::NotReached].contains(&told),
        "{told}"
    );
}
