//! Token files, and what the other side of a connection sends as text or base64: details of a status, trace contexts.

use std::fs;

use grpcio_kit::proto::google_rpc::error_details::{BadRequest, ErrorInfo};
use grpcio_kit::{BearerToken, Code, MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH, Status, TraceContext};

/// The first byte chooses what the others are.
pub fn secrets(bytes: &[u8]) {
    let [kind, bytes @ ..] = bytes else { return };
    match kind % 3 {
        0 => token_file(bytes),
        1 => details(bytes),
        _ => trace_parent(bytes),
    }
}

fn token_file(bytes: &[u8]) {
    thread_local!(static FOLDER: tempfile::TempDir = crate::folder());
    let path = FOLDER.with(|folder| folder.path().join("tokens"));
    fs::write(&path, bytes).expect("a file can be written");
    let is_token = |text: &[u8]| {
        (MIN_TOKEN_LENGTH..=MAX_TOKEN_LENGTH).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
    };
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| byte.is_ascii_whitespace()).find(|text| !text.is_empty()))
        .filter(|text| text[0] != b'#')
        .peekable();
    let expected = lines.peek().is_some() && lines.all(is_token);
    match BearerToken::read(&path) {
        Ok(token) => assert!(expected && !format!("{token:?}").contains(|c: char| c.is_ascii_digit())),
        Err(error) => {
            let text = error.to_string();
            assert!(!expected && text.len() < 400 && !text.contains(char::is_control), "{text:?}");
        }
    }
}

/// The first of them is the code, and the others are `grpc-status-details-bin`, after base64.
fn details(bytes: &[u8]) {
    let [code, bytes @ ..] = bytes else { return };
    let received = grpcio::RpcStatus::with_details(i32::from(*code), "message".to_owned(), bytes.to_vec());
    let status = Status::from(grpcio::Error::RpcFailure(received));
    assert_eq!(status.code(), Code::from(i32::from(*code)));
    status.detail::<ErrorInfo>();
    status.detail::<BadRequest>();
}

fn trace_parent(bytes: &[u8]) {
    if let Some(context) = TraceContext::parse(bytes) {
        assert!(context.trace_id != 0 && context.span_id != 0);
        // All but the version and the flags.
        assert_eq!(context.to_string().as_bytes()[2..53], bytes[2..53]);
    }
}
