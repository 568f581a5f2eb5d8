//! A condition on rows: SQL over the columns, read and judged by DataFusion's own expressions.
//!
//! What it may say is a list, and all else is refused: no subquery, no aggregate, no function but those below. None of
//! them can make a value much longer than it was, look at the clock, or reach anything beside the row.

use super::reason::reason;
use crate::fault::Fault;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Schema};
use connection_operator::api::export::WHERE_MAX;
use connection_operator::api::run::{FailureClass, Persistence};
use connection_operator::governance::message::quoted;
use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, DataFusionError, Result as PlanResult, TableReference, plan_err};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{AggregateUDF, Expr, ExprSchemable, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_functions::unicode::planner::UnicodeFunctionPlanner;
use datafusion_functions::{core, string, unicode};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion_sql::parser::DFParserBuilder;
use datafusion_sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use std::sync::Arc;
use std::thread;
use thiserror::Error;

/// How deeply expressions may be nested, and how many may follow each other by AND or OR.
const DEPTH_MAX: usize = 128;
/// How deeply parentheses may be nested.
const PARENTHESES_MAX: usize = 50;
/// How much stack reading a condition may take, in bytes: for the deepest that its length allows.
const ROOM: usize = 256 << 20;
/// How many expressions one condition may hold, parts and all.
const PARTS_MAX: usize = 2000;

/// A condition can't be gone by.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConditionFault {
    /// It isn't one, with what the parser found.
    #[error(
        "The condition where on the dataset {dataset} can't be read: {why}. Columns are written as they are called, capitals and all, in double quotes if need be; texts in single ones."
    )]
    Unreadable {
        /// The dataset.
        dataset: String,
        /// What the parser or planner says of it: its own words and the names of columns.
        why: String,
    },
    /// It is too long or too deep.
    #[error(
        "The condition where on the dataset {dataset} is too long or nested too deeply: write it shorter, many values as IN (…)."
    )]
    TooLarge {
        /// The dataset.
        dataset: String,
    },
    /// It says what no condition may.
    #[error(
        "The condition where on the dataset {dataset} holds {what}, which a condition on single rows may not: leave that out."
    )]
    NotAllowed {
        /// The dataset.
        dataset: String,
        /// What is refused.
        what: String,
    },
    /// It is neither true nor false.
    #[error(
        "The condition where on the dataset {dataset} is neither true nor false for a row: compare what it says with something."
    )]
    NotBoolean {
        /// The dataset.
        dataset: String,
    },
    /// It can't be judged for some row.
    #[error(
        "The condition where on the dataset {dataset} can't be judged for every row: a value isn't what it is compared with, \
         such as a text where a number was expected. Write TRY_CAST(column AS DOUBLE), which is NULL for such values, in place \
         of the column."
    )]
    NotJudged {
        /// The dataset.
        dataset: String,
    },
}

impl Fault for ConditionFault {
    fn class(&self) -> FailureClass {
        FailureClass::User
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

/// A condition on the rows of a dataset.
pub struct Condition {
    dataset: String,
    parsed: Expr,
    judge: Option<Arc<dyn PhysicalExpr>>,
}

impl Condition {
    /// Reads a condition on a dataset with these columns.
    pub fn parse(dataset: &str, text: &str, schema: &Schema) -> Result<Self, ConditionFault> {
        let dataset = dataset.to_owned();
        if text.chars().count() > WHERE_MAX as usize {
            return Err(ConditionFault::TooLarge { dataset });
        }
        let parsed = with_room(|| read(&dataset, text, schema)).unwrap_or_else(|| {
            Err(ConditionFault::TooLarge {
                dataset: dataset.clone(),
            })
        })?;
        Ok(Self {
            dataset,
            parsed,
            judge: None,
        })
    }

    /// The places of the columns that it asks for.
    pub fn columns(&self, schema: &Schema) -> Vec<usize> {
        let columns = self.parsed.column_refs();
        columns
            .into_iter()
            .filter_map(|column| schema.index_of(&column.name).ok())
            .collect()
    }

    /// Made ready for rows of these columns, among which are all that it asks for.
    pub fn over(self, schema: &Schema) -> Result<Self, ConditionFault> {
        let dataset = self.dataset;
        match ready(&self.parsed, schema) {
            Ok(None) => Err(ConditionFault::NotBoolean { dataset }),
            Ok(judge) => Ok(Self {
                dataset,
                parsed: self.parsed,
                judge,
            }),
            Err(error) => Err(ConditionFault::Unreadable {
                dataset,
                why: quoted(&error.strip_backtrace()),
            }),
        }
    }

    /// The rows of a batch for which it's true.
    pub fn keep(&self, batch: &RecordBatch) -> Result<RecordBatch, ConditionFault> {
        // What the library says of a value that it can't judge may hold the value.
        let fault = || ConditionFault::NotJudged {
            dataset: self.dataset.clone(),
        };
        let judge = self.judge.as_ref().ok_or_else(fault)?;
        let judged = judge
            .evaluate(batch)
            .and_then(|value| value.into_array(batch.num_rows()));
        let judged = judged.map_err(|_| fault())?;
        let judged = judged.as_boolean_opt().ok_or_else(fault)?;
        filter_record_batch(batch, judged).map_err(|_| fault())
    }
}

/// Does what may go deeper than a thread's usual room: the parser's own bound doesn't count every sort of nesting. None if
/// even that doesn't suffice.
fn with_room<T: Send>(act: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let apart = thread::Builder::new().stack_size(ROOM);
        apart.spawn_scoped(scope, act).ok()?.join().ok()
    })
}

/// The text as an expression over these columns that says nothing but what is allowed.
fn read(dataset: &str, text: &str, schema: &Schema) -> Result<Expr, ConditionFault> {
    let dataset = || dataset.to_owned();
    match planned(text, schema) {
        Ok(parsed) if depth(&parsed) > DEPTH_MAX => Err(ConditionFault::TooLarge { dataset: dataset() }),
        Ok(parsed) => check(&dataset(), &parsed).map(|()| parsed),
        Err(DataFusionError::SQL(error, _)) if error.to_string().contains("recursion limit") => {
            Err(ConditionFault::TooLarge { dataset: dataset() })
        }
        Err(error) => Err(ConditionFault::Unreadable {
            dataset: dataset(),
            why: reason(&error),
        }),
    }
}

/// How deeply an expression is nested.
fn depth(expression: &Expr) -> usize {
    let mut deepest = 0;
    let walked = expression.apply_children(|part| {
        deepest = deepest.max(depth(part));
        Ok(TreeNodeRecursion::Continue)
    });
    if walked.is_ok() {
        deepest.saturating_add(1)
    } else {
        usize::MAX
    }
}

/// The text as an expression over these columns.
fn planned(text: &str, schema: &Schema) -> PlanResult<Expr> {
    let mut parser = DFParserBuilder::new(text)
        .with_recursion_limit(PARENTHESES_MAX)
        .build()?;
    let parsed = parser.parse_into_expr()?;
    if parsed.alias.is_some() {
        return plan_err!("a condition has no name of its own");
    }
    let known = Known::new();
    let options = ParserOptions::new().with_enable_ident_normalization(false);
    let planner = SqlToRel::new_with_options(&known, options);
    let schema = DFSchema::try_from(schema.clone())?;
    planner.sql_to_expr(parsed.expr, &schema, &mut PlannerContext::new())
}

/// The expression made ready, if it's true or false.
fn ready(expression: &Expr, schema: &Schema) -> PlanResult<Option<Arc<dyn PhysicalExpr>>> {
    let schema = Arc::new(DFSchema::try_from(schema.clone())?);
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(&schema))
        .build();
    let simplifier = ExprSimplifier::new(context);
    let coerced = simplifier.coerce(expression.clone(), &schema)?;
    if coerced.get_type(schema.as_ref())? != DataType::Boolean {
        return Ok(None);
    }
    let simple = simplifier.simplify(coerced)?;
    let properties = ExecutionProps::new();
    create_physical_expr(&simple, &schema, &properties, &PhysicalPlanningContext::default()).map(Some)
}

/// Refuses all that isn't on the list.
fn check(dataset: &str, expression: &Expr) -> Result<(), ConditionFault> {
    let mut parts = 0;
    let mut refused = None;
    let walked = expression.apply(|part| {
        parts += 1;
        refused = refused.take().or_else(|| refusal(part));
        Ok(if refused.is_some() || parts > PARTS_MAX {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    match refused {
        Some(what) => Err(ConditionFault::NotAllowed {
            dataset: dataset.to_owned(),
            what,
        }),
        None if parts > PARTS_MAX || walked.is_err() => Err(ConditionFault::TooLarge {
            dataset: dataset.to_owned(),
        }),
        None => Ok(()),
    }
}

/// What a part is called that may not stand in a condition.
fn refusal(part: &Expr) -> Option<String> {
    match part {
        Expr::Alias(_) // of a function that was called by its other name
        | Expr::Column(_)
        | Expr::Literal(..)
        | Expr::BinaryExpr(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Negative(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::InList(_) => None,
        Expr::ScalarFunction(function) => {
            let name = function.name();
            (!functions().iter().any(|known| known.name() == name))
                .then(|| format!("the function {}", quoted(name)))
        }
        Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => {
            Some("a query".to_owned())
        }
        Expr::AggregateFunction(_) | Expr::WindowFunction(_) => Some("a function over many rows".to_owned()),
        _ => Some("a variable, a wildcard or another part of queries".to_owned()),
    }
}

/// The functions that a condition may use.
fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        core::coalesce(),
        core::nullif(),
        string::btrim(),
        string::concat(),
        string::contains(),
        string::ends_with(),
        string::lower(),
        string::ltrim(),
        string::octet_length(),
        string::rtrim(),
        string::split_part(),
        string::starts_with(),
        string::upper(),
        unicode::character_length(),
        unicode::left(),
        unicode::right(),
        unicode::strpos(),
        unicode::substr(),
    ]
}

/// What the planner may look up: the functions, and nothing else.
struct Known {
    options: ConfigOptions,
    functions: Vec<Arc<ScalarUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Known {
    fn new() -> Self {
        Self {
            options: ConfigOptions::default(),
            functions: functions(),
            planners: vec![Arc::new(UnicodeFunctionPlanner)],
        }
    }
}

impl ContextProvider for Known {
    fn get_table_source(&self, _name: TableReference) -> PlanResult<Arc<dyn TableSource>> {
        plan_err!("a condition on rows knows no tables")
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let name = name.to_lowercase();
        let called = |known: &&Arc<ScalarUDF>| known.name() == name || known.aliases().contains(&name);
        self.functions.iter().find(called).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions
            .iter()
            .map(|known| known.name().to_owned())
            .collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
