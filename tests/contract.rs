//! Every row of the contract as bytes on the wire; `tests/python/contract.py` calls the same with Python's gRPC.

use grpcio_kit::{Code, Limits};

use crate::common::{calculator, raw::RawClient, start, target};

/// The default limit of a request.
const LIMIT: usize = 4 * 1024 * 1024;

#[test]
fn every_row_of_the_contract_holds_on_the_wire() {
    let server = calculator();
    let client = RawClient::connect(&target(&server));
    let mut rows = 0;
    for row in include_str!("contract.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [method, request, outcome, what] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let path = if method.starts_with('/') { method.to_owned() } else { format!("/calc.Calculator/{method}") };
        let reply = client.call(&path, &unhex(request));
        match Code::ALL.iter().find(|code| code.name() == outcome) {
            None => assert_eq!(reply.as_deref(), Ok(unhex(outcome).as_slice()), "{what}"),
            Some(code) => {
                let status = reply.expect_err(what);
                assert_eq!(status.code(), *code, "{what}: {status}");
                assert!(*code == Code::Unimplemented || !status.message().is_empty(), "{what}: no message");
            }
        }
        rows += 1;
    }
    assert!(rows > 70, "only {rows} rows were read");
}

#[test]
fn a_request_that_cannot_be_decoded_has_the_reason_in_its_status() {
    let server = calculator();
    let status = RawClient::connect(&target(&server)).call("/calc.Calculator/Add", &[0x08]).unwrap_err();
    assert!(status.message().starts_with("cannot decode calc.AddRequest: "), "{status}");
}

#[test]
fn a_request_of_four_mebibytes_is_accepted_and_a_byte_more_is_not() {
    let server = calculator();
    let client = RawClient::connect(&target(&server));
    assert_eq!(client.call("/calc.Calculator/Add", &request_of(LIMIT)), Ok(vec![0x08, 30]));
    let status = client.call("/calc.Calculator/Add", &request_of(LIMIT + 1)).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
}

#[test]
fn the_limit_of_a_request_can_be_set() {
    let limits = Limits { max_request_bytes: 100, ..Limits::default() };
    let server = start(calc::server::builder().limits(limits));
    let client = RawClient::connect(&target(&server));
    assert_eq!(client.call("/calc.Calculator/Add", &request_of(100)), Ok(vec![0x08, 30]));
    let status = client.call("/calc.Calculator/Add", &request_of(101)).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
}

/// An Add request of 20 and 10, padded to `len` bytes with an unknown field.
fn request_of(len: usize) -> Vec<u8> {
    let numbers = [0x08, 20, 0x10, 10];
    // The tag of field 15 and a length of up to four bytes.
    let header = if len > 1000 { 5 } else { 2 };
    let filling = len - numbers.len() - header;
    let mut request = numbers.to_vec();
    request.push(0x7a);
    let mut rest = filling;
    for byte in 2..=header {
        let more = if byte < header { 0x80 } else { 0 };
        request.push(u8::try_from(rest & 0x7f).unwrap() | more);
        rest >>= 7;
    }
    request.resize(len, 0);
    request
}

fn unhex(text: &str) -> Vec<u8> {
    match text {
        "-" => Vec::new(),
        text => (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect(),
    }
}
