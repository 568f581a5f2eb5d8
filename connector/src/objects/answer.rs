//! What a store's refusals mean: S3 and Azure write a code into the body.

use super::fault::ObjectsFault;
use http::StatusCode;

/// Answers by their code, whatever their status.
const CODES: [(&[&str], ObjectsFault); 10] = [
    (
        &[
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidToken",
            "ExpiredToken",
            "InvalidSecurity",
            "NotSignedUp",
            "AuthenticationFailed",
            "InvalidAuthenticationInfo",
            "NoAuthenticationInformation",
            "InvalidCredentials",
            "KeyBasedAuthenticationNotPermitted",
            "XAdminUserNotFound", // Versity's word for it
        ],
        ObjectsFault::CredentialsRejected,
    ),
    (
        &["RequestTimeTooSkewed", "RequestExpired"],
        ObjectsFault::ClockSkewed,
    ),
    (
        &[
            "NoSuchBucket",
            "InvalidBucketName",
            "ContainerNotFound",
            "ContainerBeingDeleted",
            "ContainerDisabled",
        ],
        ObjectsFault::BucketMissing,
    ),
    (
        &[
            "AuthorizationHeaderMalformed",
            "PermanentRedirect",
            "TemporaryRedirect",
            "IllegalLocationConstraintException",
        ],
        ObjectsFault::Elsewhere,
    ),
    (
        &[
            "AccessDenied",
            "AllAccessDisabled",
            "AccountProblem",
            "AccountIsDisabled",
            "InvalidObjectState",
            "ObjectLocked",
            "BlobImmutableDueToPolicy",
            "LeaseIdMissing",
        ],
        ObjectsFault::NotAllowed,
    ),
    (
        &[
            "QuotaExceeded",
            "XMinioStorageFull",
            "XMinioAdminBucketQuotaExceeded",
            "InsufficientCapacity",
        ],
        ObjectsFault::Full,
    ),
    (
        &[
            "SlowDown",
            "ServerBusy",
            "TooManyRequests",
            "RequestLimitExceeded",
        ],
        ObjectsFault::Throttled,
    ),
    (
        &[
            "NoSuchUpload",
            "InvalidPart",
            "InvalidPartOrder",
            "InvalidBlockList",
            "InvalidBlockId",
        ],
        ObjectsFault::Superseded,
    ),
    (
        &["RequestTimeout", "IncompleteBody", "OperationAborted"],
        ObjectsFault::Broken,
    ),
    (
        &["EntityTooLarge", "RequestBodyTooLarge", "BlockCountExceedsLimit"],
        ObjectsFault::TooLarge,
    ),
];

/// What an answer other than success means.
pub fn refusal(status: StatusCode, body: &[u8]) -> ObjectsFault {
    let text = String::from_utf8_lossy(body);
    let code = code(&text);
    // Azure tells some things by its text alone.
    if code == "AuthenticationFailed" && text.contains("date header") {
        return ObjectsFault::ClockSkewed;
    }
    if code == "AuthorizationFailure" && text.contains("failed to authenticate") {
        return ObjectsFault::CredentialsRejected;
    }
    let known = CODES.iter().find(|(codes, _)| codes.contains(&code));
    if let Some((_, fault)) = known {
        return *fault;
    }
    match status {
        StatusCode::UNAUTHORIZED => ObjectsFault::CredentialsRejected,
        StatusCode::FORBIDDEN => ObjectsFault::NotAllowed,
        StatusCode::NOT_FOUND => ObjectsFault::Absent,
        StatusCode::INSUFFICIENT_STORAGE => ObjectsFault::Full,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => ObjectsFault::Throttled,
        StatusCode::REQUEST_TIMEOUT => ObjectsFault::Broken,
        StatusCode::NOT_IMPLEMENTED => ObjectsFault::Unsupported,
        status if status.is_redirection() => ObjectsFault::Elsewhere,
        status if status.is_server_error() => ObjectsFault::Refused,
        _ => ObjectsFault::Unsupported,
    }
}

/// The code that a refusal's text holds, if any.
fn code(text: &str) -> &str {
    let inside = text.split_once("<Code>").map(|(_, rest)| rest);
    inside
        .and_then(|rest| rest.split_once("</Code>"))
        .map_or("", |(code, _)| code.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_code_and_else_by_status() {
        let rows = [
            (403, "InvalidAccessKeyId", ObjectsFault::CredentialsRejected),
            (403, "SignatureDoesNotMatch", ObjectsFault::CredentialsRejected),
            (403, "AuthenticationFailed", ObjectsFault::CredentialsRejected),
            (403, "RequestTimeTooSkewed", ObjectsFault::ClockSkewed),
            (403, "AccessDenied", ObjectsFault::NotAllowed),
            (
                403,
                "AuthorizationFailure",
                ObjectsFault::NotAllowed, // by its status
            ),
            (404, "NoSuchBucket", ObjectsFault::BucketMissing),
            (404, "ContainerNotFound", ObjectsFault::BucketMissing),
            (404, "NoSuchUpload", ObjectsFault::Superseded),
            (404, "NoSuchKey", ObjectsFault::Absent),
            (400, "InvalidBlockList", ObjectsFault::Superseded),
            (400, "AuthorizationHeaderMalformed", ObjectsFault::Elsewhere),
            (301, "PermanentRedirect", ObjectsFault::Elsewhere),
            (307, "", ObjectsFault::Elsewhere),
            (403, "QuotaExceeded", ObjectsFault::Full),
            (507, "", ObjectsFault::Full),
            (503, "SlowDown", ObjectsFault::Throttled),
            (429, "", ObjectsFault::Throttled),
            (500, "InternalError", ObjectsFault::Refused),
            (501, "NotImplemented", ObjectsFault::Unsupported),
            (400, "", ObjectsFault::Unsupported),
            (401, "", ObjectsFault::CredentialsRejected),
        ];
        for (status, code, expected) in rows {
            let body =
                format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(refusal(status, body.as_bytes()), expected, "{status} {code}");
        }
    }

    #[test]
    fn azure_tells_of_its_clock_by_a_detail() {
        let body = "<Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Request date header too old: \
                    'x'</AuthenticationErrorDetail></Error>";
        let told = refusal(StatusCode::FORBIDDEN, body.as_bytes());
        assert_eq!(told, ObjectsFault::ClockSkewed);
    }

    #[test]
    fn what_is_no_text_is_judged_by_its_status() {
        for body in [&b"\xff\xfe"[..], b"", b"<Code>", b"</Code><Code>x"] {
            assert_eq!(
                refusal(StatusCode::BAD_GATEWAY, body),
                ObjectsFault::Refused,
                "{body:?}"
            );
        }
    }
}
