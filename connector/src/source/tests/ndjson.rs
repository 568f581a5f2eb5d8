use super::*;

fn read_as(bytes: &[u8]) -> Result<Table, SourceFault> {
    read(
        &lake(&[("a.ndjson", bytes)]),
        &at("a.ndjson", &json!({"type": "NDJSON"})),
    )
}

#[test]
fn the_columns_are_those_of_all_lines() {
    let rows: [(&str, &str, Vec<String>, Vec<String>); 6] = [
        (
            "plain",
            "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n",
            texts(&["a", "b"]),
            texts(&["1|x", "2|y"]),
        ),
        (
            "one comes late",
            "{\"a\":1}\n{\"b\":true}",
            texts(&["a", "b"]),
            texts(&["1|-", "-|true"]),
        ),
        (
            "empty lines",
            "\n{\"a\":1}\r\n\n{\"a\":2}\n \n",
            texts(&["a"]),
            texts(&["1", "2"]),
        ),
        (
            "whole and broken numbers",
            "{\"a\":1}\n{\"a\":2.5}\n",
            texts(&["a"]),
            texts(&["1.0", "2.5"]),
        ),
        (
            "text and numbers",
            "{\"a\":1}\n{\"a\":\"x\"}\n",
            texts(&["a"]),
            texts(&["1", "x"]),
        ),
        (
            "nothing is NULL",
            "{\"a\":null}\n{\"a\":\"\"}\n",
            texts(&["a"]),
            texts(&["-", ""]),
        ),
    ];
    for (case, text, names, lines) in rows {
        assert_eq!(read_as(text.as_bytes()), Ok((names, lines)), "{case}");
    }
}

#[test]
fn packed_files_and_folders_are_read() {
    let folder = lake(&[
        ("d/1.gz", &gzip(b"{\"a\":1}\n")),
        ("d/2.gz", &gzip(b"{\"a\":2}\n")),
    ]);
    let table = read(
        &folder,
        &at("d", &json!({"type": "NDJSON", "compression": "Gzip"})),
    );
    assert_eq!(table, Ok((texts(&["a"]), texts(&["1", "2"]))));
}

#[test]
fn what_is_no_such_file_is_told_by_row() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(ROW_MAX));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let wide: Vec<String> = (0..=COLUMNS_MAX)
        .map(|number| format!("\"c{number}\":1"))
        .collect();
    let wide = format!("{{{}}}", wide.join(","));
    let rows: [(&str, &[u8], &str); 9] = [
        ("nothing at all", b"", "no columns"),
        ("no JSON", b"{\"a\":1}\nx\n", "broken 2"),
        ("no object", b"{\"a\":1}\n[1]\n", "broken 2"),
        ("two objects in a line", b"{\"a\":1}{\"a\":2}\n", "broken 1"),
        ("an object over two lines", b"{\"a\":\n1}\n", "broken 1"),
        ("no UTF-8", b"{\"a\":\"\xff\"}\n", "broken 1"),
        ("nested too deeply", deep.as_bytes(), "broken 1"),
        ("a row that is too long", long.as_bytes(), "too long 1"),
        ("too many columns", wide.as_bytes(), "too many columns"),
    ];
    for (case, bytes, expected) in rows {
        let folder = lake(&[("a.ndjson", bytes)]);
        let found = match refused(&folder, &at("a.ndjson", &json!({"type": "NDJSON"}))) {
            Trouble::Broken(place, _) => format!("broken {}", place.row),
            Trouble::RowTooLong(place) => format!("too long {}", place.row),
            Trouble::TooManyColumns => "too many columns".to_owned(),
            Trouble::NoColumns => "no columns".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{case}");
    }
}
