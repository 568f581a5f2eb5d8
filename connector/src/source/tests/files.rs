use super::super::files::Files;
use super::*;
use std::os::unix::fs::symlink;
use std::process::Command;

fn found(folder: &TempDir, path: &str) -> Result<Vec<String>, SourceFault> {
    let files = Files::find("customers", &folder.path().join("lake"), path)?;
    Ok((0..files.len()).map(|file| files.name(file)).collect())
}

#[test]
fn a_path_means_a_file_a_folder_or_a_pattern() {
    let names = [
        "a.csv",
        "d/1.csv",
        "d/2.csv",
        "d/.hidden",
        "d/_SUCCESS",
        "d/e/3.csv",
        "year=2026/x.csv",
        "year=2025/x.csv",
        "[1].csv",
        "_a.csv",
    ];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"a\n".as_slice())).collect();
    let folder = lake(&files);
    let rows: [(&str, &[&str]); 14] = [
        ("a.csv", &["a.csv"]),
        ("./a.csv", &["a.csv"]),
        ("d", &["d/1.csv", "d/2.csv"]),
        ("d/", &["d/1.csv", "d/2.csv"]),
        (".", &["[1].csv", "a.csv"]),
        ("d/*", &["d/1.csv", "d/2.csv", "d/e/3.csv"]),
        ("d/*.csv", &["d/1.csv", "d/2.csv"]),
        ("d/?.csv", &["d/1.csv", "d/2.csv"]),
        ("*/1.csv", &["d/1.csv"]),
        ("year=*/x.csv", &["year=2025/x.csv", "year=2026/x.csv"]),
        ("[1].csv", &["[1].csv"]),
        ("[*].csv", &["[1].csv"]),
        ("_a.csv", &["_a.csv"]),
        ("_*.csv", &["_a.csv"]),
    ];
    for (path, expected) in rows {
        assert_eq!(found(&folder, path), Ok(texts(expected)), "{path}");
    }
}

#[test]
fn no_path_leads_out_of_the_volume() {
    let folder = lake(&[("a.csv", b"a\n"), ("d/1.csv", b"a\n")]);
    fs::write(folder.path().join("secret.csv"), b"a\n").expect("written");
    let root = folder.path().join("lake");
    symlink("../secret.csv", root.join("up.csv")).expect("linked");
    symlink(folder.path().join("secret.csv"), root.join("absolute.csv")).expect("linked");
    symlink("/etc", root.join("etc")).expect("linked");
    symlink("..", root.join("parent")).expect("linked");
    symlink("a.csv", root.join("inside.csv")).expect("linked");
    symlink("gone.csv", root.join("dangling.csv")).expect("linked");
    symlink("loop.csv", root.join("loop.csv")).expect("linked");
    let rows = [
        ("..", "refused"),
        ("../secret.csv", "refused"),
        ("d/../../secret.csv", "refused"),
        ("d/../a.csv", "refused"),
        ("/etc/passwd", "refused"),
        ("", "refused"),
        ("d//1.csv", "refused"),
        ("**/x", "refused"),
        ("a\0b", "refused"),
        ("up.csv", "out"),
        ("absolute.csv", "out"),
        ("etc/passwd", "out"),
        ("etc/*", "out"),
        ("parent/secret.csv", "out"),
        ("u*.csv", "out"),
        ("gone.csv", "nothing"),
        ("d/gone/x.csv", "nothing"),
        ("a.csv/x", "nothing"),
        ("*.parquet", "nothing"),
        ("dangling.csv", "nothing"),
        ("loop.csv", "unreadable"),
    ];
    for (path, expected) in rows {
        let fault = found(&folder, path).expect_err(path);
        is_fit(&fault);
        let told = match fault.trouble {
            Trouble::PathRefused => "refused",
            Trouble::LeadsOut => "out",
            Trouble::NothingThere => "nothing",
            Trouble::Unreadable(_) => "unreadable",
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(told, expected, "{path}");
    }
    assert_eq!(
        found(&folder, "inside.csv"),
        Ok(texts(&["inside.csv"])),
        "a link within the volume"
    );
}

#[test]
fn what_is_no_file_is_left_aside() {
    let folder = lake(&[("d/1.csv", b"a\n")]);
    let pipe = folder.path().join("lake/d/2.csv");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .expect("it runs")
            .success()
    );
    assert_eq!(found(&folder, "d"), Ok(texts(&["d/1.csv"])));
    assert_eq!(
        found(&folder, "d/2.csv").map_err(|fault| fault.trouble),
        Err(Trouble::NothingThere)
    );
}

#[test]
fn a_dataset_elsewhere_is_refused() {
    let folder = lake(&[]);
    let planned = dataset(json!({"location": {"url": "s3://bucket/x"}}));
    assert_eq!(refused(&folder, &planned), Trouble::NotOnVolume);
    let missing = tempfile::tempdir().expect("a folder");
    assert_eq!(
        refused(&missing, &at("a.csv", &json!({"type": "CSV"}))),
        Trouble::NothingThere
    );
}
