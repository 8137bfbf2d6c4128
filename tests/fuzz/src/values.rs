//! Values of flags: targets, addresses, and everything that has a range.

use std::fmt::Debug;

use grpcio_kit::{Channel, ListenAddress};

use crate::cli::values;

/// The first byte chooses the parser of the others.
pub fn values(bytes: &[u8]) {
    let [kind, bytes @ ..] = bytes else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match kind % 24 {
        0 => address(text),
        // The C core is only told of it: a channel connects when it is used.
        1 => drop(Channel::connect(text)),
        2 => checked(text, values::operand(text)),
        3 => checked(text, values::queues(text)),
        4 => checked(text, values::threads(text)),
        5 => checked(text, values::bytes(text)),
        6 => checked(text, values::memory(text)),
        7 => checked(text, values::count(text)),
        8 => checked(text, values::connections(text)),
        9 => checked(text, values::concurrency(text)),
        10 => checked(text, values::elements(text)),
        11 => checked(text, values::calls_per_second(text)),
        12 => checked(text, values::sampling_rate(text)),
        13 => checked(text, values::timeout(text)),
        14 => checked(text, values::grace(text)),
        15 => checked(text, values::time(text)),
        16 => checked(text, values::time_or_none(text)),
        17 => checked(text, values::rate(text)),
        18 => checked(text, values::compression(text)),
        19 => checked(text, values::on_off(text)),
        20 => checked(text, values::client_auth(text)),
        _ => drop(text.parse::<calc::arithmetic::Operation>()),
    }
}

/// An error names the value.
fn checked<T: Debug>(text: &str, parsed: Result<T, String>) {
    if let Err(error) = parsed {
        assert!(error.contains(text), "{error}");
    }
}

/// An address is the same after it has been written and parsed again.
fn address(text: &str) {
    if let Ok(address) = text.parse::<ListenAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}
