//! What the files of a dataset are called at the destination.

use crate::encode::Form;

/// The name of one of a dataset's files, the first being 1: `customers.csv`, `customers_2.csv`. No dataset's own name holds
/// an underscore.
#[must_use]
pub fn name(dataset: &str, part: usize, form: Form) -> String {
    let end = if form.gzip { ".csv.gz" } else { ".csv" };
    match part {
        0 | 1 => format!("{dataset}{end}"),
        part => format!("{dataset}_{part}{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_dataset_and_number() {
        let form = |gzip| Form {
            delimiter: b',',
            gzip,
        };
        let rows = [
            (1, false, "customers.csv"),
            (2, false, "customers_2.csv"),
            (1, true, "customers.csv.gz"),
            (5, true, "customers_5.csv.gz"),
        ];
        for (part, gzip, expected) in rows {
            assert_eq!(name("customers", part, form(gzip)), expected);
        }
    }
}
