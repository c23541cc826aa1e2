//! Answers of our web servers.
//!
//! *Responsible for*: the headers that each answer has. *Not responsible for*: which answer is given.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

/// An answer with the headers that all of ours have.
pub(crate) fn reply(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Files change with the binary, hashes with the certificate: a cached one of yesterday would not connect.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A sentence.
pub(crate) fn text(status: StatusCode, body: impl Into<Body>) -> Response {
    reply(status, "text/plain; charset=utf-8", body)
}

/// There is no such thing.
pub(crate) fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "not found\n")
}
