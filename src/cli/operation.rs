//! The four operations, by the names that they have on the command line.

use calc::proto::calc_batch as proto;

/// What can be written for an operation. The contract has the second.
pub const NAMES: [&str; 5] = ["add", "substract", "subtract", "multiply", "divide"];

#[derive(Clone, Copy)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// An operation, by one of [`NAMES`].
pub fn parse(name: &str) -> Result<Operation, String> {
    match name {
        "add" => Ok(Operation::Add),
        "subtract" | "substract" => Ok(Operation::Subtract),
        "multiply" => Ok(Operation::Multiply),
        "divide" => Ok(Operation::Divide),
        _ => Err(format!("`{name}` is none of add, subtract, multiply and divide")),
    }
}

impl Operation {
    pub fn name(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Subtract => "subtract",
            Operation::Multiply => "multiply",
            Operation::Divide => "divide",
        }
    }
}

impl From<Operation> for proto::Operation {
    fn from(operation: Operation) -> proto::Operation {
        match operation {
            Operation::Add => proto::Operation::OPERATION_ADD,
            Operation::Subtract => proto::Operation::OPERATION_SUBTRACT,
            Operation::Multiply => proto::Operation::OPERATION_MULTIPLY,
            Operation::Divide => proto::Operation::OPERATION_DIVIDE,
        }
    }
}
