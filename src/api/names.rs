//! Every literal by which objects of this product are found again: finalizers, annotations, field managers.

/// The API group of every kind.
pub const GROUP: &str = "connections.dev";
/// The category that lists all kinds at once: `kubectl get connections-dev`.
pub const CATEGORY: &str = "connections-dev";

/// Holds an object in place while something still uses it.
pub const IN_USE_FINALIZER: &str = "connections.dev/in-use";
/// Agreement to one notice for one destination: the digest that `status.consent.required` shows.
pub const CONSENT_ANNOTATION: &str = "connections.dev/consent";

/// Who writes the fields that the controllers own.
pub const FIELD_MANAGER: &str = "connection-operator";
/// Who owns the connection types that come with the operator.
pub const CATALOG_FIELD_MANAGER: &str = "connection-operator-catalog";
/// The controller's name in events.
pub const EVENT_REPORTER: &str = "connection-operator";
