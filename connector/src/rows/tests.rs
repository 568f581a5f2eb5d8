use super::*;
use crate::fault::tests::is_fit;
use crate::fixtures::dataset;
use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use serde_json::{Value, json};

/// Five people, of whom little is known.
fn people() -> RecordBatch {
    let name = StringArray::from(vec![Some("Ada"), Some("Grace"), Some("a,b"), None, Some("")]);
    let age = Int64Array::from(vec![Some(36), Some(85), None, Some(20), Some(-1)]);
    let spend = StringArray::from(vec![Some("10.5"), Some("7"), Some("none"), None, Some("3")]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("Name", Arc::new(name)),
        ("age", Arc::new(age)),
        ("spend", Arc::new(spend)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("a batch")
}

fn choice(differences: Value) -> Result<Choice, ChoiceFault> {
    Choice::new(&dataset(differences), people().schema_ref())
}

fn chosen(differences: Value) -> Result<RecordBatch, ChoiceFault> {
    let choice = choice(differences)?;
    let read = people().project(choice.needed()).expect("columns that are there");
    choice.of(&read)
}

/// Which of the people are chosen, by age.
fn ages(batch: &RecordBatch) -> Vec<Option<i64>> {
    let ages = batch.column_by_name("age").expect("it is sent");
    ages.as_primitive::<Int64Type>().iter().collect()
}

#[test]
fn a_condition_chooses_rows() {
    let (ada, grace, third, fourth, fifth) = (Some(36), Some(85), None, Some(20), Some(-1));
    let rows: [(&str, Vec<Option<i64>>); 21] = [
        ("age > 30", vec![ada, grace]),
        ("age > 30 AND \"Name\" = 'Ada'", vec![ada]),
        ("Name = 'Ada' OR age IS NULL", vec![ada, third]),
        ("NOT (age > 30)", vec![fourth, fifth]),
        ("age BETWEEN 20 AND 36", vec![ada, fourth]),
        ("age IN (85, -1)", vec![grace, fifth]),
        ("Name LIKE 'A%'", vec![ada]),
        ("Name ILIKE 'a%'", vec![ada, third]),
        ("Name IS NOT NULL", vec![ada, grace, third, fifth]),
        ("Name = ''", vec![fifth]),
        ("upper(Name) = 'ADA'", vec![ada]),
        ("UPPER(Name) = 'ADA'", vec![ada]),
        ("substr(Name, 1, 1) = 'G'", vec![grace]),
        ("substring(Name from 1 for 1) = 'G'", vec![grace]),
        ("char_length(Name) = 3", vec![ada, third]),
        ("coalesce(age, 0) = 0", vec![third]),
        ("TRY_CAST(spend AS DOUBLE) > 5", vec![ada, grace]),
        ("CASE WHEN age > 80 THEN true ELSE false END", vec![grace]),
        ("age + 1 = 37", vec![ada]),
        ("true", vec![ada, grace, third, fourth, fifth]),
        ("age = 1000", vec![]),
    ];
    for (text, expected) in rows {
        let batch = chosen(json!({"where": text}));
        assert_eq!(batch.map(|batch| ages(&batch)), Ok(expected), "{text}");
    }
}

#[test]
fn a_condition_asks_of_columns_that_are_not_sent() {
    let batch = chosen(json!({"columns": ["Name"], "where": "age > 80"})).expect("chosen");
    let names: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
    assert_eq!((batch.num_columns(), names), (1, vec![Some("Grace")]));
}

#[test]
fn columns_are_sent_in_the_order_and_by_the_names_of_the_plan() {
    let rows = [
        ("all", json!({}), vec!["Name", "age", "spend"]),
        (
            "some",
            json!({"columns": ["spend", "Name"]}),
            vec!["spend", "Name"],
        ),
        (
            "renamed",
            json!({"columns": ["spend", "Name"], "rename": {"Name": "name", "spend": "total"}}),
            vec!["total", "name"],
        ),
        (
            "two change their names",
            json!({"rename": {"Name": "age", "age": "Name"}}),
            vec!["age", "Name", "spend"],
        ),
    ];
    for (case, differences, expected) in rows {
        let batch = chosen(differences).expect(case);
        let schema = batch.schema();
        let names: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(names, expected, "{case}");
        assert_eq!(batch.num_rows(), 5, "{case}");
    }
}

/// As of a CSV file without a head whose dataset doesn't say so.
#[test]
fn no_refusal_tells_what_columns_there_are() {
    let row = ["canary", "canary@example.com", "Canary Lane 1"];
    let fields: Vec<Field> = row.map(|name| Field::new(name, DataType::Utf8, true)).into();
    let schema = Schema::new(fields);
    let rows = [
        (json!({"columns": ["email"]}), "email"),
        (json!({"rename": {"email": "mail"}}), "email"),
        (json!({"where": "email = 'x'"}), "email"),
        (json!({"where": "canar = 'x'"}), "\"canar\""),
        (json!({"where": "t.canary = 'x'"}), "\"canary\""),
        (json!({"where": "email + 1 > lower(nam)"}), "email"),
    ];
    for (differences, written) in rows {
        let refused = Choice::new(&dataset(differences.clone()), &schema);
        let text = refused.map(|_| ()).expect_err("it's refused").to_string();
        let others = text.replace(written, "");
        assert!(!others.to_lowercase().contains("canar"), "{differences}: {text}");
    }
}

/// What a refusal is called in the tables below.
fn kind(fault: &ChoiceFault) -> &'static str {
    match fault {
        ChoiceFault::Columns(ColumnFault::Unknown { .. }) => "unknown",
        ChoiceFault::Columns(ColumnFault::NotSent { .. }) => "not sent",
        ChoiceFault::Columns(ColumnFault::SameName { .. }) => "same name",
        ChoiceFault::Columns(ColumnFault::Nested { .. }) => "nested",
        ChoiceFault::Columns(ColumnFault::None { .. }) => "none",
        ChoiceFault::Condition(ConditionFault::Unreadable { .. }) => "unreadable",
        ChoiceFault::Condition(ConditionFault::TooLarge { .. }) => "too large",
        ChoiceFault::Condition(ConditionFault::NotAllowed { .. }) => "not allowed",
        ChoiceFault::Condition(ConditionFault::NotBoolean { .. }) => "not boolean",
        ChoiceFault::Condition(ConditionFault::NotJudged { .. }) => "not judged",
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let rows = [
        (
            "one that isn't there",
            json!({"columns": ["Name", "email"]}),
            "unknown",
        ),
        ("in other capitals", json!({"columns": ["name"]}), "unknown"),
        (
            "one that is renamed and isn't there",
            json!({"rename": {"email": "mail"}}),
            "unknown",
        ),
        (
            "one that is renamed and not sent",
            json!({"columns": ["Name"], "rename": {"age": "years"}}),
            "not sent",
        ),
        ("twice", json!({"columns": ["Name", "Name"]}), "same name"),
        ("two of one name", json!({"rename": {"age": "Name"}}), "same name"),
    ];
    for (case, differences, expected) in rows {
        let fault = choice(differences).err().expect(case);
        assert_eq!(kind(&fault), expected, "{case}");
        is_fit(&fault);
    }
    let list = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
    let schema = Schema::new(vec![
        Field::new("age", DataType::Int64, true),
        Field::new("tags", list, true),
    ]);
    let fault = Choice::new(&dataset(json!({})), &schema)
        .err()
        .expect("a list can't be sent");
    assert_eq!(kind(&fault), "nested");
    is_fit(&fault);
    assert!(
        Choice::new(&dataset(json!({"columns": ["age"]})), &schema).is_ok(),
        "it needn't be sent"
    );
}

#[test]
fn what_a_condition_may_not_say_is_refused() {
    let deep = format!("{}age = 1{}", "(".repeat(200), ")".repeat(200));
    let wide = format!("age IN ({})", vec!["1"; 2040].join(","));
    let long = format!("Name = '{}'", "x".repeat(5000));
    let rows = [
        ("", "unreadable"),
        ("age >", "unreadable"),
        ("age > 30; DROP TABLE customers", "unreadable"),
        ("age > 30 -- and so on\n; x", "unreadable"),
        ("email = 'x'", "unreadable"),
        ("name = 'Ada'", "unreadable"),
        ("age = $1", "not allowed"),
        ("age = (SELECT 1)", "not allowed"),
        ("age IN (SELECT age FROM other)", "unreadable"),
        ("EXISTS (SELECT 1 FROM other)", "unreadable"),
        ("count(age) > 1", "unreadable"),
        ("sum(age) OVER () > 1", "unreadable"),
        ("random() > 0.5", "unreadable"),
        ("now() IS NOT NULL", "unreadable"),
        ("repeat(Name, 1000000000) = 'x'", "unreadable"),
        ("regexp_like(Name, '(a+)+$')", "unreadable"),
        ("read_csv('/etc/passwd') IS NOT NULL", "unreadable"),
        ("age", "not boolean"),
        ("Name", "not boolean"),
        ("NULL", "not boolean"),
        ("true AS x", "unreadable"),
        (&deep, "too large"),
        (&wide, "too large"),
        (&long, "too large"),
    ];
    for (text, expected) in rows {
        let shown: String = text.chars().take(60).collect();
        let fault = choice(json!({"where": text})).err();
        let fault = fault.unwrap_or_else(|| panic!("{shown} is refused"));
        assert_eq!(kind(&fault), expected, "{shown}: {fault}");
        is_fit(&fault);
    }
}

#[test]
fn however_deeply_a_condition_is_nested_it_is_refused_and_nothing_breaks() {
    let rows = [
        format!("{}true", "NOT ".repeat(900)),
        format!("age = {}1", "- ".repeat(1900)),
        format!("age = 1{}", " OR age=1".repeat(400)),
        format!("{}true{}", "CASE WHEN true THEN ".repeat(120), " END".repeat(120)),
        format!("{}1{} = 1", "abs(".repeat(800), ")".repeat(800)),
        format!("Name{} = 'x'", " || Name".repeat(450)),
    ];
    for text in rows {
        let shown: String = text.chars().take(60).collect();
        let fault = choice(json!({"where": text})).err();
        let fault = fault.unwrap_or_else(|| panic!("{shown} is refused"));
        // Where the parser gives up it may call what follows unexpected.
        assert!(
            ["too large", "unreadable"].contains(&kind(&fault)),
            "{shown}: {fault}"
        );
        is_fit(&fault);
    }
}

#[test]
fn a_row_that_cannot_be_judged_is_told_without_what_it_holds() {
    for text in ["CAST(spend AS DOUBLE) > 5", "age / (age - 36) = 1"] {
        let fault = chosen(json!({"where": text})).expect_err("it can't be judged");
        assert_eq!(kind(&fault), "not judged", "{text}: {fault}");
        assert!(!fault.to_string().contains("none"), "{fault}");
        is_fit(&fault);
    }
}

#[test]
fn many_values_may_be_listed() {
    let values: Vec<String> = (0..900).map(|value| value.to_string()).collect();
    let text = format!("age IN ({})", values.join(","));
    let batch = chosen(json!({"where": text}));
    assert_eq!(
        batch.map(|batch| ages(&batch)),
        Ok(vec![Some(36), Some(85), Some(20)])
    );
}
