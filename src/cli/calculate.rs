//! `calc add`, `substract`, `multiply` and `divide`: one call, one line.

use std::time::Duration;

use calc::Client;
use structopt::StructOpt;

use super::exit::{self, Exit};
use super::values;

#[derive(StructOpt)]
pub struct Calculation {
    /// The first operand, an int32
    #[structopt(value_name = "N1", parse(try_from_str = values::operand))]
    n1: i32,
    /// The second operand, an int32
    #[structopt(value_name = "N2", parse(try_from_str = values::operand))]
    n2: i32,
    /// The server: HOST:PORT, dns:///HOST:PORT, ipv4:ADDR:PORT,ADDR:PORT or unix:PATH
    #[structopt(
        long,
        value_name = "TARGET",
        env = "CALC_TARGET",
        hide_env_values = true,
        default_value = "localhost:50050"
    )]
    target: String,
    /// The time that the call may take, 0.001 or more
    #[structopt(long, value_name = "SECONDS", env = "CALC_TIMEOUT", hide_env_values = true, default_value = "5",
        parse(try_from_str = values::timeout))]
    timeout: Duration,
}

#[derive(Clone, Copy)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Calculation {
    pub fn run(self, operation: Operation) -> Result<(), Exit> {
        let Calculation { n1, n2, target, timeout } = self;
        let client = Client::connect(&target)?.timeout(timeout);
        let result = match operation {
            Operation::Add => client.add(n1, n2)?.to_string(),
            Operation::Subtract => client.subtract(n1, n2)?.to_string(),
            Operation::Multiply => client.multiply(n1, n2)?.to_string(),
            // Every digit of the float, as Python prints it: 5.0, 0.3333333432674408.
            Operation::Divide => format!("{:?}", f64::from(client.divide(n1, n2)?)),
        };
        exit::print(&format!("{result}\n"))
    }
}
