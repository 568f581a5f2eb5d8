//! A request and an answer, as values.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

/// A request that has arrived whole.
#[derive(Debug)]
pub(crate) struct Ask {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What a third said of it, if one was asked.
    pub reviewed: Option<bool>,
}

impl Ask {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The name and port that the client called.
    pub fn host(&self) -> &str {
        self.header("host").unwrap_or("localhost")
    }

    /// The parts of the path, empty ones left out: Azure's client asks for `/secrets/name/`.
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// The bearer token.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The fields of a form.
    pub fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON; null if it isn't.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What is sent back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    /// None: no body at all.
    pub body: Option<Value>,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
        }
    }

    /// The same with one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
