//! The `math` library, and `%` for rewritten programs.

use std::hash::{BuildHasher, RandomState};

use piccolo::{MetaMethod, Value};

use super::metamethod::metamethod;
use super::random::Random;
use crate::vm::call::Call;
use crate::vm::installer::Installer;
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::vm_error::culprit;

/// Fuel for a call of any native here.
const CALL: i32 = 2;

static NATIVES: &[Native] = &[
    Native { name: "abs", fuel: CALL, run: abs },
    Native { name: "ceil", fuel: CALL, run: |call| rounded(call, f64::ceil) },
    Native { name: "floor", fuel: CALL, run: |call| rounded(call, f64::floor) },
    Native { name: "sqrt", fuel: CALL, run: |call| of_one(call, f64::sqrt) },
    Native { name: "exp", fuel: CALL, run: |call| of_one(call, f64::exp) },
    Native { name: "log", fuel: CALL, run: |call| of_one(call, f64::ln) },
    Native { name: "log10", fuel: CALL, run: |call| of_one(call, f64::log10) },
    Native { name: "sin", fuel: CALL, run: |call| of_one(call, f64::sin) },
    Native { name: "cos", fuel: CALL, run: |call| of_one(call, f64::cos) },
    Native { name: "tan", fuel: CALL, run: |call| of_one(call, f64::tan) },
    Native { name: "asin", fuel: CALL, run: |call| of_one(call, f64::asin) },
    Native { name: "acos", fuel: CALL, run: |call| of_one(call, f64::acos) },
    Native { name: "atan", fuel: CALL, run: |call| of_one(call, f64::atan) },
    Native { name: "sinh", fuel: CALL, run: |call| of_one(call, f64::sinh) },
    Native { name: "cosh", fuel: CALL, run: |call| of_one(call, f64::cosh) },
    Native { name: "tanh", fuel: CALL, run: |call| of_one(call, f64::tanh) },
    Native { name: "deg", fuel: CALL, run: |call| of_one(call, f64::to_degrees) },
    Native { name: "rad", fuel: CALL, run: |call| of_one(call, f64::to_radians) },
    Native { name: "atan2", fuel: CALL, run: |call| of_two(call, f64::atan2) },
    Native { name: "pow", fuel: CALL, run: |call| of_two(call, f64::powf) },
    Native { name: "fmod", fuel: CALL, run: |call| of_two(call, |a, b| a % b) },
    Native { name: "modf", fuel: CALL, run: modf },
    Native { name: "frexp", fuel: CALL, run: frexp },
    Native { name: "ldexp", fuel: CALL, run: ldexp },
    Native { name: "max", fuel: CALL, run: |call| extreme(call, |new, best| new > best) },
    Native { name: "min", fuel: CALL, run: |call| extreme(call, |new, best| new < best) },
    Native { name: "random", fuel: CALL, run: random },
    Native { name: "randomseed", fuel: CALL, run: random_seed },
];

/// `a % b`, with Lua's sign rule, for every pair of integers.
pub(super) static MODULO: Native = Native { name: "%", fuel: CALL, run: modulo };

pub(super) fn install(installer: &Installer<'_, '_>) {
    installer.global("math", |i| {
        let math = i.library("math", NATIVES);
        math.set_field(i.ctx, "pi", std::f64::consts::PI);
        math.set_field(i.ctx, "huge", f64::INFINITY);
        // For scripts written for later versions; 5.1 has no integers of its own.
        math.set_field(i.ctx, "maxinteger", i64::MAX);
        math.set_field(i.ctx, "mininteger", i64::MIN);
        math.into()
    });
}

fn of_one<'gc>(call: &mut Call<'gc, '_>, function: fn(f64) -> f64) -> Outcome<'gc> {
    let result = function(call.number(1)?);
    call.give(result)
}

fn of_two<'gc>(call: &mut Call<'gc, '_>, function: fn(f64, f64) -> f64) -> Outcome<'gc> {
    let result = function(call.number(1)?, call.number(2)?);
    call.give(result)
}

fn abs<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    match call.value(1) {
        // The magnitude of the least integer is no integer.
        Value::Integer(n) => match n.checked_abs() {
            Some(magnitude) => call.give(magnitude),
            None => call.give((n as f64).abs()),
        },
        _ => of_one(call, f64::abs),
    }
}

fn rounded<'gc>(call: &mut Call<'gc, '_>, round: fn(f64) -> f64) -> Outcome<'gc> {
    if let integer @ Value::Integer(_) = call.value(1) {
        return call.give(integer);
    }
    let result = round(call.number(1)?);
    call.give(result)
}

fn modf<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let number = call.number(1)?;
    let whole = number.trunc();
    let fraction = if number.is_infinite() { 0.0 } else { number - whole };
    // It has the number's sign, be it a zero.
    call.give_all([Value::Number(whole), Value::Number(fraction.copysign(number))])
}

/// Splits `number` into a fraction in `0.5..1` and a power of two.
fn frexp<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let number = call.number(1)?;
    if number == 0.0 || !number.is_finite() {
        return call.give_all([Value::Number(number), Value::Integer(0)]);
    }
    const EXPONENT_BITS: u64 = 0x7FF << 52;
    const BIAS_OF_HALF: i64 = 1022;
    // Subnormals have no exponent of their own: bring them up first.
    let (scaled, shift) = if number.is_normal() { (number, 0) } else { (number * 2_f64.powi(64), 64) };
    let exponent = ((scaled.to_bits() & EXPONENT_BITS) >> 52) as i64 - BIAS_OF_HALF;
    let fraction = f64::from_bits((scaled.to_bits() & !EXPONENT_BITS) | ((BIAS_OF_HALF as u64) << 52));
    call.give_all([Value::Number(fraction), Value::Integer(exponent - shift)])
}

fn ldexp<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let mut result = call.number(1)?;
    // Beyond these a finite number has become 0 or infinite.
    let mut exponent = call.integer(2)?.clamp(-2_200, 2_200) as i32;
    // In steps, so that a large power and a small number meet in the middle.
    while exponent != 0 {
        let step = exponent.clamp(-1_000, 1_000);
        result *= 2_f64.powi(step);
        exponent -= step;
    }
    call.give(result)
}

fn extreme<'gc>(call: &mut Call<'gc, '_>, better: fn(f64, f64) -> bool) -> Outcome<'gc> {
    let mut best = call.number(1)?;
    let mut position = 1;
    for candidate in 2..=call.count() {
        let number = call.number(candidate)?;
        if better(number, best) {
            (best, position) = (number, candidate);
        }
    }
    call.charge_units(call.count());
    match call.value(position) {
        integer @ Value::Integer(_) => call.give(integer),
        _ => call.give(best),
    }
}

// ---- random numbers -----------------------------------------------------------------------

fn random<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (low, high) = match call.count() {
        0 => {
            let number = with_generator(call, Random::next_f64);
            return call.give(number);
        }
        1 => (1, call.integer(1)?),
        2 => (call.integer(1)?, call.integer(2)?),
        _ => return Err(Raise::Message("wrong number of arguments".to_owned())),
    };
    if low > high {
        return Err(call.bad_argument(call.count(), "interval is empty"));
    }
    let number = with_generator(call, |random| random.range(low, high).unwrap_or(low));
    call.give(number)
}

fn random_seed<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let seed = call.number(1)?;
    *call.shared.random.borrow_mut() = Some(Random::new(seed.to_bits()));
    call.give_nothing()
}

/// Every invocation has a generator of its own, seeded by the system when first used: what one
/// caller sees tells nothing of the next.
fn with_generator<T>(call: &Call<'_, '_>, draw: impl FnOnce(&mut Random) -> T) -> T {
    let mut generator = call.shared.random.borrow_mut();
    draw(generator.get_or_insert_with(|| Random::new(RandomState::new().hash_one(0))))
}

// ---- the % operator -----------------------------------------------------------------------

fn modulo<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (left, right) = (call.value(1), call.value(2));
    if let (Value::Integer(a), Value::Integer(b)) = (left, right) {
        return call.give(integer_modulo(a, b));
    }
    if let Some(function) = metamethod(call.ctx, MetaMethod::Mod, [left, right])? {
        call.stack.resize(2);
        return Ok(Flow::Call { function, then: None });
    }
    match (call.number(1), call.number(2)) {
        (Ok(a), Ok(b)) => call.give(float_modulo(a, b)),
        _ => {
            let found = [left.type_name(), right.type_name()];
            let at = culprit(found[0], found[1]);
            let message = format!("attempt to perform arithmetic on a {} value", found[at]);
            Err(call.operand_error(MetaMethod::Mod, &found, Some(at), &message))
        }
    }
}

fn integer_modulo<'gc>(a: i64, b: i64) -> Value<'gc> {
    match b {
        // In 5.1 all numbers are floats, and this is no error.
        0 => Value::Number(f64::NAN),
        _ => {
            let remainder = a.wrapping_rem(b);
            let other_side = remainder != 0 && (remainder < 0) != (b < 0);
            Value::Integer(if other_side { remainder + b } else { remainder })
        }
    }
}

/// Reference Lua's own formula, so that its rounding and its zeros are the same too.
fn float_modulo(a: f64, b: f64) -> f64 {
    a - (a / b).floor() * b
}
