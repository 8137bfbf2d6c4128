//! The four operations, against an oracle of 64-bit integers and doubles.

use calc::arithmetic::{ArithmeticError, Number, Operation, add, divide, multiply, subtract};
use proptest::prelude::*;

/// Any int32, the edges often.
fn operand() -> impl Strategy<Value = i32> {
    prop_oneof![
        any::<i32>(),
        -100..100_i32,
        prop::sample::select(vec![
            i32::MIN,
            i32::MIN + 1,
            -65536,
            -46341,
            -1,
            0,
            1,
            46341,
            65536,
            i32::MAX - 1,
            i32::MAX
        ]),
    ]
}

fn check(result: Result<i32, ArithmeticError>, operation: Operation, n1: i32, n2: i32, exact: i64) {
    match i32::try_from(exact) {
        Ok(exact) => assert_eq!(result, Ok(exact)),
        Err(_) => assert_eq!(result, Err(ArithmeticError::Overflow { operation, n1, n2, result: exact })),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn sums_differences_and_products_are_exact_or_an_overflow(n1 in operand(), n2 in operand()) {
        let (wide1, wide2) = (i64::from(n1), i64::from(n2));
        check(add(n1, n2), Operation::Add, n1, n2, wide1 + wide2);
        check(subtract(n1, n2), Operation::Subtract, n1, n2, wide1 - wide2);
        check(multiply(n1, n2), Operation::Multiply, n1, n2, wide1 * wide2);
    }

    #[test]
    fn a_quotient_is_the_float_nearest_to_the_double(n1 in operand(), n2 in operand()) {
        let result = divide(n1, n2);
        if n2 == 0 {
            prop_assert_eq!(result, Err(ArithmeticError::DivisionByZero));
        } else {
            let exact = f64::from(n1) / f64::from(n2);
            let quotient = result.unwrap();
            prop_assert_eq!(quotient.is_sign_negative(), exact.is_sign_negative());
            // No neighbour among the floats is nearer; those of another number than 0 differ by one in their bits.
            let distance = |float: f32| (f64::from(float) - exact).abs();
            if exact == 0.0 {
                prop_assert_eq!(quotient, 0.0);
            } else {
                prop_assert!(distance(quotient) <= distance(f32::from_bits(quotient.to_bits() + 1)));
                prop_assert!(distance(quotient) <= distance(f32::from_bits(quotient.to_bits() - 1)));
            }
        }
    }
}

#[test]
fn an_operation_is_parsed_from_its_name_and_calculates_as_its_function() {
    for (name, operation, result) in [
        ("add", Operation::Add, Ok(Number::Integer(16))),
        ("subtract", Operation::Subtract, Ok(Number::Integer(-2))),
        ("substract", Operation::Subtract, Ok(Number::Integer(-2))),
        ("multiply", Operation::Multiply, Ok(Number::Integer(63))),
        ("divide", Operation::Divide, divide(7, 9).map(Number::Float)),
    ] {
        assert_eq!(name.parse(), Ok(operation));
        assert_eq!(operation.calculate(7, 9), result);
    }
    let error = "power".parse::<Operation>().unwrap_err();
    assert_eq!(error.to_string(), "`power` is not an operation; the operations are add, subtract, multiply and divide");
}

#[test]
fn dividing_floats_instead_of_doubles_would_give_other_bits() {
    assert_eq!(divide(16_777_217, 5).unwrap().to_bits(), 0x4a4c_ccce);
    assert_eq!((16_777_217_i32 as f32 / 5.0).to_bits(), 0x4a4c_cccd);
}

#[test]
fn zero_divided_by_a_negative_number_is_a_negative_zero() {
    assert_eq!(divide(0, -5).unwrap().to_bits(), (-0.0_f32).to_bits());
}
