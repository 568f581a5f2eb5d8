//! Tables and blocks in Markdown, which people read and tests run.

/// A table and the heading that it stands under.
pub struct Table {
    pub heading: String,
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

pub struct Row {
    /// Where it stands in the file.
    pub line: usize,
    pub cells: Vec<String>,
}

/// All tables, in their order.
pub fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let (mut heading, mut inside) = ("", false);
    for (index, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix('#') {
            heading = title.trim_start_matches('#').trim();
        }
        let row = line.starts_with('|').then(|| cells(line));
        match (row, inside) {
            (Some(header), false) => tables.push(Table {
                heading: heading.to_owned(),
                header,
                rows: Vec::new(),
            }),
            (Some(cells), true) if cells.iter().all(|cell| cell.starts_with("---")) => {}
            (Some(cells), true) => {
                let row = Row {
                    line: index + 1,
                    cells,
                };
                tables.last_mut().expect("inside of one").rows.push(row);
            }
            (None, _) => {}
        }
        inside = line.starts_with('|');
    }
    tables
}

/// The cells of a line; one that is code as a whole, without the marks of code.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    let plain = |cell: &str| {
        let cell = cell.trim();
        let code = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
        code.filter(|code| !code.contains('`')).unwrap_or(cell).to_owned()
    };
    inner.split('|').map(plain).collect()
}

/// The blocks of code in this language: what stands behind the language, and the code.
pub fn blocks<'a>(text: &'a str, language: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.split("\n```").filter_map(move |block| {
        let (info, code) = block.split_once('\n')?;
        Some((info.strip_prefix(language)?.trim(), code))
    })
}
