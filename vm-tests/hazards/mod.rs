//! What a hostile script can try: each must end in a typed error, soon, with bounded memory, and leave the
//! process able to run the next script.
//!
//! The rows are everything that was found to hang, abort or blow up the interpreter as published, the ways
//! around each mending that came to mind, and the scripts of `fixtures/hostile`.

mod beside;
mod check;
mod control_flow;
mod fixtures;
mod garbage;
mod growing;
mod numbers;
mod patterns;
mod shapes;
mod strings;
mod tables;
