//! `string.format` as in C's `printf`, and numbers as text.
//!
//! The exact decimal digits come from Rust's own formatting, which is correctly rounded for any
//! precision; this module lays them out as C does. A printf crate was rejected: none keeps to C in
//! all of the flags that scripts may combine, and their output is not bounded.
//!
//! Against reference Lua 5.1: `%c` of 0 gives a zero byte and `%s` keeps zero bytes (there both end
//! the text, as Lua 5.2 mended), and `%a` is accepted.

mod directive;
mod float;
mod integer;
mod number_text;
#[cfg(test)]
mod tests;
mod text;

pub use directive::{Conversion, Directive, FormatError, MAX_FORMATTED_NUMBER_BYTES};
pub use number_text::{append_integer, append_number, integer_to_string, number_to_string};
pub use text::{append_quoted, quoted_len};
