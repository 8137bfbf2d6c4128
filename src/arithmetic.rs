//! The four operations on 32-bit integers and their errors. Independent of gRPC.

use std::fmt;
use std::str::FromStr;

/// An operation of the Calculator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `n1 + n2`
    Add,
    /// `n1 - n2`
    Subtract,
    /// `n1 * n2`
    Multiply,
    /// `n1 / n2`, as a float
    Divide,
}

impl Operation {
    /// All operations.
    pub const ALL: [Operation; 4] = [Operation::Add, Operation::Subtract, Operation::Multiply, Operation::Divide];

    /// Returns the result for two operands.
    ///
    /// # Errors
    ///
    /// Those of [`add`], [`subtract`], [`multiply`] and [`divide`].
    pub fn calculate(self, n1: i32, n2: i32) -> Result<Number, ArithmeticError> {
        match self {
            Operation::Add => add(n1, n2).map(Number::Integer),
            Operation::Subtract => subtract(n1, n2).map(Number::Integer),
            Operation::Multiply => multiply(n1, n2).map(Number::Integer),
            Operation::Divide => divide(n1, n2).map(Number::Float),
        }
    }

    /// Returns the name on the command line: `subtract`, for example.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// Returns the name of its method in `calc.proto`: `Substract`, for example.
    pub fn method(self) -> &'static str {
        self.names().1
    }

    /// Returns the sign: `-`, for example.
    pub fn sign(self) -> char {
        self.names().2
    }

    fn names(self) -> (&'static str, &'static str, char) {
        match self {
            Operation::Add => ("add", "Add", '+'),
            Operation::Subtract => ("subtract", "Substract", '-'),
            Operation::Multiply => ("multiply", "Multiply", '*'),
            Operation::Divide => ("divide", "Divide", '/'),
        }
    }
}

/// A name is not that of an [`Operation`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation; the operations are add, subtract, multiply and divide")]
pub struct UnknownOperation(String);

impl FromStr for Operation {
    type Err = UnknownOperation;

    /// Parses [`Operation::name`]; `substract` too, as `calc.proto` spells it.
    fn from_str(name: &str) -> Result<Operation, UnknownOperation> {
        let has_name = |of: &Operation| of.name() == name || of.method().to_lowercase() == name;
        Operation::ALL.into_iter().find(has_name).ok_or_else(|| UnknownOperation(name.to_owned()))
    }
}

/// A result: an integer, or the float of a division.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A sum, a difference or a product.
    Integer(i32),
    /// A quotient.
    Float(f32),
}

impl fmt::Display for Number {
    /// Writes a float with every digit of its double, as Python does: `5.0`, `0.3333333432674408`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(integer) => integer.fmt(f),
            Number::Float(float) => fmt::Debug::fmt(&f64::from(*float), f),
        }
    }
}

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The exact result is outside `i32::MIN..=i32::MAX`.
    #[error("{n1} {} {n2} = {result} does not fit an int32 (-2147483648 to 2147483647)", operation.sign())]
    Overflow {
        /// The operation; not a division.
        operation: Operation,
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

/// Returns `n1 + n2`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] if the sum does not fit an `i32`.
pub fn add(n1: i32, n2: i32) -> Result<i32, ArithmeticError> {
    fit(Operation::Add, n1, n2, i64::from(n1) + i64::from(n2))
}

/// Returns `n1 - n2`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] if the difference does not fit an `i32`.
pub fn subtract(n1: i32, n2: i32) -> Result<i32, ArithmeticError> {
    fit(Operation::Subtract, n1, n2, i64::from(n1) - i64::from(n2))
}

/// Returns `n1 * n2`.
///
/// # Errors
///
/// [`ArithmeticError::Overflow`] if the product does not fit an `i32`.
pub fn multiply(n1: i32, n2: i32) -> Result<i32, ArithmeticError> {
    fit(Operation::Multiply, n1, n2, i64::from(n1) * i64::from(n2))
}

/// Returns `n1 / n2`, divided in double precision and rounded once to single precision.
///
/// Dividing two `f32` would round the operands first and give other bits, for example for `16777217 / 5`. Zero divided
/// by a negative number is `-0.0`, as in a float division.
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

fn fit(operation: Operation, n1: i32, n2: i32, result: i64) -> Result<i32, ArithmeticError> {
    i32::try_from(result).map_err(|_| ArithmeticError::Overflow { operation, n1, n2, result })
}
