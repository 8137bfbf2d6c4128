//! Calls with one calculation each, and the operands of these and all others.

use calc::arithmetic::{self, Operation};
use calc::proto::calc::{AddRequest, DivideRequest, MultiplyRequest, SubstractRequest};
use calc::proto::calc_grpc::CalculatorClient;
use grpcio_kit::CallOptions;

use super::caller::{Caller, Failure};

/// Operands that vary: every operation has a result for them.
pub struct Operands {
    state: u32,
}

impl Operands {
    /// Each seed begins elsewhere.
    pub fn new(seed: u32) -> Operands {
        Operands { state: seed.wrapping_mul(0x9e37_79b9) }
    }

    /// Two numbers from 1 to 10,000.
    pub fn next(&mut self) -> (i32, i32) {
        (self.number(), self.number())
    }

    fn number(&mut self) -> i32 {
        // A linear congruential generator, of which the upper bits are the better ones.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + i32::from((self.state >> 16) as u16) % 10_000
    }
}

/// Unary calls, one after the other.
pub struct Unary {
    pub stub: CalculatorClient,
    pub operation: Operation,
    pub operands: Operands,
    pub options: CallOptions,
}

impl Caller for Unary {
    async fn call(&mut self) -> Result<(), Failure> {
        let options = self.options.clone();
        let (n1, n2) = self.operands.next();
        match self.operation {
            Operation::Add => {
                let reply = self.stub.add_async(&AddRequest { n1, n2, ..Default::default() }, options).await?;
                judge((n1, '+', n2), reply.n1, arithmetic::add(n1, n2).ok())
            }
            Operation::Subtract => {
                let request = SubstractRequest { n1, n2, ..Default::default() };
                let reply = self.stub.substract_async(&request, options).await?;
                judge((n1, '-', n2), reply.n1, arithmetic::subtract(n1, n2).ok())
            }
            Operation::Multiply => {
                let request = MultiplyRequest { n1, n2, ..Default::default() };
                let reply = self.stub.multiply_async(&request, options).await?;
                judge((n1, '*', n2), reply.n1, arithmetic::multiply(n1, n2).ok())
            }
            Operation::Divide => {
                let reply = self.stub.divide_async(&DivideRequest { n1, n2, ..Default::default() }, options).await?;
                judge((n1, '/', n2), reply.f1, arithmetic::divide(n1, n2).ok())
            }
        }
    }
}

/// Whether a result is the right one.
fn judge<T: PartialEq + std::fmt::Debug>(
    (n1, operator, n2): (i32, char, i32),
    result: T,
    right: Option<T>,
) -> Result<(), Failure> {
    match right {
        Some(right) if right != result => {
            Err(Failure::Wrong(format!("{n1} {operator} {n2} is {right:?}, and not {result:?}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_vary_and_have_a_result_under_every_operation() {
        let mut operands = Operands::new(7);
        let pairs: Vec<_> = (0..10_000).map(|_| operands.next()).collect();
        assert!(pairs.iter().all(|(n1, n2)| (1..=10_000).contains(n1) && (1..=10_000).contains(n2)));
        let mut different = pairs.clone();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 9_900, "{}", different.len());
    }
}
