use super::*;

fn format(options: &Value) -> Value {
    let mut format = json!({"type": "CSV"});
    for (name, value) in options.as_object().into_iter().flatten() {
        format[name] = value.clone();
    }
    format
}

fn read_as(bytes: &[u8], options: &Value) -> Result<Table, SourceFault> {
    read(&lake(&[("a.csv", bytes)]), &at("a.csv", &format(options)))
}

#[test]
fn rfc_4180_is_read_as_it_stands() {
    let rows: [(&str, &str, &[&str]); 11] = [
        ("plain", "a,b\n1,2\n3,4\n", &["1|2", "3|4"]),
        ("lines as Windows ends them", "a,b\r\n1,2\r\n", &["1|2"]),
        ("no end of the last line", "a,b\n1,2", &["1|2"]),
        ("a mark before UTF-8", "\u{feff}a,b\n1,2\n", &["1|2"]),
        ("quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", &["x,y|say \"hi\""]),
        ("a line break in quotes", "a,b\n\"x\ny\",2\n", &["x\ny|2"]),
        ("nothing is NULL", "a,b\n,2\n\"\",3\n", &["-|2", "-|3"]),
        ("numbers stay what they look like", "a,b\n007,1e5\n", &["007|1e5"]),
        ("other scripts", "a,b\ngröße,名前\n", &["größe|名前"]),
        ("only a head", "a,b\n", &[]),
        ("a NUL is a character", "a,b\n\0,2\n", &["\0|2"]),
    ];
    for (case, text, lines) in rows {
        let table = read_as(text.as_bytes(), &json!({}));
        assert_eq!(table, Ok((texts(&["a", "b"]), texts(lines))), "{case}");
    }
    let table = read_as(b"a\n1\n2\n", &json!({}));
    assert_eq!(table, Ok((texts(&["a"]), texts(&["1", "2"]))), "one column");
}

#[test]
fn delimiters_and_heads_are_as_the_dataset_says() {
    let rows = [
        (
            "semicolons",
            "a;b\n1,5;2\n",
            json!({"delimiter": ";"}),
            ["a", "b"],
            ["1,5|2"],
        ),
        (
            "tabs",
            "a\tb\n1\t2\n",
            json!({"delimiter": "\t"}),
            ["a", "b"],
            ["1|2"],
        ),
        (
            "pipes",
            "a|b\n1|2\n",
            json!({"delimiter": "|"}),
            ["a", "b"],
            ["1|2"],
        ),
        (
            "no head",
            "1,2\n",
            json!({"header": "Absent"}),
            ["column_1", "column_2"],
            ["1|2"],
        ),
    ];
    for (case, text, csv, names, lines) in rows {
        let table = read_as(text.as_bytes(), &json!({"csv": csv}));
        assert_eq!(table, Ok((texts(&names), texts(&lines))), "{case}");
    }
}

#[test]
fn packed_files_are_unpacked() {
    let text = b"a,b\n1,2\n";
    let twice = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat();
    let zstd = zstd::encode_all(text.as_slice(), 1).expect("packed");
    let rows: [(&str, &[u8], &str, Vec<String>); 3] = [
        ("gzip", &gzip(text), "Gzip", texts(&["1|2"])),
        ("gzip in two members", &twice, "Gzip", texts(&["1|2", "3|4"])),
        ("zstd", &zstd, "Zstd", texts(&["1|2"])),
    ];
    for (case, bytes, compression, lines) in rows {
        let table = read_as(bytes, &json!({"compression": compression}));
        assert_eq!(table, Ok((texts(&["a", "b"]), lines)), "{case}");
    }
}

#[test]
fn what_is_no_such_file_is_told_by_row() {
    let packed = gzip(b"a,b\n1,2\n");
    let cut = &packed[..packed.len() - 9];
    let open = [b"a,b\n1,\"".as_slice(), &vec![b'x'; ROW_MAX + 1]].concat();
    let wide = vec!["c"; COLUMNS_MAX + 2].join(",");
    let gzipped = || json!({"compression": "Gzip"});
    let rows: [(&str, &[u8], Value, &str); 13] = [
        ("nothing at all", b"", json!({}), "broken 1"),
        ("too few fields", b"a,b\n1,2\n3\n", json!({}), "broken 3"),
        ("too many fields", b"a,b\n1,2,3\n", json!({}), "broken 2"),
        ("no UTF-8", b"a,b\n1,2\n\xff,4\n", json!({}), "broken 3"),
        ("no UTF-8 in the head", b"a,\xff\n1,2\n", json!({}), "broken 1"),
        (
            "two columns of one name",
            b"a,a\n1,2\n",
            json!({}),
            "twice, the second being 2",
        ),
        ("a quote left open", &open, json!({}), "too long 2"),
        ("too many columns", wide.as_bytes(), json!({}), "too many columns"),
        ("not packed", b"a,b\n1,2\n", gzipped(), "broken 0"),
        ("packed, cut off", cut, gzipped(), "broken 3"),
        (
            "packed otherwise",
            &packed,
            json!({"compression": "Zstd"}),
            "broken 0",
        ),
        (
            "a delimiter of several bytes",
            b"a",
            json!({"csv": {"delimiter": "\u{e9}"}}),
            "delimiter",
        ),
        (
            "a quote as delimiter",
            b"a",
            json!({"csv": {"delimiter": "\""}}),
            "delimiter",
        ),
    ];
    for (case, bytes, options, expected) in rows {
        let folder = lake(&[("a.csv", bytes)]);
        let found = match refused(&folder, &at("a.csv", &format(&options))) {
            Trouble::Broken(place, _) => format!("broken {}", place.row),
            Trouble::RowTooLong(place) => format!("too long {}", place.row),
            Trouble::ColumnTwice(number) => format!("twice, the second being {number}"),
            Trouble::TooManyColumns => "too many columns".to_owned(),
            Trouble::DelimiterRefused => "delimiter".to_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn files_of_one_dataset_have_the_same_columns_in_any_order() {
    let folder = lake(&[("d/1.csv", b"a,b\n1,2\n"), ("d/2.csv", b"b,a\n4,3\n")]);
    let table = read(&folder, &at("d", &format(&json!({}))));
    assert_eq!(table, Ok((texts(&["a", "b"]), texts(&["1|2", "3|4"]))));
    let folder = lake(&[("d/1.csv", b"a,b\n1,2\n"), ("d/2.csv", b"a,c\n3,4\n")]);
    let trouble = refused(&folder, &at("d", &format(&json!({}))));
    assert_eq!(trouble, Trouble::ColumnsDiffer(Place::file("d/2.csv")));
}

#[test]
fn batches_are_bounded() {
    let text = format!("a\n{}", "x\n".repeat(20_000));
    let folder = lake(&[("a.csv", text.as_bytes())]);
    let source = Source::open(&at("a.csv", &format(&json!({}))), folder.path()).expect("opened");
    let batches: Vec<usize> = source
        .batches(&[0])
        .expect("read")
        .map(|batch| batch.expect("a batch").num_rows())
        .collect();
    assert_eq!(batches, [8192, 8192, 3616]);
    let wide = format!("a\n{}", format!("{}\n", "x".repeat(1 << 20)).repeat(10));
    let folder = lake(&[("a.csv", wide.as_bytes())]);
    let source = Source::open(&at("a.csv", &format(&json!({}))), folder.path()).expect("opened");
    let batches = source.batches(&[0]).expect("read");
    let batches: Vec<usize> = batches.map(|batch| batch.expect("a batch").num_rows()).collect();
    assert_eq!(batches, [4, 4, 2], "full by its bytes");
}

#[test]
fn what_unpacks_to_far_more_is_read_in_bounded_room() {
    // 64 MB of zeros in one line pack to little.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"a\n").expect("packed");
    for _ in 0..64 {
        packer.write_all(&vec![b'0'; 1 << 20]).expect("packed");
    }
    let bomb = packer.finish().expect("packed");
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let folder = lake(&[("a.csv", &bomb)]);
    let trouble = refused(&folder, &at("a.csv", &format(&json!({"compression": "Gzip"}))));
    assert_eq!(trouble, Trouble::RowTooLong(Place::row("a.csv", 2)));
}
