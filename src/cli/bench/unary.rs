//! Unary RPCs with one calculation each, and random operands.

use calc::arithmetic::Operation;
use calc::{Client, Error};
use fastrand::Rng;
use grpcio_load::{Caller, Failure};

/// Returns two numbers from 1 to 10,000, for which every operation has a result.
pub fn operands(random: &mut Rng) -> (i32, i32) {
    (random.i32(1..=10_000), random.i32(1..=10_000))
}

pub fn failure(error: &Error) -> Failure {
    Failure::Status(error.status().clone())
}

/// Makes unary RPCs, one after the other.
pub struct Unary {
    client: Client,
    operation: Operation,
    random: Rng,
}

impl Unary {
    /// Callers with different numbers have different operands, the same in every run.
    pub fn new(client: Client, operation: Operation, number: u64) -> Unary {
        Unary { client, operation, random: Rng::with_seed(number) }
    }
}

impl Caller for Unary {
    async fn call(&mut self) -> Result<(), Failure> {
        let (n1, n2) = operands(&mut self.random);
        let result = self.client.calculate_async(self.operation, n1, n2).await.map_err(|error| failure(&error))?;
        match self.operation.calculate(n1, n2) {
            Ok(right) if right != result => {
                Err(Failure::WrongReply(format!("{n1} {} {n2} is {right}, not {result}", self.operation.sign())))
            }
            _ => Ok(()),
        }
    }
}
