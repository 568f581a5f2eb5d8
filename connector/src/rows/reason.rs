//! Why a condition can't be read, in words that may be told.

use connection_operator::governance::message::quoted;
use datafusion_common::{DataFusionError, SchemaError};

/// What the library says of it, but for the names of columns that it suggests: of a file without a head those are
/// somebody's data.
pub fn reason(error: &DataFusionError) -> String {
    match error {
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, .. } => {
                format!("there is no column {}", quoted(&field.name))
            }
            _ => "a name in it is no column".to_owned(),
        },
        DataFusionError::Diagnostic(_, error) | DataFusionError::Context(_, error) => reason(error),
        error => quoted(&error.strip_backtrace()),
    }
}
