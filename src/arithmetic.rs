//! The four operations on 32-bit integers, and how they fail. Knows nothing of gRPC.

use std::fmt;

/// An operation whose result may not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
        })
    }
}

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The exact result lies outside of `i32::MIN..=i32::MAX`.
    #[error("{n1} {operator} {n2} = {result} does not fit an int32 (-2147483648 to 2147483647)")]
    Overflow {
        /// The operation.
        operator: Operator,
        /// The first operand.
        n1: i32,
        /// The second operand.
        n2: i32,
        /// The exact result.
        result: i64,
    },
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
}

/// `n1 + n2`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] if the sum does not fit an `i32`.
pub fn add(n1: i32, n2: i32) -> Result<i32, ArithmeticError> {
    fit(Operator::Add, n1, n2, i64::from(n1) + i64::from(n2))
}

/// `n1 - n2`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] if the difference does not fit an `i32`.
pub fn subtract(n1: i32, n2: i32) -> Result<i32, ArithmeticError> {
    fit(Operator::Subtract, n1, n2, i64::from(n1) - i64::from(n2))
}

/// `n1 * n2`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] if the product does not fit an `i32`.
pub fn multiply(n1: i32, n2: i32) -> Result<i32, ArithmeticError> {
    fit(Operator::Multiply, n1, n2, i64::from(n1) * i64::from(n2))
}

/// `n1 / n2`, divided in double precision and rounded once to single precision.
///
/// Dividing two `f32` instead would round the operands first and give other bits, for
/// example for `16777217 / 5`. Zero divided by a negative number is `-0.0`, as a float
/// division of positive zero by a negative number is.
///
/// # Errors
///
/// [`ArithmeticError::DivisionByZero`] if `n2` is zero, also for `0 / 0`.
pub fn divide(n1: i32, n2: i32) -> Result<f32, ArithmeticError> {
    if n2 == 0 {
        return Err(ArithmeticError::DivisionByZero);
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounding to float is the contract")]
    let quotient = (f64::from(n1) / f64::from(n2)) as f32;
    Ok(quotient)
}

fn fit(operator: Operator, n1: i32, n2: i32, result: i64) -> Result<i32, ArithmeticError> {
    i32::try_from(result).map_err(|_| ArithmeticError::Overflow { operator, n1, n2, result })
}
